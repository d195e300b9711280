"""CSV files to datasets: prepare deals the rows out to the slices, analysis cuts them into columns."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple, NoReturn

import numpy as np

from jobs.dataset.writer import DatasetWriter
from jobs.errors import ColumnError, DatasetError, OptionError
from jobs.method.options import InputFile, InputPath, OptionDefault, RequiredOption
from porcelain.methods.csvtext.fields import make_dialect, pack_batch, split_columns
from porcelain.methods.csvtext.hands import Hands, Lines
from porcelain.methods.csvtext.labels import choose_labels, count_label_lines, split_off
from porcelain.methods.csvtext.marks import Dialect, Ints
from porcelain.methods.csvtext.rows import COMMENT, Rows, read_rows
from porcelain.methods.csvtext.stream import TextStream, open_text
from porcelain.methods.tables.scratch import Scratch
from porcelain.methods.typeplan import COLUMN_TYPES, NO_DEFAULT, TypedColumn, typed_column

version = 2

description = """Dataset from CSV files, plain, gzip or zstd.

Columns are of type bytes, or as column2type says, with the types of dataset_type. Rows are dealt out to the slices in
turn, so iterating "roundrobin" gives them in the order of the file. Quoted fields may hold separators, newlines and,
doubled, quotes.

Several files, with the same columns in any order, become one dataset, or with chain a dataset each: the last one is the
default, the others are there under their numbers, from 0.

