"""The log of a remote: numbered transactions, each created once and never changed, and files that tell of many.

Notes
-----
Source: docs/reference/formats/remote.md.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import groupby
from operator import attrgetter, itemgetter
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
_MOST_FILE_BYTES: Final = 1 << 29
# nor is one that takes so many times as much room as its file, whose ids do not compress, but for the first million
_MOST_TIMES: Final = 64
_FEW_RAW_BYTES: Final = 1 << 20
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


class _Way(NamedTuple):
    """Files of the log one after the other: the last, and the way to it."""

    file: LogFile | None = None
    before: "_Way | None" = None

    def files(self) -> list[LogFile]:
        found: list[LogFile] = []
        way: _Way | None = self
        while way is not None and way.file is not None:
            found.append(way.file)
            way = way.before
        return found[::-1]


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
    left = sorted((file for file in files if file.last > after), key=attrgetter("last", "first"))
    # how far one comes, what that costs, and by which files; of what costs more and comes less far there is none,
    # so the first that comes far enough is the cheapest, however many files somebody has put there
    ends, costs, ways = [after], [0], [_Way()]
    for last, group in groupby(left, key=attrgetter("last")):
        found: list[tuple[int, _Way]] = []
        for file in group:
            place = bisect_left(ends, file.first - 1)
            if place < len(ends):
                found.append((costs[place] + file.bytes + _REQUEST_BYTES, _Way(file, ways[place])))
        if not found:
            continue
        cost, way = min(found, key=itemgetter(0))
        while costs[-1] > cost:
            ends.pop(), costs.pop(), ways.pop()
        ends.append(last)
        costs.append(cost)
        ways.append(way)
    if left and ends[-1] != left[-1].last:
        raise CorruptRemote(f"transaction {ends[-1] + 1} of the log is missing")
    return ways[-1].files()


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
    if seal is None or seal.stored_bytes != len(data) - NAMED_SEAL_BYTES:
        raise CorruptRemote(f"'{where}' is damaged: its seal is missing or does not fit")
    if seal.raw_bytes > min(_MOST_RAW_BYTES, max(_FEW_RAW_BYTES, _MOST_TIMES * len(data))):
        raise CorruptRemote(f"'{where}' is no transaction of a remote: it holds {seal.raw_bytes} bytes")
    try:
        return Change.decode(read_object(HeldForm(seal, data[:-NAMED_SEAL_BYTES], where)), where)
    except CorruptObject as err:
        raise CorruptRemote(f"'{where}' is damaged: {err.reason}") from err


def get_file(bucket: Bucket, file: LogFile) -> bytes:
    """Return the bytes of a file of the log of a remote."""
    if file.bytes > _MOST_FILE_BYTES:
        raise CorruptRemote(f"'{file.key}' in remote '{bucket.name}' is longer than {_MOST_FILE_BYTES} bytes")
    return bucket.get(file.key, most_bytes=_MOST_FILE_BYTES)


def read_file(bucket: Bucket, file: LogFile) -> Change:
    """Return the change that a file of the log of a remote holds."""
    return decode_file(get_file(bucket, file), f"{bucket.name}/{file.key}")
