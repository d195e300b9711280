"""CSV file to dataset: prepare deals the rows out to the slices, analysis cuts them into columns."""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from types import MappingProxyType
from typing import Any, Final, NamedTuple, NoReturn

import numpy as np

from jobs.dataset.writer import DatasetWriter
from jobs.errors import DatasetError
from jobs.method.options import InputFile, RequiredOption
from porcelain.methods.csvmarks import Dialect, Ints
from porcelain.methods.csvread import TextStream, make_dialect, pack_batch, split_columns
from porcelain.methods.csvrows import COMMENT, Rows, read_rows
from porcelain.methods.scratch import Place, Scratch

version = 1

description = """Dataset from a CSV file, plain or gzip.

Every column is of type bytes; dataset_type gives them others. Rows are dealt out to the slices in turn, so iterating
"roundrobin" gives them in the order of the file. Quoted fields may hold separators, newlines and, doubled, quotes.

A line with more or fewer fields than there are labels, or with text after a closing quote, fails the job; with
allow_bad such lines go into dataset "bad", with their line numbers. Lines that comment, skip_lines or
skip_empty_lines leave out go into dataset "skipped".
"""

options = {
    "filename": RequiredOption(InputFile()),  # relative to the input directory, or absolute
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
}
datasets = ("previous",)

# kinds of rows, as the result names them
GOOD, BAD, SKIPPED = "lines", "broken_lines", "skipped_lines"
NOTHING_ODD: Final[Mapping[int, list[bytes]]] = MappingProxyType({})


class Dealt(NamedTuple):
    """What prepare leaves to analysis.

    Attributes
    ----------
    labels : list of str or None
        Of the columns in the file; None for one that is left out.
    writers : dict of str to DatasetWriter
        By kind of row.
    hands : dict of str to _Hands
        By kind of row, where the rows of each slice are.
    """

    dialect: Dialect
    labels: list[str | None]
    writers: dict[str, DatasetWriter]
    hands: dict[str, "_Hands"]


def prepare(job: Any, options: Any, datasets: Any, slices: int) -> Dealt:
    """Read the file and deal out its rows."""
    dialect = make_dialect(
        separator=options.separator, newline=options.newline, quotes=options.quotes, comment=options.comment
    )
    scratch = Scratch()
    packs: dict[str, Callable[..., Any]] = {GOOD: partial(pack_batch, dialect), BAD: _Lines, SKIPPED: _Lines}
    hands = {kind: _Hands(scratch, slices, pack) for kind, pack in packs.items()}
    with options.filename.open("rb") as file:
        stream = TextStream(file, options.filename)
        skipped = stream.read_lines(options.skip_lines, dialect)
        hands[SKIPPED].deal(np.arange(len(skipped)) + 1, skipped)
        blocks = read_rows(stream, dialect, line=len(skipped) + 1)
        blocks = _leave_out(blocks, hands[SKIPPED], empty=options.skip_empty_lines)
        label_rows, blocks = _split_off(blocks, _count_label_lines(options))
        labels = _choose_labels(label_rows, options)
        writers = _make_writers(job, options, datasets.previous, labels)
        for rows in blocks:
            _deal_rows(rows, len(labels), options, hands)
    return Dealt(dialect, labels, writers, hands)


def analysis(sliceno: int, options: Any, prepare_res: Dealt) -> None:
    """Write the rows of this slice."""
    for batch in prepare_res.hands[GOOD].take(sliceno):
        fields = split_columns(batch, len(prepare_res.labels), prepare_res.dialect)
        columns: dict[str, Any] = {
            label: values
            for label, values in zip(prepare_res.labels, fields, strict=True)
            if label is not None
        }
        if options.lineno_label:
            columns[options.lineno_label] = batch.lines
        prepare_res.writers[GOOD].write_arrays(columns)
    for kind in (BAD, SKIPPED):
        for batch in prepare_res.hands[kind].take(sliceno):
            prepare_res.writers[kind].write_arrays({"lineno": batch.lines, "data": batch.texts})


def synthesis(slices: int, prepare_res: Dealt) -> dict[str, Any]:
    """Return how many lines of each kind there are."""
    counts: dict[str, Any] = {}
    for kind, hands in prepare_res.hands.items():
        counts[f"num_{kind}"] = hands.dealt
        counts[f"{kind}_per_slice"] = [len(range(sliceno, hands.dealt, slices)) for sliceno in range(slices)]
    return counts


# ---- rows


class _Lines(NamedTuple):
    """Rows that are kept as they are: bad ones, and those that are left out."""

    lines: Ints
    texts: list[bytes]
    odd: Mapping[int, list[bytes]]


