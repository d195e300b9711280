"""Datasets to CSV: analysis makes text of each slice, synthesis puts the slices together."""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from jobs.dataset.arrays import Cursor, aligned, opened
from jobs.dataset.dataset import Dataset
from jobs.errors import DatasetError
from porcelain.methods.exports import find_sources, name_of_slice
from porcelain.methods.tables.scratch import Place, Scratch
from porcelain.methods.valuetexts import format_of, none_text, same

version = 1

description = """CSV file of a dataset, or of several one after another.

The rows come slice by slice, in each slice dataset by dataset. Columns of bytes are written as they are, all other text
in UTF-8. Without quote_fields a value that has a separator in it fails the job, for nobody could read the file.
"""

options = {
    "filename": "result.csv",  # one that ends in .gz, or has .gz. in it, is compressed
    "separator": ",",
    "line_separator": "\n",
    "labelsonfirstline": True,  # begin with the names of the columns
    "chain_source": False,  # take all datasets of each source's chain, from the source of previous on
    "quote_fields": "",  # put these around values, as '"'; quotes in a value are doubled
    "lazy_quotes": True,  # only around values that need them
    "none_as": None,  # what None becomes, a text or {column: text}; otherwise None, and null in json columns
    "labels": [str],  # which columns, in this order; all in sorted order when not given
    "sliced": False,  # a file for each slice: filename has a %d, or gets the number at its end
}
datasets = (["source"],)
jobs = ("previous",)

_BREAKS: Final = ("\n", "\r")
_QUOTES: Final = ("'", '"')


class Prepared(NamedTuple):
    """What analysis needs."""

    sources: list[Dataset]
    labels: list[str]
    scratches: list[Scratch]


def prepare(options: Any, datasets: Any, jobs: Any, slices: int) -> Prepared:
    """Choose datasets and columns."""
    sources = find_sources(datasets.source, jobs.previous, chain=options.chain_source)
    labels = list(options.labels) or sorted(sources[0].columns)
    for source in sources:
        for label in labels:
            source.get_column_node(label)
            if source.columns[label].type == "pickle":
                raise DatasetError(f"column '{label}' of '{source.spec}' is pickle, which CSV cannot hold")
    return Prepared(sources, labels, [] if options.sliced else [Scratch() for _ in range(slices)])


def analysis(job: Any, sliceno: int, options: Any, prepare_res: Prepared) -> list[Place]:
    """Make the text of this slice; return where it lies when it is not a file of its own."""
    lines = _Lines(options, prepare_res.labels)
    pieces = _compressed(lines.of_slice(prepare_res.sources, sliceno), options.filename)
    if not options.sliced:
        return [prepare_res.scratches[sliceno].put(piece) for piece in pieces]
    with job.open(name_of_slice(options.filename, sliceno, "part-%02d.csv"), "wb") as file:
        file.writelines(_compressed(lines.head(), options.filename))
        file.writelines(pieces)
    return []


def synthesis(job: Any, options: Any, prepare_res: Prepared, analysis_res: Any) -> None:
    """Put the slices together."""
    if options.sliced:
        return
    with job.open(options.filename, "wb") as file:
        file.writelines(_compressed(_Lines(options, prepare_res.labels).head(), options.filename))
        for scratch, places in zip(prepare_res.scratches, analysis_res, strict=True):
            file.writelines(scratch.take(places))


# ---- text


def _compressed(pieces: Iterable[bytes], filename: str) -> Iterator[bytes]:
    """Yield the pieces, as one member of a gzip file if the file's name says so; gzip files can be joined."""
    if not (filename.endswith(".gz") or ".gz." in filename):
        yield from pieces
        return
    # the header of zlib has neither time nor name, so equal text makes equal files
    gzip = zlib.compressobj(wbits=31)
    for piece in pieces:
        yield gzip.compress(piece)
    yield gzip.flush()


# ---- rows to lines


class _Lines:
    """Makes lines of rows, as the options say."""

    def __init__(self, options: Any, labels: Sequence[str]) -> None:
        self._labels = labels
        self._options = options
        quote = '"' if options.quote_fields == "True" else options.quote_fields
        self._quote: str = "" if quote == "False" else quote
        # one column has no separators
        self._separator: str = options.separator if len(labels) > 1 else ""
        self._parts = [part for part in (self._separator, options.line_separator) if part]
        self._always = bool(self._quote) and (
            not options.lazy_quotes or (len(labels) > 1 and not self._separator)
        )

    def head(self) -> Iterator[bytes]:
        """Yield the line of labels, if there is to be one."""
        if self._options.labelsonfirstline:
            yield self._join([self._quoted(label, [label]) for label in self._labels])

    def of_slice(self, sources: Sequence[Dataset], sliceno: int) -> Iterator[bytes]:
        """Yield the lines of a slice of all datasets, many at a time."""
        for source in sources:
            texts = [self._texts_of(source, label) for label in self._labels]
            with opened(source, sliceno, self._labels) as readers:
                cursors = [Cursor(reader, reader.values) for reader in readers]
                for pieces in aligned(cursors, [range(source.lines[sliceno])]):
                    yield self._join([make(values) for make, values in zip(texts, pieces, strict=True)])

    def _join(self, columns: Sequence[Sequence[str]]) -> bytes:
        end: str = self._options.line_separator
        lines = map(self._separator.join, zip(*columns, strict=True))
        return (end.join(lines) + end).encode("utf-8", "surrogateescape")

    def _texts_of(self, source: Dataset, label: str) -> Callable[[list[Any]], Sequence[str]]:
        """Return a function that makes the texts of values of a column."""
        column = source.columns[label]
        form = format_of(column.type)
        none = self._none_text(label, column.type)
        # a json column holds None as a value, and writes it in its own way
        may_be_none = column.none_support or column.type == "json"

        def texts(values: list[Any]) -> Sequence[str]:
            if may_be_none and None in values:
                return self._quoted(label, [none if value is None else form(value) for value in values])
            return self._quoted(label, values if form is same else list(map(form, values)))

        return texts

    def _none_text(self, label: str, column_type: str) -> str:
        none_as = self._options.none_as
        usual = none_text(column_type)
        if isinstance(none_as, Mapping):
            return str(none_as.get(label, usual))
        return usual if none_as is None else str(none_as)

    def _quoted(self, label: str, texts: list[str]) -> list[str]:
        joined = "".join(texts)
        if not self._quote:
            for part in self._parts:
                if part in joined and any(part in text for text in texts):
                    raise DatasetError(
                        f"column '{label}' has values with {part!r} in them",
                        hint="quote_fields='\"' puts quotes around such values",
                    )
            return texts
        if self._always:
            return [self._in_quotes(text) for text in texts]
        special = [*self._parts, *_BREAKS, *_QUOTES, self._quote]
        if not any(part in joined for part in special):
            return texts
        # a set of characters is found twice as fast as one of several texts
        characters = "".join(part for part in special if len(part) == 1)
        texts_sought = [f"[{re.escape(characters)}]", *(re.escape(part) for part in special if len(part) > 1)]
        needs_quotes = re.compile("|".join(texts_sought)).search
        return [self._in_quotes(text) if needs_quotes(text) else text for text in texts]

    def _in_quotes(self, text: str) -> str:
        return self._quote + text.replace(self._quote, self._quote * 2) + self._quote
