"""Typed dataset: text becomes numbers, dates and other types."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from jobs.column.kernel import Array, Mask, join_masks
from jobs.dataset.arrays import Cursor, aligned, opened
from jobs.dataset.writer import DatasetWriter
from jobs.errors import ColumnError
from porcelain.methods.tables.chains import chain_since
from porcelain.methods.tables.columns import Values, count_rows, select
from porcelain.methods.tables.moving import Moved, put_scattered, take_moved, targets_of
from porcelain.methods.tables.scratch import Scratch
from porcelain.methods.typeplan import COLUMN_TYPES, NO_DEFAULT, Plan, TypedColumn, make_plan

version = 1

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
}
datasets = ("source", "previous")


class Step(NamedTuple):
    """One dataset of the chain and those that it becomes; `bad` is None when no rows are left out."""

    plan: Plan
    writer: DatasetWriter
    bad: DatasetWriter | None


class Done(NamedTuple):
    """What a slice tells of one step: rows kept, texts of each column that were bad, and where moved rows are."""

    lines: int
    bad: Counter[str]
    moved: Moved


class Prepared(NamedTuple):
    """The steps, and where each slice puts rows that go to other slices."""

    steps: list[Step]
    scratches: list[Scratch]


def prepare(job: Any, options: Any, datasets: Any, slices: int) -> Prepared:
    """Decide what becomes of each dataset, and make the writers."""
    steps: list[Step] = []
    previous: Any = datasets.previous
    bad: Any = None
    chain = chain_since(datasets.source, datasets.previous, options.length)
    for number, source in enumerate(chain):
        name = "default" if number == len(chain) - 1 else str(number)
        plan = make_plan(source, options)
        previous = _make_writer(job, plan, name, options.caption, previous)
        if plan.drops:
            bad = _make_bad_writer(job, plan, "bad" if name == "default" else f"{name}.bad", bad)
        steps.append(Step(plan, previous, bad))
    moves = any(step.plan.moves for step in steps)
    return Prepared(steps, [Scratch() for _ in range(slices if moves else 0)])


def analysis(sliceno: int, slices: int, prepare_res: Prepared) -> list[Done]:
    """Convert this slice of each dataset."""
    done = []
    for step in prepare_res.steps:
        plan = step.plan
        lines, bad = 0, Counter[str]()
        moved: Moved = {}
        for columns in _convert_slice(step, sliceno, bad):
            lines += count_rows(columns)
            if plan.moves:
                targets, scratch = _targets(columns, step, slices), prepare_res.scratches[sliceno]
                put_scattered(columns, targets, scratch, moved)
            else:
                step.writer.write_arrays(columns)
        done.append(Done(lines, bad, moved))
    return done


def synthesis(prepare_res: Prepared, analysis_res: Any) -> dict[str, Any]:
    """Write the rows that go to other slices, and return how many texts could not be converted."""
    by_slice = list(analysis_res)
    bad = Counter[str]()
    for number, step in enumerate(prepare_res.steps):
        done: list[Done] = [each[number] for each in by_slice]
        for each in done:
            bad += each.bad
        if step.plan.moves:
            _write_moved(step.writer, done, prepare_res.scratches)
    return {"lines": sum(each.lines for done in by_slice for each in done), "bad": dict(sorted(bad.items()))}


# ---- the chain and its writers


def _make_writer(job: Any, plan: Plan, name: str, caption: str, previous: Any) -> DatasetWriter:
    source = plan.source
    told: dict[str, Any] = {
        "name": name,
        "caption": caption,
        "filename": source.filename,
        "hashlabel": plan.hashlabel,
    }
    if plan.extends:
        told |= {"parent": source, "columns": dict.fromkeys(plan.left), "hashlabel_override": True}
    writer: DatasetWriter = job.datasetwriter(**told, previous=previous)
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


def _convert_slice(step: Step, sliceno: int, bad: Counter[str]) -> Iterator[dict[str, Values]]:
    """Yield the columns of a slice, a batch of rows at a time, and count the texts that are bad."""
    plan = step.plan
    first = 0
    for texts in _read(plan, sliceno):
        columns: dict[str, Values] = {new: texts[old] for new, old in plan.copied.items()}
        left_out: Mask | None = None
        for column in plan.typed:
            found = _as_bytes(texts[column.source], plan.source.columns[column.source].type)
            values, none, wrong = column.conversion.convert(found, column.none_texts)
            if wrong is not None:
                bad[column.name] += int(np.count_nonzero(wrong))
                if column.default is not NO_DEFAULT:
                    values, none = column.fill(values, none, wrong)
                elif plan.drops:
                    left_out = join_masks(left_out, wrong)
                else:
                    raise _refusal(plan, column, sliceno, first, texts, wrong)
            columns[column.name] = (values, none)
        if left_out is not None and step.bad is not None:
            rows = np.flatnonzero(left_out)
            step.bad.write_arrays({each.name: select(texts[each.source], rows) for each in plan.typed})
            rows = np.flatnonzero(~left_out)
            columns = {name: select(values, rows) for name, values in columns.items()}
        first += len(next(iter(texts.values())))
        yield columns


def _read(plan: Plan, sliceno: int) -> Iterator[dict[str, list[Any]]]:
    """Yield the values of those columns that are typed or copied, a batch of rows at a time."""
    names = list(dict.fromkeys([*(column.source for column in plan.typed), *plan.copied.values()]))
    if not names:
        return
    with opened(plan.source, sliceno, names) as readers:
        cursors = [Cursor(reader, reader.values) for reader in readers]
        for pieces in aligned(cursors, [range(plan.source.lines[sliceno])]):
            yield dict(zip(names, pieces, strict=True))


def _as_bytes(texts: list[Any], column_type: str) -> list[Any]:
    if column_type == "bytes":
        return texts
    return [None if text is None else text.encode() for text in texts]


def _refusal(
    plan: Plan, column: TypedColumn, sliceno: int, first: int, texts: Mapping[str, list[Any]], bad: Mask
) -> ColumnError:
    row = int(np.argmax(bad))
    text = texts[column.source][row]
    shown = text if isinstance(text, str) else text.decode("utf-8", "backslashreplace")
    return ColumnError(
        f"column '{column.source}' of '{plan.source.spec}', slice {sliceno}, row {first + row + 1}: "
        f"'{shown[:60]}' is no {column.conversion.name}",
        hint="none_values, defaults and filter_bad say what becomes of such a text",
    )


def _targets(columns: Mapping[str, Values], step: Step, slices: int) -> Array:
    """Return the slice that each row goes to."""
    label = step.plan.hashlabel
    assert label is not None
    return targets_of(columns[label], step.writer.columns[label].type, slices)


def _write_moved(writer: DatasetWriter, done: list[Done], scratches: list[Scratch]) -> None:
    for target in range(len(scratches)):
        writer.set_slice(target)
        for columns in take_moved(target, (each.moved for each in done), scratches):
            writer.write_arrays(columns, are_placed=True)