class _Hands:
    """Rows of one kind, dealt out to the slices in turn.

    Parameters
    ----------
    pack : callable
        Makes a batch of the lines, texts and odd fields of some rows of one slice.
    """

    def __init__(self, scratch: Scratch, slices: int, pack: Callable[..., Any]) -> None:
        self._scratch = scratch
        self._pack = pack
        self._places: list[list[Place]] = [[] for _ in range(slices)]
        self.dealt = 0

    def deal(self, lines: Ints, texts: Sequence[bytes], odd: Mapping[int, list[bytes]] = NOTHING_ODD) -> None:
        """Deal rows, given with the numbers of their lines; `odd` are fields that the texts do not give."""
        slices = len(self._places)
        for sliceno, places in enumerate(self._places):
            first = (sliceno - self.dealt) % slices
            mine = texts[first::slices]
            if mine:
                my_odd = {row // slices: fields for row, fields in odd.items() if row % slices == first}
                places.append(self._scratch.put(self._pack(lines[first::slices], mine, my_odd)))
        self.dealt += len(texts)

    def take(self, sliceno: int) -> Iterator[Any]:
        """Yield the batches of a slice."""
        return self._scratch.take(self._places[sliceno])


def _leave_out(blocks: Iterator[Rows], hands: _Hands, *, empty: bool) -> Iterator[Rows]:
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


def _deal_texts(rows: Rows, hands: _Hands) -> None:
    hands.deal(rows.lines, rows.raw())


def _deal_rows(rows: Rows, width: int, options: Any, hands: Mapping[str, _Hands]) -> None:
    if options.allow_extra_empty:
        rows = rows.without_extra(width)
    good = rows.counts == width
    if not good.all():
        if not options.allow_bad:
            _refuse(rows, int(np.argmin(good)), width, options.filename)
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


# ---- labels


def _count_label_lines(options: Any) -> int:
    if options.label_lines is None:
        return 0 if options.labels else 1
    return int(options.label_lines)


def _split_off(blocks: Iterator[Rows], count: int) -> tuple[list[list[bytes] | str], Iterator[Rows]]:
    """Return the fields of the first `count` rows, and the rows after these."""
    fields: list[list[bytes] | str] = []
    if not count:
        return fields, blocks
    for rows in blocks:
        here = np.arange(len(rows)) < count - len(fields)
        fields += map(rows.fields, np.flatnonzero(here).tolist())
        if len(fields) == count:
            return fields, chain([rows.where(~here)], blocks)
    return fields, iter(())


def _choose_labels(rows: Sequence[list[bytes] | str], options: Any) -> list[str | None]:
    """Return the label of each column in the file, None for those to be discarded."""
    labels = list(options.labels) or _read_labels(rows, options)
    if options.strip_labels:
        labels = [label.strip() for label in labels]
    chosen = [options.rename.get(label, label) for label in labels]
    chosen = [None if label in options.discard else label for label in chosen]
    kept = [label for label in [*chosen, options.lineno_label or None] if label is not None]
    for label, times in Counter(kept).items():
        if times > 1:
            raise DatasetError(
                f"'{options.filename}' has {times} columns '{label}'",
                hint="'labels' gives them other names, 'discard' leaves them out",
            )
    return chosen


def _read_labels(rows: Sequence[list[bytes] | str], options: Any) -> list[str]:
    broken = [row for row in rows if isinstance(row, str)]
    whole = [row for row in rows if not isinstance(row, str)]
    if broken:
        raise DatasetError(f"'{options.filename}' has {broken[0]} among the labels")
    if not whole:
        raise DatasetError(f"'{options.filename}' has no labels", hint="labels=[...] names the columns")
    if len({len(row) for row in whole}) > 1:
        raise DatasetError(f"'{options.filename}' has lines of labels with different numbers of fields")
    try:
        return [b" ".join(parts).decode(options.label_encoding) for parts in zip(*whole, strict=True)]
    except (UnicodeDecodeError, LookupError) as err:
        raise DatasetError(
            f"labels of '{options.filename}' that are no {options.label_encoding}", hint="see label_encoding"
        ) from err


# ---- datasets


def _make_writers(
    job: Any, options: Any, previous: Any, labels: Sequence[str | None]
) -> dict[str, DatasetWriter]:
    source = f"csvimport of {options.filename}"
    writers = {GOOD: job.datasetwriter(filename=str(options.filename), caption=source, previous=previous)}
    for label in labels:
        if label is not None:
            writers[GOOD].add(label, "bytes")
    if options.lineno_label:
        writers[GOOD].add(options.lineno_label, "int64")
    if options.allow_bad:
        writers[BAD] = _make_line_writer(job, options, "bad", f"bad lines from {source}")
    if options.comment or options.skip_lines or options.skip_empty_lines:
        writers[SKIPPED] = _make_line_writer(job, options, "skipped", f"skipped lines from {source}")
    return writers


def _make_line_writer(job: Any, options: Any, name: str, caption: str) -> DatasetWriter:
    writer: DatasetWriter = job.datasetwriter(name=name, filename=str(options.filename), caption=caption)
    writer.add("lineno", "int64")
    writer.add("data", "bytes")
    return writer
