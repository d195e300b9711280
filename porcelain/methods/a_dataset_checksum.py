"""A number that tells whether two datasets have the same rows."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from blake3 import blake3

from jobs.dataset.arrays import chosen_columns
from jobs.nodes.values import DotDict
from porcelain.methods.tables.chains import check_given, check_slices
from porcelain.methods.tables.columns import count_rows, read_slice
from porcelain.methods.tables.rowbytes import rows_as_bytes
from porcelain.methods.tables.scratch import Place, Scratch

version = 1

description = """A checksum of the rows of a dataset, to compare datasets across machines.

It depends on the values of the columns, in the order of their names, and on nothing else: not on how many slices there
are, on the order of the rows, on the names, or on which type holds an integer, a float or a text. Without sort it
takes less time, and slices and order count.

The sum is the BLAKE3, as an integer, of the BLAKE3 of each row in its canonical form (porcelain/methods/rowbytes.py);
with sort these are in ascending order, else as the rows are, slice after slice. Pickles count by their JSON.

Some 100 MB a slice are in memory at most, however many rows there are.
"""

options = {
    "columns": {str},  # only these
    "sort": True,  # slices and the order of rows do not count
}
datasets = ("source",)

_DIGEST_BYTES: Final = 32
# sorted together in a slice, before they go into a scratch file
ROWS_HELD: Final = 1 << 20
_BUCKETS: Final = 256  # by the first byte

Digests: TypeAlias = npt.NDArray[np.bytes_]


class Prepared(NamedTuple):
    """Which columns are summed, and where each slice puts the digests of its rows."""

    columns: list[str]
    scratches: list[Scratch]


def prepare(options: Any, datasets: Any, slices: int) -> Prepared:
    """Check the columns."""
    source = check_given(datasets.source)
    check_slices(source, slices)
    return Prepared(sorted(chosen_columns(source, options.columns)), [Scratch() for _ in range(slices)])


def analysis(sliceno: int, options: Any, datasets: Any, prepare_res: Prepared) -> dict[int, list[Place]]:
    """Return where the digests of the rows are, by their first byte; all under 0 if they are not to be sorted."""
    scratch = prepare_res.scratches[sliceno]
    places = defaultdict[int, list[Place]](list)
    for digests in _digests(datasets.source, sliceno, prepare_res.columns):
        for bucket, part in _by_first_byte(np.sort(digests)) if options.sort else [(0, digests)]:
            places[bucket].append(scratch.put(part.tobytes()))
    return dict(places)


def synthesis(options: Any, datasets: Any, prepare_res: Prepared, analysis_res: Any) -> DotDict:
    """Return and print the sum."""
    total = blake3()
    by_slice = list(analysis_res)
    for bucket in range(_BUCKETS if options.sort else 1):
        parts = [
            part
            for scratch, places in zip(prepare_res.scratches, by_slice, strict=True)
            for part in scratch.take(places.get(bucket, ()))
        ]
        digests = _joined(parts)
        total.update((np.sort(digests) if options.sort else digests).tobytes())
    print(total.hexdigest())  # noqa: T201 - what a method prints is its output
    return DotDict(
        sum=int(total.hexdigest(), 16),
        sort=options.sort,
        columns=prepare_res.columns,
        source=datasets.source,
    )


def _digests(source: Any, sliceno: int, columns: list[str]) -> Iterator[Digests]:
    """Yield the digests of the rows of a slice, many at a time."""
    types = {name: source.columns[name].type for name in columns}
    held: list[bytes] = []
    rows = 0
    for batch in read_slice(source, sliceno, columns):
        held.append(b"".join(blake3(row).digest() for row in rows_as_bytes(batch, types)))
        rows += count_rows(batch)
        if rows >= ROWS_HELD:
            yield _joined(held)
            held, rows = [], 0
    if held:
        yield _joined(held)


def _joined(parts: Iterable[bytes]) -> Digests:
    return np.frombuffer(b"".join(parts), f"S{_DIGEST_BYTES}")


def _by_first_byte(digests: Digests) -> Iterator[tuple[int, Digests]]:
    """Yield the digests, which are sorted, by their first byte."""
    first = digests.view(np.uint8)[::_DIGEST_BYTES]
    ends = np.searchsorted(first, np.arange(_BUCKETS), "right").tolist()
    for bucket, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        if end > start:
            yield bucket, digests[start:end]
