"""The log of a remote: numbered transactions, each created once and never changed, and files that tell of many.

Notes
-----
Source: docs/reference/formats/remote.md.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Final, NamedTuple

from cas.errors import CorruptObject, CorruptRemote
from cas.formats.encoder import Encoder
from cas.formats.seal import NAMED_SEAL_BYTES, find_named_seal
from cas.formats.stream import HeldForm, read_object
from cas.formats.tail import encode_tail
from cas.remote.bucket import Bucket, Listed
from cas.remote.transaction import Change

FOLDER: Final = "log/"

_NAME: Final = re.compile(r"log/([0-9]{12})-([0-9]{12})")
# a merged file of more than this is none of ours: 4 million refs
_MOST_RAW_BYTES: Final = 1 << 30
# a look at a remote reads at most so many files that it has not seen; each costs a request
MANY_FILES: Final = 32
# so many bytes come in the time that a request takes
_REQUEST_BYTES: Final = 1 << 18


class LogFile(NamedTuple):
    """A file of the log: what the transactions `first` to `last` say together."""

    first: int
    last: int
    bytes: int = 0
    modified: float = 0.0

    @property
    def key(self) -> str:
        """The key of the file."""
        return f"{FOLDER}{self.first:012}-{self.last:012}"


def find_log_file(listed: Listed) -> LogFile | None:
    """Return the file of the log that a listing tells of, or None when it is something else."""
    found = _NAME.fullmatch(listed.key)
    if found is None:
        return None
    first, last = map(int, found.groups())
    return LogFile(first, last, listed.bytes, listed.modified) if 1 <= first <= last else None


def list_log(bucket: Bucket) -> list[LogFile]:
    """Return the files of the log of a remote."""
    return [file for file in map(find_log_file, bucket.list(FOLDER)) if file is not None]


def covering(files: Iterable[LogFile], after: int) -> list[LogFile]:
    """Return the files, in order, that tell of all transactions behind number `after` and take least time to read.

    What a file says of transactions up to `after` is said again, which changes nothing; but one that tells of all
    from the first says nothing of what has gone, see `Mirror.apply`.

    Raises
    ------
    CorruptRemote
        When one is missing.
    """
    left = sorted((file for file in files if file.last > after), key=lambda file: (file.last, file.first))
    # how far one comes, what that costs, and by which file from which place
    ends, costs = [after], [0]
    ways: list[tuple[LogFile, int] | None] = [None]
    for file in left:
        low = bisect_left(ends, file.first - 1)
        high = len(ends) - (ends[-1] == file.last)
        if low >= high:
            continue
        place = min(range(low, high), key=costs.__getitem__)
        cost = costs[place] + file.bytes + _REQUEST_BYTES
        if ends[-1] != file.last:
            ends.append(file.last)
            costs.append(cost)
            ways.append((file, place))
        elif cost < costs[-1]:
            costs[-1], ways[-1] = cost, (file, place)
    if left and ends[-1] != left[-1].last:
        raise CorruptRemote(f"transaction {ends[-1] + 1} of the log is missing")
    chosen: list[LogFile] = []
    way = ways[-1]
    while way is not None:
        chosen.append(way[0])
        way = ways[way[1]]
    return chosen[::-1]


def worth_merging(files: Sequence[LogFile]) -> list[LogFile]:
    """Return the last of some files in order, to be merged: all that are shorter than twice what comes behind them.

    So each byte is written again a few times only, however long the log becomes.
    """
    chosen: list[LogFile] = []
    total = 0
    for file in reversed(files):
        if chosen and file.bytes > 2 * total:
            break
        chosen.insert(0, file)
        total += file.bytes
    return chosen


def merged(changes: Sequence[Change], *, from_the_start: bool) -> Change:
    """Return what several changes say together."""
    return reduce(lambda one, other: one.then(other, from_the_start=from_the_start), changes)


def encode_file(change: Change) -> bytes:
    """Return the bytes of a log file: zstd frames, and a seal with the id of what they hold."""
    parts: list[bytes] = []
    encoder = Encoder(parts.append)
    encoder.write(change.encode())
    seal = encoder.finish()
    return b"".join(parts) + encode_tail(seal, None, named=True)


def decode_file(data: bytes, where: str) -> Change:
    """Return the change that a log file holds; raise `CorruptRemote` when it is damaged."""
    seal = find_named_seal(data, len(data) - NAMED_SEAL_BYTES) if len(data) > NAMED_SEAL_BYTES else None
    if seal is None or seal.stored_bytes != len(data) - NAMED_SEAL_BYTES or seal.raw_bytes > _MOST_RAW_BYTES:
        raise CorruptRemote(f"'{where}' is damaged: its seal is missing or does not fit")
    try:
        return Change.decode(read_object(HeldForm(seal, data[:-NAMED_SEAL_BYTES], where)), where)
    except CorruptObject as err:
        raise CorruptRemote(f"'{where}' is damaged: {err.reason}") from err


def read_file(bucket: Bucket, file: LogFile) -> Change:
    """Return the change that a file of the log of a remote holds."""
    return decode_file(bucket.get(file.key), f"{bucket.name}/{file.key}")
