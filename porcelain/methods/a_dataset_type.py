"""Typed dataset: text becomes numbers, dates and other types."""

from collections import Counter
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from jobs.column.kernel import join_masks
from jobs.column.packed import PackedTexts
from jobs.column.transform import Mask
from jobs.dataset.writer import DatasetWriter
from jobs.errors import ColumnError
from porcelain.methods.tables.chains import chain_since
from porcelain.methods.tables.columns import Columns, Values, count_rows, read_slice, select
from porcelain.methods.tables.moving import Moved, put_scattered, take_moved, targets_of, write_spread
from porcelain.methods.tables.parallel import in_each_slice
from porcelain.methods.tables.scratch import Place, Scratch
from porcelain.methods.typeplan import COLUMN_TYPES, NO_DEFAULT, Plan, TypedColumn, make_plan

version = 2

description = """Type columns of a dataset, or of a chain: bytes, ascii or unicode become any other type.

The types:
  int32_B, int64_B            integers in base B, of 0, 8, 10, 16; 0 is C's: 0x1f, 017, 15
  float32, float64            as C reads them
  number, number:int          integers when they are written as such, else floats; or only integers
  complex32, complex64        as Python reads them
  floatbool, strbool          true when not 0; false when 0, f, false, no, off, nil, null or empty
  date:F, datetime:F, time:F  by a format of %Y %y %C %m %b %d %H %I %p %M %S %f, %s and %J (seconds, milliseconds
                              since 1970), %e (days of a spreadsheet), %. (any character), %%
  ascii, ascii:HOW            other characters become a backslash and octal digits (replace; encode does so with
                              backslashes too), or are bad (strict)
  unicode:CODEC               as unicode:utf-8, or unicode:utf-8/replace, unicode:utf-8/ignore
  bytes, json
With i after its name (int64_10i, datei:%Y) a type that reads numbers or dates ignores what follows them; with strip
(asciistrip, bytesstrip, unicodestrip:utf-8) text loses the white space around it. With +None after the name
(int64_10+None, date+None:%Y) empty text is None.

Each dataset of the chain, from the source of previous on, becomes one. Columns that are not typed are taken over
from the source without being copied; when rows are left out or go to other slices they are written again.

A text that cannot be converted fails the job, unless the column has a default, or filter_bad leaves the row out: the
texts of its typed columns go into dataset "bad".
"""

options = {
    "column2type": COLUMN_TYPES,  # {column: type}
    "none_values": (str,),  # texts that are None in every typed column, as ("", "NA")
    "defaults": {},  # {column: value} instead of what cannot be converted; text is converted itself
    "filter_bad": False,  # leave rows out that have a text which cannot be converted
    "rename": {
        "OLD": str
    },  # {column: column}; types, defaults and hashlabel go by the new names; None discards
    "discard_untyped": False,  # take no other columns over than those that are typed
    "hashlabel": str,  # the column that decides the slice of a row; None: as in the source; "": no column does
    "numeric_comma": False,  # fractions of floats and numbers follow a comma
    "timezone": str,  # datetimes are in this zone, as "Europe/Stockholm", and become UTC
    "caption": "typed dataset",
    "length": -1,  # go back at most so many datasets in the chain
    "compression": 6,  # taken from programs that give it: what is stored is zstd, of one level
    "chain_slices": False,  # when rows go to other slices, make a dataset of each slice that they come from
}
datasets = ("source", "previous")


class Step(NamedTuple):
    """One dataset of the chain and those that it becomes.

    Attributes
    ----------
    writers : list of DatasetWriter
        One, or with `chain_slices`, when rows go to other slices, one for each slice that rows come from.
    bad : DatasetWriter or None
        Takes the rows that are left out, if any may be.
    """

    plan: Plan
    writers: list[DatasetWriter]
    bad: DatasetWriter | None

    @property
    def is_spread(self) -> bool:
        """Whether each slice writes its rows to all slices of a dataset of its own."""
        return len(self.writers) > 1

    @property
    def is_scattered(self) -> bool:
        """Whether rows lie on disk before they are written to other slices."""
        return self.plan.moves and not self.is_spread


