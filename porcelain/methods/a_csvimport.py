"""CSV files to datasets: prepare cuts the rows into columns and deals them out, analysis writes those of its slice."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from cas.threads import usable_cores
from jobs.column.packed import PackedTexts
from jobs.dataset.writer import DatasetWriter
from jobs.errors import DatasetError, OptionError
from jobs.method.options import InputFile, InputPath, OptionDefault, RequiredOption
from porcelain.methods.csvtext.blocks import Blocks
from porcelain.methods.csvtext.choice import choose_types
from porcelain.methods.csvtext.dialect import make_dialect
from porcelain.methods.csvtext.hands import Hands
from porcelain.methods.csvtext.intake import BAD, GOOD, SKIPPED, Intake
from porcelain.methods.csvtext.labels import choose_labels, count_label_lines, read_head
from porcelain.methods.csvtext.stream import open_text
from porcelain.methods.tables.parallel import in_each
from porcelain.methods.tables.scratch import Scratch
from porcelain.methods.typeplan import COLUMN_TYPES, TypedColumn, typed_column

version = 4

description = """Dataset from CSV files, plain, gzip or zstd.

Columns are of type bytes, or as column2type says, with the types of dataset_type; with types="auto" the first rows of a
file say of what type the others are. Rows are dealt out to the slices in turn, so iterating "roundrobin" gives them in
the order of the file. Quoted fields may hold separators, newlines and, doubled, quotes.

Several files, with the same columns in any order, become one dataset, or with chain a dataset each: the last one is the
default, the others are there under their numbers, from 0.

A line with more or fewer fields than there are labels, or with text after a closing quote, fails the job; with
allow_bad such lines go into dataset "bad", with their line numbers. So do, with filter_bad, lines with a text that is
not of its column's type. Lines that comment, skip_lines or
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
    "types": "",  # "auto": columns that column2type does not name get types that their first texts fit
    "none_values": (str,),  # texts that are None in every typed column
    "defaults": {},  # {label: value} instead of what cannot be converted; text is converted itself
    "filter_bad": False,  # lines with a text that cannot be converted go into dataset "bad"
    "numeric_comma": False,  # fractions of floats and numbers follow a comma
    "timezone": str,  # datetimes are in this zone, as "Europe/Stockholm", and become UTC
    "compression": 6,  # taken from programs that give it: what is stored is zstd, of one level
}
datasets = ("previous",)


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
    bad : Counter of str
        How many texts of each column could not be converted.
    """

    name: str
    labels: list[str | None]
    hands: dict[str, Hands]
    bad: Counter[str]


class Table(NamedTuple):
    """Files that become one dataset, and its writers by kind of row."""

    parts: list[Part]
    writers: dict[str, DatasetWriter]


class Prepared(NamedTuple):
    """What prepare leaves to the others.

    Attributes
    ----------
    tables : list of Table
        The datasets.
    scratches : list of Scratch
        The files that have the rows.
    types : dict of str to str
        By label, the types that types="auto" chose.
    """

    tables: list[Table]
    scratches: Sequence[Scratch]
    types: dict[str, str]


def prepare(job: Any, options: Any, datasets: Any, slices: int) -> Prepared:
    """Read the files and deal out their rows."""
    if options.types not in ("", "auto"):
        raise OptionError(f"option 'types' is 'auto' or nothing, not '{options.types}'")
    dialect = make_dialect(
        separator=options.separator, newline=options.newline, quotes=options.quotes, comment=options.comment
    )
    typed = {label: typed_column(label, label, options) for label in options.column2type}
    intake = Intake(options, dialect, typed, slices, [Scratch() for _ in range(usable_cores())])
    tables: list[Table] = []
    previous: Any = datasets.previous
    groups = _files_of_tables(options)
    for number, files in enumerate(groups):
        parts: list[Part] = []
        for file in files:
            parts.append(_read_file(file, intake, parts))
        name = "" if number == len(groups) - 1 else str(number)
        tables.append(Table(parts, _make_writers(job, options, name, parts, typed, previous)))
        previous = tables[-1].writers[GOOD]
    types = {label: typed[label].conversion.name for label in typed.keys() - options.column2type.keys()}
    return Prepared(tables, intake.scratches, types)


def analysis(sliceno: int, options: Any, prepare_res: Prepared) -> None:
    """Write the rows of this slice."""
    for table in prepare_res.tables:
        for part in table.parts:
            for kind, hands in part.hands.items():
                for lines, columns in hands.take(sliceno, prepare_res.scratches):
                    label = options.lineno_label if kind == GOOD else "lineno"
                    if label:
                        columns[label] += lines
                    if kind != GOOD and len(table.parts) > 1:
                        columns["filename"] = [part.name] * len(columns["lineno"])
                    table.writers[kind].write_arrays(columns)


def synthesis(slices: int, options: Any, prepare_res: Prepared) -> dict[str, Any]:
    """Return how many lines of each kind there are, how many texts of each column were bad, and types chosen."""
    counts: dict[str, Any] = {}
    parts = [part for table in prepare_res.tables for part in table.parts]
    for kind in (GOOD, BAD, SKIPPED):
        lines = [sum(part.hands[kind].count(sliceno) for part in parts) for sliceno in range(slices)]
        counts[f"num_{kind}"] = sum(lines)
        counts[f"{kind}_per_slice"] = lines
    if options.types:
        counts["types"] = dict(sorted(prepare_res.types.items()))
    if options.column2type or options.types:
        bad = sum((part.bad for part in parts), Counter[str]())
        counts["bad"] = dict(sorted(bad.items()))
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


def _read_file(file: InputPath, intake: Intake, before: list[Part]) -> Part:
    """Deal out the rows of a file; `before`: the files before it in the same dataset."""
    options, dialect = intake.options, intake.dialect
    hands = {
        kind: Hands(intake.slices, before[-1].hands[kind].dealt if before else 0)
        for kind in (GOOD, BAD, SKIPPED)
    }
    with open_text(file, options.member) as stream:
        first = PackedTexts.of(stream.read_lines(options.skip_lines, dialect), are_bytes=True)
        hands[SKIPPED].add(intake.skip(np.arange(1, len(first) + 1), first.spans))
        blocks = Blocks(stream, dialect, stream.name, len(first))
        label_rows = []
        wanted, skip_empty = count_label_lines(options), options.skip_empty_lines
        for lines, rows, left_out in read_head(blocks, dialect, wanted, skip_empty=skip_empty):
            label_rows += [rows.get(row) for row in np.flatnonzero(~left_out).tolist()]
            skipped = rows.where(left_out)
            hands[SKIPPED].add(intake.skip(skipped.lines, skipped.raw()), lines)
        part = Part(stream.name, choose_labels(label_rows, options, stream.name), hands, Counter())
        _check_labels(before[0] if before else part, part, options.column2type)
        if options.types:
            untyped = [label for label in part.labels if label is not None and label not in intake.typed]
            intake.typed.update(choose_types(blocks, dialect, part.labels, untyped, options))
        run = partial(in_each, noun=f"a part of '{stream.name}', part")
        for lines, taken in blocks.read(replace(intake, labels=part.labels), run):
            part.bad.update(taken.bad)
            for kind, piece in taken.pieces:
                hands[kind].add(piece, lines)
    return part


def _check_labels(first: Part, other: Part, typed: Iterable[str]) -> None:
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
    kinds = {BAD: "bad"} if options.allow_bad or options.filter_bad else {}
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
