"""How far a transfer to or from a remote is: one line on a terminal, replaced a few times a second."""

import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

from cas.remote.bucket import Traffic
from porcelain import term

_BETWEEN_SECONDS: Final = 0.1


class Transfer:
    """Shows what goes to and fro; `with` a transfer its line goes away at the end.

    Parameters
    ----------
    doing
        What is done, as "sending".
    traffic
        What the remote counts.
    quiet
        Show nothing.

    Attributes
    ----------
    objects : int
        How many objects have been sent, or have come.
    """

    def __init__(self, doing: str, traffic: Traffic, *, quiet: bool = False) -> None:
        self.objects = 0
        self._doing = doing
        self._traffic = traffic
        self._before = (traffic.sent, traffic.received, traffic.requests)
        self._quiet = quiet
        self._begun = time.monotonic()
        self._next = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._quiet:
            term.tick("")

    @property
    def bytes(self) -> int:
        """Bytes of files that went to and fro."""
        return self._sent + self._received

    @property
    def _sent(self) -> int:
        return self._traffic.sent - self._before[0]

    @property
    def _received(self) -> int:
        return self._traffic.received - self._before[1]

    @property
    def _requests(self) -> int:
        return self._traffic.requests - self._before[2]

    @property
    def seconds(self) -> float:
        """Seconds since it began."""
        return time.monotonic() - self._begun

    def show(self, objects: int, _: int = 0) -> None:
        """Show that so many objects have been sent, or have come."""
        self.objects = objects
        self._tick(self.told)

    def show_labels(self, labels: int) -> None:
        """Show that so many jobs have got labels."""
        self._tick(lambda: f"{term.count(labels, 'label')}; {self.told()}")

    def _tick(self, told: Callable[[], str]) -> None:
        now = time.monotonic()
        if now >= self._next and not self._quiet:
            self._next = now + _BETWEEN_SECONDS
            term.tick(f"{self._doing}  {told()}")

    def told(self) -> str:
        """Return objects, bytes, requests and rate in words."""
        rate = self.bytes / max(self.seconds, 1e-3)
        return (
            f"{term.count(self.objects, 'object')}, {term.size(self.bytes)}, "
            f"{term.count(self._requests, 'request')}, {term.duration(self.seconds)} s"
            + (f", {term.size(round(rate))}/s" if self.objects else "")
        )

    def view(self) -> dict[str, int | float]:
        """Return the same for `--json`."""
        return {
            "objects": self.objects,
            "sent_bytes": self._sent,
            "received_bytes": self._received,
            "requests": self._requests,
            "seconds": round(self.seconds, 3),
        }