class Tally(NamedTuple):
    """Rows of a slice that were kept, and for each column how many texts of it were bad."""

    lines: int
    bad: Counter[str]


class Scattered(NamedTuple):
    """What became of a slice whose rows go to other slices, and where these lie, and those that were left out."""

    tally: Tally
    moved: Moved
    left_out: list[Place]


class Prepared(NamedTuple):
    """The steps, and by the slice that they come from the rows that go to other slices, with those steps' numbers."""

    steps: list[Step]
    scratches: list[Scratch]
    scattered: list[dict[int, Scattered]]


def prepare(job: Any, options: Any, datasets: Any, slices: int) -> Prepared:
    """Decide what becomes of each dataset, make the writers, and convert rows that go to other slices."""
    steps: list[Step] = []
    previous: Any = datasets.previous
    bad: Any = None
    chain = chain_since(datasets.source, datasets.previous, options.length)
    for number, source in enumerate(chain):
        name = "default" if number == len(chain) - 1 else str(number)
        plan = make_plan(source, options)
        writers = _make_writers(job, plan, name, options, previous, slices)
        previous = writers[-1]
        if plan.drops:
            bad = _make_bad_writer(job, plan, "bad" if name == "default" else f"{name}.bad", bad)
        steps.append(Step(plan, writers, bad))
    if not any(step.is_scattered for step in steps):
        return Prepared(steps, [], [])
    scratches = [Scratch() for _ in range(slices)]
    return Prepared(steps, scratches, in_each_slice(slices, partial(_scatter_slice, steps, scratches)))


def analysis(sliceno: int, slices: int, prepare_res: Prepared) -> list[Tally]:
    """Write this slice of each dataset, and return what became of the rows that it had before."""
    steps, scratches, scattered = prepare_res
    tallies = []
    for number, step in enumerate(steps):
        if step.is_scattered:
            here = scattered[sliceno][number]
            for columns in take_moved(sliceno, (each[number].moved for each in scattered), scratches):
                step.writers[0].write_arrays(columns, are_placed=True)
            for texts in scratches[sliceno].take(here.left_out):
                _write_bad(step, texts)
            tallies.append(here.tally)
        else:
            tallies.append(_write_slice(step, sliceno, slices))
    return tallies


def synthesis(analysis_res: Any) -> dict[str, Any]:
    """Return how many rows there are, and how many texts could not be converted."""
    tallies: list[Tally] = [tally for each in analysis_res for tally in each]
    bad = sum((tally.bad for tally in tallies), Counter[str]())
    return {"lines": sum(tally.lines for tally in tallies), "bad": dict(sorted(bad.items()))}


# ---- the chain and its writers


def _make_writers(
    job: Any, plan: Plan, name: str, options: Any, previous: Any, slices: int
) -> list[DatasetWriter]:
    if not (plan.moves and options.chain_slices) or slices == 1:
        return [_make_writer(job, plan, name, options.caption, previous)]
    made: list[DatasetWriter] = []
    for sliceno in range(slices):
        own = name if sliceno == slices - 1 else f"{name}.{sliceno}"
        told = f"{options.caption} (slice {sliceno})"
        previous = _make_writer(job, plan, own, told, previous, for_single_slice=sliceno)
        made.append(previous)
    return made


def _make_writer(
    job: Any, plan: Plan, name: str, caption: str, previous: Any, for_single_slice: int | None = None
) -> DatasetWriter:
    source = plan.source
    told: dict[str, Any] = {
        "name": name,
        "caption": caption,
        "filename": source.filename,
        "hashlabel": plan.hashlabel,
    }
    if plan.extends:
        told |= {"parent": source, "columns": dict.fromkeys(plan.left), "hashlabel_override": True}
    writer: DatasetWriter = job.datasetwriter(**told, previous=previous, for_single_slice=for_single_slice)
    for column in plan.typed:
        writer.add(column.name, column.conversion.type, none_support=column.none_support)
    for new, old in plan.copied.items():
        writer.add(new, source.columns[old].type, none_support=source.columns[old].none_support)
    return writer


