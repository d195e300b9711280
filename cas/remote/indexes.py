"""Indexes of a remote, which tell what lies where in which pack: sent, merged, and made anew without some objects."""

from collections.abc import Iterator, Sequence, Set
from typing import Final

from blake3 import blake3

from cas.formats.multiindex import MultiIndex, write_multi_index
from cas.formats.packindex import RECORD_BYTES
from cas.formats.records import DIGEST_BYTES, Records
from cas.remote.filesystem import nonce
from cas.remote.state import Remote, index_key
from cas.remote.transaction import Change, LargeObject

# a look at a remote reads at most so many indexes that it has not seen; each costs a request
MANY_INDEXES: Final = 32


def send_index(remote: Remote, packs: Sequence[tuple[str, Records]]) -> str:
    """Send an index over packs, given as names and records, and return its name; the mirror has it from now on."""
    with remote.mirror.scratch() as folder:
        path = folder / "index"
        write_multi_index(path, packs, durable=False)
        data = path.read_bytes()
    name = blake3(data).hexdigest()
    remote.bucket.put(index_key(name), data)
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
    """Return the change after which nothing tells of some objects; None if nothing does. New indexes are sent first."""
    mirror = remote.mirror
    known = mirror.indexes()
    indexes: dict[str, dict[str, int] | None] = {}
    for name, index in mirror.opened().items():
        if not any(index.find(digest) for digest in digests):
            continue
        indexes[name] = None
        packs = [(pack, left) for pack, records in index.by_pack() if len(left := _left(records, digests))]
        if packs:
            indexes[send_index(remote, packs)] = {pack: known[name][pack] for pack, _ in packs}
    large: dict[str, LargeObject | None] = {
        oid: None for oid, _ in mirror.large() if bytes.fromhex(oid) in digests
    }
    change = Change(nonce(), why, indexes=indexes, objects=large)
    return None if change.is_empty else change


def _left(records: Records, digests: Set[bytes]) -> Records:
    left = [record for record in _each(records) if record[:DIGEST_BYTES] not in digests]
    return Records(b"".join(left), 0, 0, len(left), RECORD_BYTES, 0)


def _each(records: Records) -> Iterator[bytes]:
    data = records.between(b"", None)
    return (data[at : at + RECORD_BYTES] for at in range(0, len(data), RECORD_BYTES))
