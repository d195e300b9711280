"""Indexes of a remote, which tell what lies where in which pack: sent, merged, and made anew without some objects."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from typing import Final

from blake3 import blake3

from cas.formats.multiindex import MultiIndex, write_multi_index
from cas.formats.packindex import RECORD_BYTES
from cas.formats.records import DIGEST_BYTES, Records
from cas.remote.filesystem.kinds import nonce
from cas.remote.keys import index_key, named_by, object_key, pack_key
from cas.remote.mirror import Mirror
from cas.remote.state import Remote
from cas.remote.transaction import Change
from cas.remote.uploads import known_files

# a look at a remote reads at most so many indexes that it has not seen; each costs a request
MANY_INDEXES: Final = 32

Kept = Callable[[str, bytes], bool]


def send_index(remote: Remote, packs: Sequence[tuple[str, Records]]) -> str:
    """Send an index over packs, given as names and records, and return its name; the mirror has it from now on."""
    with remote.mirror.scratch() as folder:
        path = folder / "index"
        write_multi_index(path, packs, durable=False)
        data = path.read_bytes()
    name = blake3(data).hexdigest()
    remote.uploads.send(index_key(name), data)
    remote.mirror.keep_index(name, data)
    return name


def merge_indexes(remote: Remote) -> None:
    """Send one index in place of many small ones, when so many have come that a new clone would be slow."""
    mirror = remote.mirror
    if len(mirror.indexes()) <= MANY_INDEXES:
        return
    chosen = _worth_merging(mirror.opened())
    packs = [pack for name in chosen for pack in mirror.opened()[name].by_pack()]
    name = send_index(remote, packs)
    since = int(remote.bucket.now())

    def draw() -> Change | None:
        known = mirror.indexes()
        if not all(old in known for old in chosen):
            return None  # somebody else has merged them, or gc made them anew
        lengths = {pack: length for old in chosen for pack, length in known[old].items()}
        return Change(
            nonce(),
            "merged indexes",
            indexes={**dict.fromkeys(chosen), name: lengths},
            dropped={index_key(old): since for old in chosen if old != name},
        )

    remote.commit(draw)


def _worth_merging(indexes: dict[str, MultiIndex]) -> list[str]:
    """Return the names of the shortest indexes: all but those that are longer than twice what is shorter."""
    chosen: list[str] = []
    total = 0
    for name, index in sorted(indexes.items(), key=lambda item: len(item[1])):
        if chosen and len(index) > 2 * total:
            break
        chosen.append(name)
        total += len(index)
    return chosen


def without(remote: Remote, digests: Set[bytes], why: str) -> Change | None:
    """Return the change after which nothing tells of some objects; None if nothing does. A new index is sent first."""
    change = keeping(remote, lambda _, digest: digest not in digests, why)
    return None if change.is_empty else dropping(remote.mirror, change, int(time.time()))


def keeping(remote: Remote, is_kept: Kept, why: str) -> Change:
    """Return the change after which a remote tells of some objects only; one new index is sent first, if need be.

    Parameters
    ----------
    is_kept
        Whether it is to tell of an object, given the key of the file that it lies in, and its id.
    """
    mirror = remote.mirror
    known = mirror.indexes()
    changed: dict[str, list[tuple[str, Records]]] = {}
    for name, index in mirror.opened().items():
        packs = index.by_pack()
        left = [(pack, _kept(records, pack_key(pack), is_kept)) for pack, records in packs]
        fewer = sum(len(records) for _, records in left) < len(index)
        if fewer or not all(len(records) for _, records in packs):
            changed[name] = [part for part in left if len(part[1])]
    indexes: dict[str, Mapping[str, int] | None] = dict.fromkeys(changed)
    packs = [part for parts in changed.values() for part in parts]
    if packs:
        lengths = {pack: length for name in changed for pack, length in known[name].items()}
        indexes[send_index(remote, packs)] = {pack: lengths[pack] for pack, _ in packs}
    large = [
        oid
        for oid, told in mirror.large()
        if not is_kept(object_key(oid, told.file_bytes), bytes.fromhex(oid))
    ]
    return Change(nonce(), why, indexes=indexes, objects=dict.fromkeys(large))


def dropping(mirror: Mirror, change: Change, since: int) -> Change:
    """Return a change that besides drops all files that nothing tells of after it, and none that something does.

    Parameters
    ----------
    since
        The time by the server's clock, in seconds since 1970.
    """
    before, dropped = known_files(mirror), mirror.dropped().keys()
    after = named_by(
        Change(
            "",
            indexes={**mirror.indexes(), **change.indexes},
            objects={**dict(mirror.large()), **change.objects},
        )
    )
    return replace(
        change, dropped=dict.fromkeys(sorted(before - after), since) | dict.fromkeys(sorted(dropped & after))
    )


def _kept(records: Records, key: str, is_kept: Kept) -> Records:
    left = [record for record in _each(records) if is_kept(key, record[:DIGEST_BYTES])]
    return Records(b"".join(left), 0, 0, len(left), RECORD_BYTES, 0)


def _each(records: Records) -> Iterator[bytes]:
    data = records.between(b"", None)
    return (data[at : at + RECORD_BYTES] for at in range(0, len(data), RECORD_BYTES))