def _make_bad_writer(job: Any, plan: Plan, name: str, previous: Any) -> DatasetWriter:
    writer: DatasetWriter = job.datasetwriter(name=name, caption="rows with bad texts", previous=previous)
    for column in plan.typed:
        source = plan.source.columns[column.source]
        writer.add(column.name, source.type, none_support=source.none_support)
    return writer


# ---- rows


def _write_slice(step: Step, sliceno: int, slices: int) -> Tally:
    """Convert a slice whose rows stay in it, or go to the slices of a dataset of their own."""
    lines, bad = 0, Counter[str]()

    def convert() -> Iterator[Columns]:
        nonlocal lines
        for columns, left_out in _convert_slice(step.plan, sliceno, bad):
            yield columns
            _write_bad(step, left_out)
            lines += count_rows(columns)

    if step.is_spread:
        assert step.plan.hashlabel is not None
        write_spread(convert(), step.writers[sliceno], step.plan.hashlabel, slices)
    else:
        for columns in convert():
            step.writers[0].write_arrays(columns)
    return Tally(lines, bad)


def _scatter_slice(steps: Sequence[Step], scratches: Sequence[Scratch], sliceno: int) -> dict[int, Scattered]:
    """Convert a slice of those datasets whose rows go to other slices, and leave them on disk."""
    found = {}
    for number, step in enumerate(steps):
        if step.is_scattered:
            found[number] = _scatter(step, sliceno, scratches)
    return found


def _scatter(step: Step, sliceno: int, scratches: Sequence[Scratch]) -> Scattered:
    lines, bad = 0, Counter[str]()
    moved: Moved = {}
    left_out: list[Place] = []
    label = step.plan.hashlabel
    assert label is not None
    for columns, texts in _convert_slice(step.plan, sliceno, bad):
        targets = targets_of(columns[label], step.writers[0].columns[label].type, len(scratches))
        put_scattered(columns, targets, scratches[sliceno], moved)
        if texts:
            left_out.append(scratches[sliceno].put(texts))
        lines += count_rows(columns)
    return Scattered(Tally(lines, bad), moved, left_out)


def _write_bad(step: Step, texts: Columns) -> None:
    if step.bad is not None and texts:
        step.bad.write_arrays(texts)


def _convert_slice(plan: Plan, sliceno: int, bad: Counter[str]) -> Iterator[tuple[Columns, Columns]]:
    """Yield the columns of a slice, a batch of rows at a time, and count the texts that are bad.

    Beside each batch are the texts of those of its rows that are left out; no columns when there are none.
    """
    first = 0
    names = dict.fromkeys([*(column.source for column in plan.typed), *plan.copied.values()])
    for texts in read_slice(plan.source, sliceno, list(names)):
        columns: dict[str, Values] = {new: texts[old] for new, old in plan.copied.items()}
        left_out: Mask | None = None
        for column in plan.typed:
            packed = texts[column.source]
            values, none, wrong = column.conversion.convert_spans(
                packed.spans, column.none_texts, packed.none
            )
            if wrong is not None:
                bad[column.name] += int(np.count_nonzero(wrong))
                if column.default is not NO_DEFAULT:
                    values, none = column.fill(values, none, wrong)
                elif plan.drops:
                    left_out = join_masks(left_out, wrong)
                else:
                    raise _refusal(plan, column, sliceno, first, packed, wrong)
            columns[column.name] = (values, none)
        first += count_rows(texts)
        if left_out is None:
            yield columns, {}
        else:
            rows = np.flatnonzero(left_out)
            bad_texts = {each.name: select(texts[each.source], rows) for each in plan.typed}
            rows = np.flatnonzero(~left_out)
            yield {name: select(values, rows) for name, values in columns.items()}, bad_texts


def _refusal(
    plan: Plan, column: TypedColumn, sliceno: int, first: int, texts: PackedTexts, bad: Mask
) -> ColumnError:
    row = int(np.argmax(bad))
    text = texts.spans.where([row]).tolist()[0].decode("utf-8", "backslashreplace")
    return ColumnError(
        f"column '{column.source}' of '{plan.source.spec}', slice {sliceno}, row {first + row + 1}: "
        f"'{text[:60]}' is no {column.conversion.name}",
        hint="none_values, defaults and filter_bad say what becomes of such a text",
    )
