"""A build that is under way: its jobs with what they are doing, for its own display and for those who look on."""

import json
import os
import time
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from cas.files import write_atomically
from jobs.execution.plan import Plan
from jobs.nodes.listing import JobRow
from jobs.nodes.parts import ANALYSIS
from jobs.status import Line, keeping, read_stack, stack
from porcelain import term
from porcelain.views.plain import View

if TYPE_CHECKING:
    from jobs.execution.events import Event

FILE: Final = "build.json"
_STATUS: Final = "build.status"
# what is kept for those who look on: the file is written a few times a second, so it has to stay small
_OUTPUT_LINES: Final = 40
_LINE_CHARACTERS: Final = 500
_OVER: Final = 20
_WARNINGS: Final = 10
# of them a terminal has room for so many
_OUTPUT_LINES_IN_WORDS: Final = 10
# who looks on sees a job once it has run so long, and what is new of it that much later
_WRITE_SECONDS: Final = 0.4

Part: TypeAlias = tuple[str, int | None]


@dataclass(slots=True)
class RunningJob:
    """A job that runs.

    Attributes
    ----------
    begun : float
        In seconds since 1970.
    stage : str
        The one that it is in.
    done : list of int
        The slices that analysis is done with.
    parts : dict of (stage, slice number) to Path or None
        The stages and slices that run now, in the order in which they began, with the file of their status if they
        have one.
    output : deque of str
        The last lines that it printed.
    """

    label: str
    method: str
    caption: str
    slices: int
    begun: float = field(default_factory=time.time)
    stage: str = "load"
    done: list[int] = field(default_factory=list)
    parts: dict[Part, Path | None] = field(default_factory=dict)
    output: deque[str] = field(default_factory=lambda: deque(maxlen=_OUTPUT_LINES))

    def hear(self, event: "Event") -> None:
        """Take down what the job tells."""
        # here, not above: a build that only reuses jobs has no events
        from jobs.execution.events import StageBegan, StageEnded, StatusBegan

        if isinstance(event, StageBegan):
            self.stage = event.stage
            if event.stage != ANALYSIS or event.sliceno is not None:
                self.parts[event.stage, event.sliceno] = None
        elif isinstance(event, StatusBegan):
            self.parts[event.stage, event.sliceno] = event.path
        elif isinstance(event, StageEnded):
            self.parts.pop((event.stage, event.sliceno), None)
            if event.sliceno is not None:
                self.done.append(event.sliceno)

    def where(self) -> str:
        """Return the stage, and how many slices of it are done."""
        return stage_in_words(self.stage, len(self.done), self.slices)

    def doing(self) -> Iterator[tuple[Part, list[Line]]]:
        """Yield the parts that say what they do, with what they say."""
        for part, path in list(self.parts.items()):
            lines = [] if path is None else read_stack(path)
            if lines:
                yield part, lines


def stage_in_words(stage: str, done: int, slices: int) -> str:
    """Return a stage, and how many slices of it are done.

    >>> stage_in_words("analysis", 3, 8)
    'analysis 3/8'
    """
    return f"{stage} {done}/{slices}" if stage == ANALYSIS else stage


def part_in_short(stage: str, sliceno: int | None) -> str:
    """Return a stage or slice where a line has little room.

    >>> part_in_short("prepare", None), part_in_short("analysis", 3)
    ('prepare', 'slice 3')
    """
    return stage if sliceno is None else f"slice {sliceno}"