A line with more or fewer fields than there are labels, or with text after a closing quote, fails the job; with
allow_bad such lines go into dataset "bad", with their line numbers. Lines that comment, skip_lines or
skip_empty_lines leave out go into dataset "skipped". With chain these are of the last file, and "0.bad", "0.skipped" of
the first.
"""

options = {
    "filename": RequiredOption(
        InputFile(several=True)
    ),  # relative to the input directory, or absolute; or a list
    "chain": False,  # each file becomes a dataset that follows that of the file before it
    "member": None,  # what to read in a zip file: its name, or its number from 0 on
    "separator": ",",  # one character, or none: each line is one field
    "comment": "",  # lines that begin with this character are left out
    "newline": "",  # one character; none means \n or \r\n
    "quotes": "",  # one character; True means ' and ", none means that quotes are characters like others
    "labels": [str],  # names of the columns, instead of those in the file
    "label_lines": int,  # so many lines have labels, joined by spaces; 1, or 0 when labels are given
    "label_encoding": "utf-8",  # of the labels in the file
    "strip_labels": False,  # take white space around labels away
    "rename": {"OLD": str},  # {label: label}, after stripping
    "discard": {str},  # labels of columns to leave out, after renaming
    "lineno_label": "",  # a column with this label gets the line numbers
    "allow_bad": False,  # bad lines go into dataset "bad" instead of failing the job
    "allow_extra_empty": False,  # a line may have more fields than there are labels when they are empty
    "skip_lines": 0,  # so many lines at the beginning of the file are left out
    "skip_empty_lines": False,  # lines without any character are left out
    "column2type": OptionDefault(COLUMN_TYPES, {}),  # {label: type} as for dataset_type; others are bytes
    "none_values": (str,),  # texts that are None in every typed column
    "defaults": {},  # {label: value} instead of what cannot be converted; text is converted itself
    "numeric_comma": False,  # fractions of floats and numbers follow a comma
    "timezone": str,  # datetimes are in this zone, as "Europe/Stockholm", and become UTC
}
datasets = ("previous",)

# kinds of rows, as the result names them
GOOD, BAD, SKIPPED = "lines", "broken_lines", "skipped_lines"


class Part(NamedTuple):
    """One file that is read.

    Attributes
    ----------
    name : str
        What errors call it.
    labels : list of str or None
        Of the columns in the file; None for one that is left out.
    hands : dict of str to Hands
        By kind of row, where the rows of each slice are.
    """

    name: str
    labels: list[str | None]
    hands: dict[str, Hands]


class Table(NamedTuple):
    """Files that become one dataset, and its writers by kind of row."""

    parts: list[Part]
    writers: dict[str, DatasetWriter]


class Dealt(NamedTuple):
    """What prepare leaves to analysis."""

    dialect: Dialect
    typed: dict[str, TypedColumn]
    tables: list[Table]


def prepare(job: Any, options: Any, datasets: Any, slices: int) -> Dealt:
    """Read the files and deal out their rows."""
    dialect = make_dialect(
        separator=options.separator, newline=options.newline, quotes=options.quotes, comment=options.comment
    )
    typed = {label: typed_column(label, label, options) for label in options.column2type}
    scratch = Scratch()
    tables: list[Table] = []
    previous: Any = datasets.previous
    groups = _files_of_tables(options)
    for number, files in enumerate(groups):
        parts: list[Part] = []
        for file in files:
            parts.append(
                _read_file(file, options, dialect, scratch, parts[-1].hands if parts else None, slices)
            )
            _check_labels(parts[0], parts[-1], typed)
        name = "" if number == len(groups) - 1 else str(number)
        tables.append(Table(parts, _make_writers(job, options, name, parts, typed, previous)))
        previous = tables[-1].writers[GOOD]
    return Dealt(dialect, typed, tables)


def analysis(sliceno: int, options: Any, prepare_res: Dealt) -> Counter[str]:
    """Write the rows of this slice, and return how many texts of each column became the default."""
    bad = Counter[str]()
    for table in prepare_res.tables:
        for part in table.parts:
            for columns in _read_good(part, sliceno, options, prepare_res, bad):
                table.writers[GOOD].write_arrays(columns)
            for kind in (BAD, SKIPPED):
                for batch in part.hands[kind].take(sliceno):
                    columns = {"lineno": batch.lines, "data": batch.texts}
                    if len(table.parts) > 1:
                        columns["filename"] = [part.name] * len(batch.texts)
                    table.writers[kind].write_arrays(columns)
    return bad


def synthesis(slices: int, options: Any, prepare_res: Dealt, analysis_res: Any) -> dict[str, Any]:
    """Return how many lines of each kind there are, and how many texts became the default."""
    counts: dict[str, Any] = {}
    parts = [part for table in prepare_res.tables for part in table.parts]
    for kind in (GOOD, BAD, SKIPPED):
        lines = [sum(part.hands[kind].lines[sliceno] for part in parts) for sliceno in range(slices)]
        counts[f"num_{kind}"] = sum(lines)
        counts[f"{kind}_per_slice"] = lines
    if options.column2type:
        counts["bad"] = dict(sorted(sum(analysis_res, Counter[str]()).items()))
    return counts


# ---- files


def _files_of_tables(options: Any) -> list[list[InputPath]]:
    """Return the files of each dataset."""
    files = options.filename if isinstance(options.filename, list) else [options.filename]
    if not files:
        raise OptionError("option 'filename' is an empty list", hint="it names the files to import")
    if options.member is not None and len(files) > 1:
        raise OptionError("option 'member' is for one zip file", hint="csvimport_zip reads all its members")
    return [[file] for file in files] if options.chain else [files]


def _read_file(
    file: InputPath,
    options: Any,
    dialect: Dialect,
    scratch: Scratch,
    before: Mapping[str, Hands] | None,
    slices: int,
) -> Part:
    """Deal out the rows of a file; `before`: those of the file before it in the same dataset."""
    packs: dict[str, Callable[..., Any]] = {GOOD: partial(pack_batch, dialect), BAD: Lines, SKIPPED: Lines}
    hands = {
        kind: Hands(scratch, slices, pack, before[kind].dealt if before else 0)
        for kind, pack in packs.items()
    }
    with open_text(file, options.member) as stream:
        skipped = stream.read_lines(options.skip_lines, dialect)
        hands[SKIPPED].deal(np.arange(len(skipped)) + 1, skipped)
        blocks = read_rows(stream, dialect, name=stream.name, line=len(skipped) + 1)
        blocks = _leave_out(blocks, hands[SKIPPED], empty=options.skip_empty_lines)
        label_rows, blocks = split_off(blocks, count_label_lines(options))
        labels = choose_labels(label_rows, options, stream.name)
        for rows in blocks:
            _deal_rows(rows, len(labels), options, hands, stream)
    return Part(stream.name, labels, hands)


def _check_labels(first: Part, other: Part, typed: Mapping[str, TypedColumn]) -> None:
    missing = [label for label in typed if label not in other.labels]
    if missing:
        raise OptionError(f"'{other.name}' has no column '{missing[0]}', which is in column2type")
    mine, theirs = (set(part.labels) - {None} for part in (first, other))
    for label in sorted(mine ^ theirs, key=str):
        has, lacks = (first, other) if label in mine else (other, first)
        raise DatasetError(
            f"'{has.name}' has a column '{label}', and '{lacks.name}' has none",
            hint="chain=True makes a dataset of each file",
        )


# ---- rows


def _read_good(
    part: Part, sliceno: int, options: Any, dealt: Dealt, bad: Counter[str]
) -> Iterator[dict[str, Any]]:
    """Yield the columns of a slice, a batch at a time, and count the texts that become the default."""
    for batch in part.hands[GOOD].take(sliceno):
        fields = split_columns(batch, len(part.labels), dealt.dialect)
        columns: dict[str, Any] = {
            label: values for label, values in zip(part.labels, fields, strict=True) if label is not None
        }
        for label, column in dealt.typed.items():
            columns[label] = _convert(column, columns[label], part.name, batch.lines, bad)
        if options.lineno_label:
            columns[options.lineno_label] = batch.lines
        yield columns


def _convert(
    column: TypedColumn, texts: list[bytes], name: str, lines: Ints, bad: Counter[str]
) -> tuple[Any, Any]:
    """Return the values of texts and which are None."""
    values, none, wrong = column.conversion.convert(texts, column.none_texts)
    if wrong is None:
        return values, none
    if column.default is NO_DEFAULT:
        row = int(np.argmax(wrong))
        shown = texts[row].decode("utf-8", "backslashreplace")[:60]
        raise ColumnError(
            f"line {lines[row]} of '{name}', column '{column.name}': '{shown}' is no {column.conversion.name}",
            hint="none_values and defaults say what becomes of such a text; dataset_type can leave the row out",
        )
    bad[column.name] += int(np.count_nonzero(wrong))
    return column.fill(values, none, wrong)


def _leave_out(blocks: Iterator[Rows], hands: Hands, *, empty: bool) -> Iterator[Rows]:
    """Yield the rows but for comments and, if so wished, empty ones, which are dealt here."""
    for rows in blocks:
        left_out = rows.counts == COMMENT
        if empty:
            left_out |= rows.starts == rows.ends
        if left_out.any():
            _deal_texts(rows.where(left_out), hands)
            yield rows.where(~left_out)
        else:
            yield rows


def _deal_texts(rows: Rows, hands: Hands) -> None:
    hands.deal(rows.lines, rows.raw())


def _deal_rows(rows: Rows, width: int, options: Any, hands: Mapping[str, Hands], stream: TextStream) -> None:
    if options.allow_extra_empty:
        rows = rows.without_extra(width)
    good = rows.counts == width
    if not good.all():
        if not options.allow_bad:
            _refuse(rows, int(np.argmin(good)), width, stream.name)
        _deal_texts(rows.where(~good), hands[BAD])
        rows = rows.where(good)
    fields = {row: fields for row, fields in rows.odd.items() if not isinstance(fields, str)}
    hands[GOOD].deal(rows.lines, rows.raw(), fields)


def _refuse(rows: Rows, row: int, width: int, name: str) -> NoReturn:
    fields = rows.fields(row)
    what = fields if isinstance(fields, str) else f"{_counted(len(fields))} instead of {width}"
    raise DatasetError(
        f"line {rows.lines[row]} of '{name}' has {what}",
        hint="allow_bad=True puts such lines into dataset 'bad'",
    )


def _counted(fields: int) -> str:
    return "1 field" if fields == 1 else f"{fields} fields"


# ---- datasets


def _make_writers(
    job: Any,
    options: Any,
    name: str,
    parts: Sequence[Part],
    typed: Mapping[str, TypedColumn],
    previous: Any,
) -> dict[str, DatasetWriter]:
    """Return the writers of a dataset, and of those of its bad and skipped lines, by kind of row."""
    several = len(parts) > 1
    source = f"csvimport of {parts[0].name}" + (f" and {len(parts) - 1} more" if several else "")
    told = {"filename": None if several else parts[0].name}
    writers = {GOOD: job.datasetwriter(name=name, caption=source, previous=previous, **told)}
    for label in [label for label in parts[0].labels if label is not None]:
        column = typed.get(label)
        if column is None:
            writers[GOOD].add(label, "bytes")
        else:
            writers[GOOD].add(label, column.conversion.type, none_support=column.none_support)
    if options.lineno_label:
        writers[GOOD].add(options.lineno_label, "int64")
    kinds = {BAD: "bad"} if options.allow_bad else {}
    if options.comment or options.skip_lines or options.skip_empty_lines:
        kinds[SKIPPED] = "skipped"
    for kind, word in kinds.items():
        full = f"{name}.{word}" if name else word
        writers[kind] = job.datasetwriter(name=full, caption=f"{word} lines from {source}", **told)
        _add_line_columns(writers[kind], several=several)
    return writers


def _add_line_columns(writer: DatasetWriter, *, several: bool) -> None:
    writer.add("lineno", "int64")
    writer.add("data", "bytes")
    if several:
        writer.add("filename", "unicode")
