"""Traces: what job directories still tell of the runs that left them, when refs are gone."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

from jobs.nodes.listing import JobRow, split_label
from jobs.nodes.run import MICROSECONDS

_SETUP: Final = "setup.json"
# seconds in setup.json are a float
_PRECISION_MICROS: Final = 2


class _Trace(NamedTuple):
    run: str
    origin: str
    start_micros: float
    method: str


class Traces:
    """Says which runs have had a job directory here, under which label, and which of them came from elsewhere.

    Parameters
    ----------
    workdirs
        Where job directories are.
    """

    def __init__(self, workdirs: Mapping[str, Path]) -> None:
        self._left = {
            (workdir, number): trace
            for workdir, folder in workdirs.items()
            for number, trace in _read(workdir, folder)
        }
        # a run from elsewhere has another label in its node than here
        self._adopted = {trace.run: label for label, trace in self._left.items() if trace.origin}

    def row(self, row: JobRow) -> JobRow:
        """Return the row of a run, as its node tells it, with the label and the origin that it had here."""
        label = self._adopted.get(row.run)
        if label is None:
            return row
        workdir, number = label
        return row._replace(workdir=workdir, number=number, origin=self._left[label].origin)

    def has(self, row: JobRow) -> bool:
        """Return whether the directory that belongs to the label of a run is that of the run."""
        trace = self._left.get((row.workdir, row.number))
        if trace is None or trace.origin:
            return trace is not None and trace.run == row.run
        start = row.ended - row.micros
        return trace.method == row.method and abs(trace.start_micros - start) <= _PRECISION_MICROS


def _read(workdir: str, folder: Path) -> Iterator[tuple[int, _Trace]]:
    for path in folder.iterdir() if folder.is_dir() else ():
        label = split_label(path.name)
        trace = _find_trace(path / _SETUP) if label and label[0] == workdir else None
        if label and trace:
            yield label[1], trace


def _find_trace(path: Path) -> _Trace | None:
    """Return what a setup.json tells; None of whatever else people keep there."""
    with suppress(OSError, ValueError, TypeError, LookupError):
        setup: Any = json.loads(path.read_bytes())
        start = float(setup["starttime"]) * MICROSECONDS
        return _Trace(str(setup.get("run", "")), str(setup.get("origin", "")), start, str(setup["method"]))
    return None
