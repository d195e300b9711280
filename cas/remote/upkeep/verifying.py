"""Read files of a remote whole, and tell what in them is not as it was written. Each is held in a file meanwhile."""

import os
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Final, NamedTuple

from cas.errors import CorruptObject, CorruptRemote
from cas.files import write_all
from cas.formats.pack import Pack
from cas.formats.packindex import Entry
from cas.formats.stream import verify_object
from cas.local.loose import open_loose
from cas.local.reading import verify_entries
from cas.oid import ObjectId
from cas.remote.filesystem.kinds import PART_BYTES
from cas.remote.keys import object_key, pack_key
from cas.remote.state import Remote
from cas.remote.transaction import LargeObject

# so many files come at a time, each up to 64 MiB or as long as a large object is
_AT_ONCE: Final = 2


class Read(NamedTuple):
    """What came of reading a file: how many objects are in it, and what is wrong, with which object if with one."""

    key: str
    objects: int
    findings: list[tuple[ObjectId | None, str]]


class _Pack(NamedTuple):
    name: str
    length: int
    entries: list[Entry]


class _Large(NamedTuple):
    oid: ObjectId
    told: LargeObject


def read_all(remote: Remote, without: Sequence[str]) -> Iterator[Read]:
    """Yield what came of reading each pack and large object of a remote but the files `without`.

    A file that is gone has nothing wrong with it: who looks again knows whether it should be there.
    """
    mirror, lengths = remote.mirror, remote.mirror.packs()
    work: list[_Pack | _Large] = [
        _Pack(name, lengths[name], entries)
        for name, entries in sorted(mirror.entries().items())
        if pack_key(name) not in without
    ]
    work += [
        _Large(oid, told)
        for oid, told in sorted(mirror.large())
        if object_key(oid, told.file_bytes) not in without
    ]
    with mirror.scratch() as folder:

        def read(what: _Pack | _Large) -> Read:
            if isinstance(what, _Pack):
                return _read_pack(remote, what, folder)
            return _read_large(remote, what, folder)

        yield from remote.bucket.each(read, work, ahead=_AT_ONCE)


def _read_pack(remote: Remote, pack: _Pack, folder: Path) -> Read:
    key = pack_key(pack.name)
    path = folder / key.rpartition("/")[2]
    findings: list[tuple[ObjectId | None, str]] = []
    try:
        _copy(remote, key, pack.length, path)
        findings += [(ObjectId(error.oid), error.reason) for error in verify_entries(str(path), pack.entries)]
        if not findings:
            # an object that is damaged is in nobody's way: the others are found by the index of the remote
            findings += [(None, flaw) for flaw in Pack(str(path)).flaws()]
    except CorruptRemote as err:
        findings.append((None, str(err)))
    except FileNotFoundError:
        pass
    finally:
        path.unlink(missing_ok=True)
    return Read(key, len(pack.entries), findings)


def _read_large(remote: Remote, large: _Large, folder: Path) -> Read:
    key = object_key(large.oid, large.told.file_bytes)
    path = folder / large.oid
    findings: list[tuple[ObjectId | None, str]] = []
    try:
        _copy(remote, key, large.told.file_bytes, path)
        with closing(open_loose(path, large.oid)) as stored:
            verify_object(stored)
            if (stored.seal.raw_bytes, stored.seal.stored_bytes) != large.told[:2]:
                findings.append((large.oid, "it is not as long as the log says"))
    except CorruptObject as err:
        findings.append((large.oid, err.reason))
    except CorruptRemote as err:
        findings.append((large.oid, str(err)))
    except FileNotFoundError:
        pass
    finally:
        path.unlink(missing_ok=True)
    return Read(key, 1, findings)


def _copy(remote: Remote, key: str, length: int, path: Path) -> None:
    """Make a file of a remote a local one, part by part."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        for start in range(0, length, PART_BYTES):
            write_all(descriptor, remote.bucket.get_range(key, start, min(start + PART_BYTES, length)))
    finally:
        os.close(descriptor)
