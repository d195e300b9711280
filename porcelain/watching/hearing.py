"""What a build says while it runs: the output of its script and all warnings, kept on their way to the screen."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from threading import Lock, local
from typing import TYPE_CHECKING, Any, Final, Self, TextIO, cast

from cas.oid import ObjectId
from cas.store import ObjectWriter, Store
from jobs.execution.plan import Listener, Plan
from jobs.nodes.listing import JobRow

if TYPE_CHECKING:
    from jobs.execution.events import Event

# a script that prints more than this is written to the store while it runs
_HELD_BYTES: Final = 1 << 20


class ScriptOutput:
    """Keeps what this process prints to stdout, which is shown all the same; `with` it from there on.

    What other programs print that the script starts is shown only.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._held: list[bytes] = []
        self._held_bytes = 0
        self._writer: ObjectWriter | None = None
        self._lock = Lock()
        self._aside = local()

    def __enter__(self) -> Self:
        self._screen = sys.stdout
        sys.stdout = cast("TextIO", _Copying(self._screen, self._keep))
        return self

    def __exit__(self, *_: object) -> None:
        sys.stdout = self._screen

    @contextmanager
    def aside(self) -> Iterator[None]:
        """Keep nothing of what this thread prints in a block: it is not the script that prints."""
        before, self._aside.now = getattr(self._aside, "now", False), True
        try:
            yield
        finally:
            self._aside.now = before

    def commit(self) -> ObjectId | None:
        """Store what was printed and return its blob, or None when that is nothing."""
        data = b"".join(self._held)
        if self._writer is not None:
            self._writer.write(data)
            return self._writer.commit()
        return self._store.put(data) if data else None

    def _keep(self, data: bytes) -> None:
        if getattr(self._aside, "now", False):
            return
        with self._lock:
            self._held.append(data)
            self._held_bytes += len(data)
            if self._held_bytes > _HELD_BYTES:
                self._writer = self._writer or self._store.writer()
                self._writer.write(b"".join(self._held))
                self._held, self._held_bytes = [], 0


class _Copying:
    """A text stream that is another one, and tells what is written to it."""

    def __init__(self, screen: TextIO, keep: Callable[[bytes], None]) -> None:
        self.screen = screen
        self._keep = keep

    def write(self, text: str) -> int:
        count = self.screen.write(text)
        self._keep(text.encode("utf-8", "backslashreplace"))
        return count

    def writelines(self, lines: Iterable[str]) -> None:
        for line in lines:
            self.write(line)

    @property
    def buffer(self) -> "_CopyingBytes":
        return _CopyingBytes(self.screen.buffer, self._keep)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.screen, name)


class _CopyingBytes:
    """The same of bytes."""

    def __init__(self, screen: Any, keep: Callable[[bytes], None]) -> None:
        self._screen = screen
        self._keep = keep

    def write(self, data: Any) -> Any:
        count = self._screen.write(data)
        self._keep(bytes(data))
        return count

    def __getattr__(self, name: str) -> Any:
        return getattr(self._screen, name)


class Hearing:
    """A listener that hands on all that it hears, and writes warnings down.

    Attributes
    ----------
    warnings : list of str or None
        Where to; None: nowhere.
    output : ScriptOutput or None
        The script's, of which what the listener shows is no part.
    """

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self.warnings: list[str] | None = None
        self.output: ScriptOutput | None = None

    def began(self, plan: Plan, label: str) -> None:
        """Hand on that a job is about to run."""
        with self._aside():
            self._listener.began(plan, label)

    def event(self, label: str, event: "Event") -> None:
        """Hand on what a running job tells."""
        with self._aside():
            self._listener.event(label, event)

    def said(self, label: str, part: str, text: str) -> None:
        """Hand on what a stage or slice printed."""
        with self._aside():
            self._listener.said(label, part, text)

    def idle(self) -> None:
        """Hand on that a tenth of a second has passed."""
        with self._aside():
            self._listener.idle()

    def ended(self, row: JobRow) -> None:
        """Hand on that a run is over."""
        with self._aside():
            self._listener.ended(row)

    def reused(self, row: JobRow, caption: str, origin: str) -> None:
        """Hand on that a job was there."""
        with self._aside():
            self._listener.reused(row, caption, origin)

    def awaits(self, method: str, holder: str = "") -> None:
        """Hand on that somebody else runs a job that is wanted."""
        with self._aside():
            self._listener.awaits(method, holder)

    def warn(self, text: str) -> None:
        """Write a warning down, and hand it on."""
        if self.warnings is not None:
            self.warnings.append(text)
        with self._aside():
            self._listener.warn(text)

    def _aside(self) -> AbstractContextManager[None]:
        return nullcontext() if self.output is None else self.output.aside()
