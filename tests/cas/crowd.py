"""What the processes of the crash and concurrency tests do: `python -m tests.cas.crowd ROLE ROOT SEED SECONDS`.

All of them work on one store, and most on the same few blobs, so that what one stores another finds there already. Each
prints a line for what it has acknowledged: a ref, what it is at ("" when it was removed), and the blobs below that.
"""

import json
import random
import sys
import time
from pathlib import Path

from cas.errors import AccError, ObjectNotFound
from cas.formats.node import encode, get_node, put_node
from cas.local.gc import collect
from cas.local.refs import LocalRefs
from cas.local.repack import repack
from cas.local.staging import Staging
from cas.local.store import LocalStore
from cas.oid import oid_of
from tests.cas.test_graph import Knot

SHARED = 60
LARGE = 3 << 20


def blob(number: int) -> bytes:
    """Return one of the blobs that all share; a few are large and do not compress."""
    if number % 20 == 7:
        return random.Random(number).randbytes(LARGE)
    return b"shared %d " % number * (1 + number * number % 500)


class Process:
    """One process: its view of the store and the refs, a source of chance, and when it ends."""

    def __init__(self, root: str, seed: str, seconds: str) -> None:
        self.root = Path(root)
        self.name = seed
        self.random = random.Random(seed)
        self.until = time.monotonic() + float(seconds)
        self.store = LocalStore(self.root)
        self.refs = LocalRefs(self.root / "refs.sqlite")

    def goes_on(self) -> bool:
        """Return whether there is time left."""
        return time.monotonic() < self.until

    def tell(self, name: str, node: str = "", numbers: tuple[int, ...] = ()) -> None:
        """Acknowledge what a ref is at."""
        sys.stdout.write(json.dumps([name, node, list(numbers)]) + "\n")
        sys.stdout.flush()


def write(it: Process) -> None:
    """Store blobs and nodes in all ways that there are, set refs to them, remove some, take up old ones again."""
    mine: dict[str, tuple[str, tuple[int, ...]]] = {}
    before: list[tuple[str, tuple[int, ...]]] = []
    count = 0
    while it.goes_on():
        count += 1
        name = f"jobs/{it.name}/{count}"
        if before and it.random.random() < 0.3:
            node, numbers = it.random.choice(before)
            if not it.store.hold([node]):
                continue
        else:
            numbers = tuple(sorted(it.random.sample(range(SHARED), it.random.randrange(1, 6))))
            node = _store(it, numbers)
        with it.refs.transaction("write") as transaction:
            transaction.set(name, node)
        it.tell(name, node, numbers)
        mine[name] = (node, numbers)
        _read_all(it.store, node, numbers)
        if len(mine) > 3:
            gone = it.random.choice(list(mine))
            before.append(mine.pop(gone))
            with it.refs.transaction("remove") as transaction:
                transaction.delete(gone)
            it.tell(gone)
        if it.random.random() < 0.3:
            # what it relied on is reached by refs now, or nobody's
            it.store.pins.release()
        if it.random.random() < 0.2:
            it.store.pins.release()
            it.store = LocalStore(it.root)


def _store(it: Process, numbers: tuple[int, ...]) -> str:
    """Store the blobs `numbers` and a node over them; return the id of the node."""
    data = [blob(number) for number in numbers]
    node = Knot("over", tuple(map(oid_of, data)))
    way = it.random.randrange(4)
    if way == 0:
        it.store.put_many(data)
        return put_node(it.store, node)
    if way == 1:
        for item in data:
            it.store.put(item)
        return put_node(it.store, node)
    if way == 2:
        return it.store.put_many([*data, encode(node)])[-1]
    staging = Staging(it.store, it.root / "tmp" / f"{it.name}-{it.random.getrandbits(60)}", hold_bytes=1000)
    for item in data:
        staging.put(item)
    oid = put_node(staging, node)
    staging.publish()
    return oid


def _read_all(store: LocalStore, node: str, numbers: tuple[int, ...]) -> None:
    found = get_node(store, node, Knot)
    wanted = {oid_of(blob(number)): blob(number) for number in numbers}
    assert set(found.to_blobs) == set(wanted)
    assert store.get_many(list(wanted)) == wanted


def read(it: Process) -> None:
    """Read what refs reach; what is not there must be reached no more."""
    while it.goes_on():
        for name, node in list(it.refs.names()):
            try:
                for oid in get_node(it.store, node, Knot).to_blobs:
                    it.store.get(oid)
            except ObjectNotFound:
                assert it.refs.find(name) != node, f"{name} reaches what is not there"


def sweep(it: Process) -> None:
    """Collect, mostly without any grace."""
    it.tell("begins")
    while it.goes_on():
        collect(it.store, it.refs, grace_seconds=it.random.choice([0.0, 0.0, 0.2]))


def pack(it: Process) -> None:
    """Repack all the time."""
    it.tell("begins")
    while it.goes_on():
        repack(it.store, everything=it.random.random() < 0.5)


ROLES = {"write": write, "read": read, "sweep": sweep, "pack": pack}


if __name__ == "__main__":
    role, *arguments = sys.argv[1:]
    try:
        ROLES[role](Process(*arguments))
    except AccError as error:
        sys.exit(f"{role} {arguments[1]}: {type(error).__name__}: {error}")