class Underway:
    """The jobs of a build, those that run and the last that are over; with a folder, a file there shows them to others.

    Attributes
    ----------
    jobs : dict of str to RunningJob
        Those that run, by label.
    built, reused, failed : int
        How many jobs ran, how many were there, and how many failed.
    """

    def __init__(self) -> None:
        self.jobs: dict[str, RunningJob] = {}
        self.built = 0
        self.reused = 0
        self.failed = 0
        self._over: deque[tuple[JobRow, bool]] = deque(maxlen=_OVER)
        self._warnings: deque[str] = deque(maxlen=_WARNINGS)
        self._title = ""
        self._begun = time.time()
        self._folder: Path | None = None
        self._shown: set[str] = set()
        self._next_write = 0.0

    @contextmanager
    def shown_in(self, folder: Path, title: str) -> Iterator[None]:
        """Keep a file about the build in `folder` inside the block.

        Parameters
        ----------
        title
            What is built.
        """
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._title, self._begun = folder, title, time.time()
        try:
            with keeping(folder / _STATUS, lambda: None):
                self._write()
                yield
        finally:
            self._folder = None
            for name in (FILE, _STATUS):
                (folder / name).unlink(missing_ok=True)

    def began(self, plan: Plan, label: str) -> None:
        """Take down that a job runs."""
        self.jobs[label] = RunningJob(label, plan.method.name, plan.caption, plan.parts.slices)
        self.tick()

    def hear(self, label: str, event: "Event") -> None:
        """Take down what a job tells."""
        if label in self.jobs:
            self.jobs[label].hear(event)
            self.tick()

    def said(self, label: str, lines: Sequence[str]) -> None:
        """Take down what a job printed."""
        if label in self.jobs:
            self.jobs[label].output.extend(_cut(line) for line in lines[-_OUTPUT_LINES:])

    def ended(self, row: JobRow) -> None:
        """Take down that a job is over."""
        self.jobs.pop(row.label, None)
        if row.state == "failed":
            self.failed += 1
        else:
            self.built += 1
        self._over.append((row, True))
        if row.label in self._shown:
            self._write()

    def found(self, row: JobRow) -> None:
        """Take down that a job was there."""
        self.reused += 1
        self._over.append((row, False))
        self.tick()

    def warned(self, text: str) -> None:
        """Take down a warning."""
        self._warnings.append(_cut(text))

    def tick(self) -> None:
        """Show others what is new, if it is time to do so."""
        # a build of many small jobs does so a few times a second, and not for each
        if self._folder is not None and time.monotonic() >= self._next_write:
            self._write()

    def _write(self) -> None:
        if self._folder is None:
            return
        self._next_write = time.monotonic() + _WRITE_SECONDS
        self._shown = set(self.jobs)
        with suppress(OSError):  # a full disk stops no build for this
            data = json.dumps(self._to_json()).encode()
            write_atomically(self._folder / FILE, data, durable=False)

    def _to_json(self) -> dict[str, object]:
        return {
            "build": self._title,
            "process": os.getpid(),
            "begun": self._begun,
            "jobs": [_job_to_json(job) for job in self.jobs.values()],
            "built": self.built,
            "reused": self.reused,
            "failed": self.failed,
            "over": [_over_to_json(row, ran=ran) for row, ran in reversed(list(self._over))],
            "warnings": list(self._warnings),
        }

    def view(self) -> View:
        """Return the build as `acc status` shows it."""
        return _view(json.loads(json.dumps(self._to_json())), stack())


def _cut(line: str) -> str:
    return line if len(line) <= _LINE_CHARACTERS else f"{line[:_LINE_CHARACTERS]} ..."


def _over_to_json(row: JobRow, *, ran: bool) -> dict[str, object]:
    return {
        "label": row.label,
        "method": row.method,
        "how": "reused" if not ran else "failed" if row.state == "failed" else "built",
        "seconds": row.seconds,
        "caption": row.caption,
    }


def _job_to_json(job: RunningJob) -> dict[str, object]:
    return {
        "label": job.label,
        "method": job.method,
        "caption": job.caption,
        "slices": job.slices,
        "begun": job.begun,
        "stage": job.stage,
        "done": len(job.done),
        "done_slices": job.done,
        "parts": [[*part, path and str(path)] for part, path in list(job.parts.items())],
        "output": list(job.output),
    }


# -- for those who look on -------------------------------------------------------------------------------------


def find_builds(folders: Sequence[Path]) -> list[View]:
    """Return the builds that show themselves in one of `folders`, the oldest first."""
    found = []
    for folder in folders:
        with suppress(OSError, ValueError, KeyError, TypeError):  # it has just ended
            found.append(_view(json.loads((folder / FILE).read_bytes()), read_stack(folder / _STATUS)))
    return sorted(found, key=lambda view: float(view["seconds"]), reverse=True)


def _view(body: View, script: Sequence[Line]) -> View:
    now = time.time()
    return {
        "build": body["build"],
        "process": body["process"],
        "seconds": now - body["begun"],
        "status": _lines_view(script, now),
        "jobs": [_job_view(job, now) for job in body["jobs"]],
        **{name: body[name] for name in ("built", "reused", "failed", "over", "warnings")},
    }


def _job_view(job: Mapping[str, object], now: float) -> View:
    view: View = dict(job)
    view["seconds"] = now - view.pop("begun")
    view["parts"] = [
        {
            "stage": stage,
            "sliceno": sliceno,
            "status": _lines_view(read_stack(Path(path)) if path else [], now),
        }
        for stage, sliceno, path in view["parts"]
    ]
    return view


def _lines_view(lines: Sequence[Line], now: float) -> list[View]:
    return [{"text": line.text, "seconds": max(0.0, now - line.begun)} for line in lines]


def status_in_words(view: View) -> Iterator[str]:
    """Yield the lines that show a build as `find_builds` returns it: its jobs, what they do, what they printed last."""
    yield f"{view['build']}  process {view['process']}, {term.duration(view['seconds'])} s"
    for line in view["status"]:
        yield f"  {_line_in_words(line)}"
    for job in view["jobs"]:
        where = stage_in_words(job["stage"], job["done"], job["slices"])
        caption = f"  {job['caption']}" if job["caption"] else ""
        yield f"  {job['label']}  {job['method']}  {where}  {term.duration(job['seconds'])} s{caption}"
        for part in job["parts"]:
            name = part_in_short(part["stage"], part["sliceno"])
            for number, line in enumerate(part["status"]):
                yield f"    {'' if number else name:<9}  {_line_in_words(line)}"
        for text in job["output"][-_OUTPUT_LINES_IN_WORDS:]:
            yield f"    {text}"
    if not view["jobs"]:
        yield "  no job at the moment"


def _line_in_words(line: View) -> str:
    return f"{line['text']}  {term.duration(line['seconds'])} s"
