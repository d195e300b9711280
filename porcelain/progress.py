"""A build as it runs: one line for each job, and on a terminal below them what is going on now."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jobs.execution.events import ANALYSIS, LOAD, Event, StageBegan, StageEnded
from jobs.execution.plan import Plan
from jobs.nodes.listing import JobRow
from porcelain import term

if TYPE_CHECKING:
    from rich.live import Live

_LABEL_WIDTH = 8
_METHOD_WIDTH = 20


@dataclass(slots=True)
class _Job:
    """A job that is running."""

    label: str
    method: str
    slices: int
    begun: float = field(default_factory=time.monotonic)
    stage: str = LOAD
    done: int = 0

    def in_words(self) -> str:
        where = f"{self.stage} {self.done}/{self.slices}" if self.stage == ANALYSIS else self.stage
        return f"{_who(self.label, self.method)}  {where}  {time.monotonic() - self.begun:.1f} s"


class Progress:
    """Listens to a build and shows it; `with` a progress the terminal is given back whatever happens.

    Attributes
    ----------
    built, reused : int
        How many jobs ran, and how many were there.
    """

    def __init__(self) -> None:
        self.built = 0
        self.reused_count = 0
        self._running: list[_Job] = []
        self._live: Live | None = None
        self._shown_reused: set[str] = set()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def summary(self) -> str:
        """Return how many jobs were built and reused."""
        if not self.built + self.reused_count:
            return "no jobs"
        if not self.built:
            return f"{term.count(self.reused_count, 'job')}, all reused"
        return f"{term.count(self.built, 'job')} built, {self.reused_count} reused"

    # -- what a listener hears ---------------------------------------------------------------------------------

    def began(self, plan: Plan, label: str) -> None:
        """Show that a job runs."""
        self._running.append(_Job(label, plan.method.name, plan.parts.slices))
        self._refresh()

    def event(self, label: str, event: Event) -> None:
        """Show the stage that a job is in."""
        job = next((job for job in self._running if job.label == label), None)
        if job is None:
            return
        if isinstance(event, StageBegan) and event.sliceno is None:
            job.stage = event.stage
        elif isinstance(event, StageEnded) and event.sliceno is not None:
            job.done += 1

    def said(self, label: str, part: str, text: str) -> None:
        """Show what a job printed, each line with whose it is."""
        where = f"slice {part}" if part.isdigit() else part
        for line in text.rstrip("\n").split("\n"):
            self._line(f"{label} {where} | {line}")
        term.flush()

    def idle(self) -> None:
        """Show that time goes by."""
        self._refresh()

    def ended(self, row: JobRow) -> None:
        """Show a job that has run."""
        self._running = [job for job in self._running if job.label != row.label]
        if row.state == "failed":
            self._line(f"{_who(row.label, row.method)}  failed")
        else:
            self.built += 1
            same = f"  same outcome as {row.earlier}" if row.earlier else ""
            self._line(
                _with_caption(
                    f"{_who(row.label, row.method)}  built   {row.seconds:.2f} s{same}", row.caption
                )
            )
        # a job took its time, and who pipes the build into a file or `tee` wants to see it run
        term.flush()
        if not self._running:
            self._stop()

    def reused(self, row: JobRow, caption: str) -> None:
        """Show a job that was there."""
        self.reused_count += 1
        if row.label not in self._shown_reused:
            self._shown_reused.add(row.label)
            self._line(_with_caption(f"{_who(row.label, row.method)}  reused", caption))

    def awaits(self, method: str) -> None:
        """Show that somebody else runs a job that is wanted."""
        self._line(f"{_who('...', method)}  runs elsewhere; waiting for it")
        term.flush()

    def warn(self, text: str) -> None:
        """Show a warning."""
        self._stop()
        term.warn(text)

    # -- the terminal ------------------------------------------------------------------------------------------

    def _line(self, text: str) -> None:
        if self._live is not None:
            self._live.console.print(term.printable(text), markup=False, highlight=False, soft_wrap=True)
        else:
            term.line(term.printable(text))

    def _refresh(self) -> None:
        if not (self._running and term.is_terminal()):
            return
        if self._live is None:
            self._live = _start_live(self._in_words)
        self._live.refresh()

    def _in_words(self) -> str:
        return "\n".join(job.in_words() for job in self._running)

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def _start_live(in_words: Callable[[], str]) -> "Live":
    from rich.live import Live
    from rich.text import Text

    # no thread of rich's: the build says when a tenth of a second has passed
    live = Live(
        get_renderable=lambda: Text(in_words(), style="dim", no_wrap=True, overflow="ellipsis"),
        console=term.console(),
        auto_refresh=False,
        transient=True,
    )
    live.start()
    return live


def _who(label: str, method: str) -> str:
    return f"{label:<{_LABEL_WIDTH}}{method:<{_METHOD_WIDTH}}"


def _with_caption(text: str, caption: str) -> str:
    return f"{text}  {caption}" if caption else text
