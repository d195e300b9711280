"""Datasets to CSV: analysis makes text of each slice, synthesis puts the slices together."""

import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial
from itertools import chain
from typing import Any, Final, NamedTuple

from cas.oid import Buffer
from jobs.column.packed import PackedTexts, Spans
from jobs.column.words import Bytes
from jobs.dataset.arrays import Cursor, aligned, opened
from jobs.dataset.dataset import Dataset
from jobs.errors import DatasetError, OptionError
from porcelain.methods.csvtext.digits import overlaid
from porcelain.methods.csvtext.lines import lines
from porcelain.methods.csvtext.quoting import Quoting, encode
from porcelain.methods.csvtext.texts import ALPHABET, Rows, reader_of, texts_of
from porcelain.methods.exports import find_sources, name_of_slice
from porcelain.methods.valuetexts import none_text

version = 2

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
    "compression": 6,  # of gzip: from 1, the quickest, to 9, the smallest; 0 is none
}
datasets = (["source"],)
jobs = ("previous",)

# rows that are written together: what is made of them on the way fits into the cache, and of wide ones into 50 MB
_BLOCK_ROWS: Final = 8192
_BLOCK_VALUES: Final = 1 << 19
_PIECE_BYTES: Final = 1 << 20
_PART: Final = "csvexport.%d.part"


class Prepared(NamedTuple):
    """What analysis needs."""

    sources: list[Dataset]
    labels: list[str]


def prepare(options: Any, datasets: Any, jobs: Any) -> Prepared:
    """Choose datasets and columns."""
    if options.compression not in range(10):
        raise OptionError(f"option 'compression' is from 0 to 9, not {options.compression}")
    sources = find_sources(datasets.source, jobs.previous, chain=options.chain_source)
    labels = list(options.labels) or sorted(sources[0].columns)
    for source in sources:
        for label in labels:
            source.get_column_node(label)
            if source.columns[label].type == "pickle":
                raise DatasetError(f"column '{label}' of '{source.spec}' is pickle, which CSV cannot hold")
    return Prepared(sources, labels)


def analysis(job: Any, sliceno: int, options: Any, prepare_res: Prepared) -> None:
    """Make the text of this slice: a file of its own, or one that synthesis reads."""
    of_rows = _Lines(options, prepare_res.labels)
    texts = _compressed(of_rows.of_slice(prepare_res.sources, sliceno), options)
    if options.sliced:
        head = _compressed(of_rows.head(), options)
        job.save_pieces(chain(head, texts), name_of_slice(options.filename, sliceno, "part-%02d.csv"))
        return
    # not into the store yet: the file is one object, whose id is made of the slices in order
    with job.open(_PART, "wb", sliceno, temp=True) as file:
        file.writelines(texts)


def synthesis(job: Any, options: Any, prepare_res: Prepared, slices: int) -> None:
    """Put the slices together."""
    if not options.sliced:
        head = _compressed(_Lines(options, prepare_res.labels).head(), options)
        job.save_pieces(chain(head, *(_part(job, number) for number in range(slices))), options.filename)


def _part(job: Any, sliceno: int) -> Iterator[bytes]:
    with job.open(_PART, "rb", sliceno) as file:
        yield from iter(partial(file.read, _PIECE_BYTES), b"")


# ---- text


def _compressed(pieces: Iterable[Bytes], options: Any) -> Iterator[Buffer]:
    """Yield the pieces, as one member of a gzip file if the file's name says so; gzip files can be joined."""
    if not (options.filename.endswith(".gz") or ".gz." in options.filename):
        yield from (piece.data for piece in pieces)
        return
    # the header of zlib has neither time nor name, so equal text makes equal files
    gzip = zlib.compressobj(options.compression, wbits=31)
    for piece in pieces:
        yield gzip.compress(piece.data)
    yield gzip.flush()


# ---- rows to lines


class _Lines:
    """Makes lines of rows, as the options say."""

    def __init__(self, options: Any, labels: Sequence[str]) -> None:
        self._labels = labels
        self._options = options
        quote = '"' if options.quote_fields == "True" else options.quote_fields
        # one column has no separators
        separator: str = options.separator if len(labels) > 1 else ""
        always = not options.lazy_quotes or (len(labels) > 1 and not separator)
        self._quoting = Quoting(
            "" if quote == "False" else quote, separator, options.line_separator, always=always
        )
        self._around = self._quoting.around(len(labels))

    def head(self) -> Iterator[Bytes]:
        """Yield the line of labels, if there is to be one."""
        if self._options.labelsonfirstline:
            yield lines([self._one(label, label) for label in self._labels], self._around)

    def of_slice(self, sources: Sequence[Dataset], sliceno: int) -> Iterator[Bytes]:
        """Yield the lines of a slice of all datasets, many at a time."""
        for source in sources:
            types = [source.columns[label].type for label in self._labels]
            with opened(source, sliceno, self._labels) as readers:
                cursors = [
                    Cursor(reader, partial(reader_of(each), reader))
                    for reader, each in zip(readers, types, strict=True)
                ]
                for pieces in aligned(cursors, _blocks(source.lines[sliceno], len(types))):
                    columns = map(self._written, self._labels, types, pieces)
                    yield lines(list(columns), self._around)

    def _written(self, label: str, column_type: str, rows: Rows) -> Spans:
        """Return what is written for values of a column."""
        texts = texts_of(column_type, rows)
        if isinstance(texts, Spans) and self._quoting.concerns(ALPHABET):
            texts = texts.pack()
        spans = self._quoting.written(label, texts) if isinstance(texts, PackedTexts) else texts
        if rows.none is None:
            return spans
        return overlaid(spans, rows.none, self._one(label, self._none_text(label, column_type)))

    def _one(self, label: str, text: str) -> Spans:
        return self._quoting.written(label, PackedTexts.of([encode(text)], are_bytes=True))

    def _none_text(self, label: str, column_type: str) -> str:
        none_as = self._options.none_as
        usual = none_text(column_type)
        if isinstance(none_as, Mapping):
            return str(none_as.get(label, usual))
        return usual if none_as is None else str(none_as)


def _blocks(rows: int, columns: int) -> Iterator[range]:
    size = max(min(_BLOCK_ROWS, _BLOCK_VALUES // columns), 1)
    return (range(start, min(start + size, rows)) for start in range(0, rows, size))
