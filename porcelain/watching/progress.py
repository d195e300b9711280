"""A build as it runs: one line for each job, and on a terminal below them what is going on now."""

import time
from collections.abc import Callable, Iterator
from itertools import islice
from typing import TYPE_CHECKING, Final

from jobs.execution.plan import Plan
from jobs.nodes.listing import JobRow
from jobs.status import stack
from porcelain import term
from porcelain.watching.underway import RunningJob, Underway, part_in_short, status_in_words

if TYPE_CHECKING:
    from rich.live import Live

    from jobs.execution.events import Event

_LABEL_WIDTH = 8
_METHOD_WIDTH = 20
# more would push what jobs print off a small terminal
_STATUS_LINES: Final = 10
_TICKS_SECONDS: Final = 1.0


class Progress:
    """Listens to a build and shows it; `with` a progress the terminal is given back whatever happens.

    Parameters
    ----------
    debug
        Jobs have the terminal for themselves: nothing is shown that moves, and what they print is not shown again.

    Attributes
    ----------
    underway : Underway
        What runs now, and how many jobs did.
    """

    def __init__(self, *, debug: bool = False) -> None:
        self.underway = Underway()
        self._debug = debug
        self._live: Live | None = None
        self._shown_reused: set[str] = set()
        self._status_wanted = False
        self._ticked = 0.0

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def summary(self) -> str:
        """Return how many jobs were built and reused, and how many failed, which the script or a method has caught."""
        done = self.underway
        failed = f", {done.failed} failed" if done.failed else ""
        if not done.built + done.reused:
            return f"no jobs{failed}"
        if not done.built:
            return f"{term.count(done.reused, 'job')}, all reused{failed}"
        return f"{term.count(done.built, 'job')} built, {done.reused} reused{failed}"

    def show_status(self) -> None:
        """Print what everything is doing; may be called by a signal at any moment."""
        if self.underway.jobs and not self._debug and time.monotonic() - self._ticked < _TICKS_SECONDS:
            self._status_wanted = True  # at the next tick: now, somebody may be in the middle of a line
        else:
            term.urgent("\n".join(status_in_words(self.underway.view())))

    # -- what a listener hears ---------------------------------------------------------------------------------

    def began(self, plan: Plan, label: str) -> None:
        """Show that a job runs."""
        self.underway.began(plan, label)
        self._refresh()

    def event(self, label: str, event: "Event") -> None:
        """Show the stage that a job is in."""
        self.underway.hear(label, event)

    def said(self, label: str, part: str, text: str) -> None:
        """Show what a job printed, each line with whose it is."""
        where = f"slice {part}" if part.isdigit() else part
        lines = [f"{where} | {line}" for line in text.rstrip("\n").split("\n")]
        self.underway.said(label, lines)
        if self._debug:
            return
        for line in lines:
            self._line(f"{label} {line}")
        term.flush()

    def idle(self) -> None:
        """Show that time goes by."""
        self._ticked = time.monotonic()
        self.underway.tick()
        if self._status_wanted:
            self._status_wanted = False
            for line in status_in_words(self.underway.view()):
                self._line(line)
            term.flush()
        self._refresh()

    def ended(self, row: JobRow) -> None:
        """Show a job that has run."""
        self.underway.ended(row)
        if row.state == "failed":
            self._line(f"{_who(row.label, row.method)}  failed")
        else:
            same = f"  same outcome as {row.earlier}" if row.earlier else ""
            self._line(
                _with_caption(
                    f"{_who(row.label, row.method)}  built   {row.seconds:.2f} s{same}", row.caption
                )
            )
        # a job took its time, and who pipes the build into a file or `tee` wants to see it run
        term.flush()
        if not self.underway.jobs:
            self._stop()

    def reused(self, row: JobRow, caption: str, origin: str) -> None:
        """Show a job that was there."""
        self.underway.found(row)
        if row.label not in self._shown_reused:
            self._shown_reused.add(row.label)
            where = f" from {origin}" if origin else ""
            self._line(_with_caption(f"{_who(row.label, row.method)}  reused{where}", caption))

    def awaits(self, method: str, holder: str = "") -> None:
        """Show that somebody else runs a job that is wanted."""
        self._line(
            f"{_who('...', method)}  {f'{holder} runs it' if holder else 'runs elsewhere'}; waiting for it"
        )
        term.flush()

    def warn(self, text: str) -> None:
        """Show a warning."""
        self.underway.warned(text)
        self._stop()
        term.warn(text)

    # -- the terminal ------------------------------------------------------------------------------------------

    def _line(self, text: str) -> None:
        if self._live is not None:
            self._live.console.print(term.printable(text), markup=False, highlight=False, soft_wrap=True)
        else:
            term.line(term.printable(text))

    def _refresh(self) -> None:
        if self._debug or not (self.underway.jobs and term.is_terminal()):
            return
        if self._live is None:
            self._live = _start_live(self._in_words)
        self._live.refresh()

    def _in_words(self) -> str:
        return "\n".join(_live_lines(list(self.underway.jobs.values())))

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


def _live_lines(running: list[RunningJob]) -> Iterator[str]:
    """Yield a line for each job, and below it what its parts are doing, as far as there is room for it."""
    for line in stack():
        yield f"{term.printable(line.text)}  {_since(line.begun)}"
    room = max(0, _STATUS_LINES - len(running))
    for job in running:
        yield f"{_who(job.label, job.method)}  {job.where()}  {_since(job.begun)}"
        doing = list(job.doing())
        for (stage, sliceno), lines in islice(doing, room):
            yield f"  {part_in_short(stage, sliceno):<9} {term.printable(lines[-1].text)}  {_since(lines[-1].begun)}"
        if len(doing) > room:
            yield f"  ... and {term.count(len(doing) - room, 'slice')} more"
        room = max(0, room - len(doing))


def _since(begun: float) -> str:
    return f"{max(0.0, time.time() - begun):.1f} s"


def _who(label: str, method: str) -> str:
    return f"{label:<{_LABEL_WIDTH}}{method:<{_METHOD_WIDTH}}"


def _with_caption(text: str, caption: str) -> str:
    return f"{text}  {caption}" if caption else text
