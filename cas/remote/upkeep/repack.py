"""Write packs of a remote again: without what is dead in them, and many small ones as one."""

import logging
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from operator import attrgetter
from typing import Final, NamedTuple

from cas.errors import CorruptObject, CorruptRemote, ObjectNotFound
from cas.formats.pack import PACK_START
from cas.formats.packindex import Entry, index_bytes
from cas.formats.seal import Seal
from cas.formats.stream import verify_stored
from cas.local.store import LocalStore
from cas.oid import ObjectId
from cas.remote.indexes import dropping, keeping
from cas.remote.keys import pack_key
from cas.remote.mirror import Mirror
from cas.remote.state import Remote
from cas.remote.transaction import Change
from cas.remote.transfer.reading import Reader
from cas.remote.transfer.sending import Sending
from cas.remote.uploads import Moved

log = logging.getLogger(__name__)

# To send bytes to a cloud is free and to keep them is not, so a pack is written again when a fifth of it is waste, if
# what lives in it is here. Else that is to be fetched, which costs as much as to keep it for four months.
_WORTH_SENDING: Final = 0.2
_WORTH_FETCHING: Final = 0.5
# less waste is not worth the requests
_LEAST_WASTE_BYTES: Final = 1 << 16
# each pack is a request to who fetches all; so many that are so short become one
_SMALL_BYTES: Final = 1 << 20
_MANY_SMALL: Final = 32
# so many living bytes are sent in one go
_ROUND_BYTES: Final = 256 << 20

IsNode = Callable[[bytes], bool]


@dataclass(slots=True)
class Rewritten:
    """What was done: packs that were written again, and bytes of what is dead in the packs that were not."""

    packs: int = 0
    left_bytes: int = 0


class _Pack(NamedTuple):
    """A pack, how much of it lives, and which objects."""

    name: str
    waste: int
    bytes: int
    entries: list[Entry]


def rewrite(local: LocalStore, remote: Remote, since: int, is_node: IsNode, *, everything: bool) -> Rewritten:
    """Send what lives in packs of much waste, or in many small ones, as new packs, and drop those.

    Parameters
    ----------
    local
        What is here need not be fetched.
    since
        The time by the server's clock.
    is_node
        Whether an object is a node: those have packs of their own.
    everything
        Write every pack again in which anything is dead.
    """
    done = Rewritten()
    packs = _packs(remote.mirror)
    chosen = [pack for pack in packs if pack.waste and (everything or _is_wasteful(local, pack))]
    taken = {pack.name for pack in chosen}
    small = [pack for pack in packs if pack.name not in taken and pack.bytes < _SMALL_BYTES]
    if len(small) >= _MANY_SMALL:
        chosen += small
    for some in _rounds(chosen):
        if _replace(local.alone(), remote, some, since, is_node):
            done.packs += len(some)
    done.left_bytes = sum(pack.waste for pack in _packs(remote.mirror))
    return done


def _packs(mirror: Mirror) -> list[_Pack]:
    found = []
    lengths = mirror.packs()
    for name, living in mirror.entries().items():
        needed = (
            len(PACK_START) + sum(entry.end - entry.offset for entry in living) + index_bytes(len(living))
        )
        found.append(_Pack(name, max(0, lengths[name] - needed), lengths[name], living))
    return found


def _is_wasteful(local: LocalStore, pack: _Pack) -> bool:
    if pack.waste < max(_LEAST_WASTE_BYTES, _WORTH_SENDING * pack.bytes):
        return False
    return pack.waste >= _WORTH_FETCHING * pack.bytes or all(local.has(entry.oid) for entry in pack.entries)


def _rounds(packs: Iterable[_Pack]) -> Iterator[list[_Pack]]:
    some: list[_Pack] = []
    total = 0
    for pack in packs:
        some.append(pack)
        total += pack.bytes - pack.waste
        if total >= _ROUND_BYTES:
            yield some
            some, total = [], 0
    if some:
        yield some


def _replace(
    local: LocalStore, remote: Remote, packs: Collection[_Pack], since: int, is_node: IsNode
) -> bool:
    """Send what lives in some packs as new ones, and drop those; return whether that was done."""
    names = {pack.name for pack in packs}
    keys = set(map(pack_key, names))
    sent: set[bytes] = set()
    moved = {entry.digest for pack in packs for entry in pack.entries}
    try:
        with Sending(remote) as sending:
            for seal, stored in _parts(local, remote, packs):
                sending.add(seal, stored, is_node=is_node(seal.digest))
                sent.add(seal.digest)
            new = sending.send("gc")

            def draw() -> Change | None:
                # others may have dropped some of what was sent, or brought more: then this was in vain
                told = [pack for pack in _packs(remote.mirror) if pack.name in names]
                if not {entry.digest for pack in told for entry in pack.entries} == moved == sent:
                    return None
                rest = keeping(remote, lambda key, _: key not in keys, "gc")
                change = replace(rest, indexes={**rest.indexes, **new.indexes})
                return dropping(remote.mirror, change, since)

            return remote.commit(draw) > 0
    except (CorruptObject, CorruptRemote, ObjectNotFound, FileNotFoundError, Moved) as err:
        # the packs are left as they are: what is wrong with them is for fsck to say
        log.info("remote '%s': packs are not written again: %s", remote.name, err)
        remote.look()
        return False


def _parts(local: LocalStore, remote: Remote, packs: Iterable[_Pack]) -> Iterator[tuple[Seal, bytes]]:
    """Yield stored forms in the order in which they lie, which is that in which they are read; those here first."""
    seen: set[bytes] = set()
    for pack in packs:
        lacking: list[ObjectId] = []
        for entry in sorted(pack.entries, key=attrgetter("offset")):
            if entry.digest not in seen and not (yield from _local_part(local, entry.oid)):
                lacking.append(entry.oid)
            seen.add(entry.digest)
        yield from Reader(remote).small(lacking)


def _local_part(local: LocalStore, oid: ObjectId) -> Generator[tuple[Seal, bytes], None, bool]:
    """Yield the stored form of an object that is here, and is sound; return whether it is."""
    if not local.has(oid):
        return False
    try:
        with closing(local.open_stored(oid)) as stored:
            verify_stored(stored)
            yield stored.seal, stored.read(0, stored.seal.stored_bytes)
    except (CorruptObject, ObjectNotFound):
        return False
    return True
