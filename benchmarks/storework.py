"""What acc's store is measured at: `storework.py OPERATION ARGUMENT...`, in a new process for each measurement.

Prints JSON: the seconds that the operation took, without the start of Python, and the peak of the memory.
"""

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from time import perf_counter

from processtree import peak_bytes

from cas.local.refs import LocalRefs
from cas.local.store import LocalStore
from cas.oid import oid_of, oid_of_file

CHUNK_BYTES = 1 << 20
SMALL_BYTES = 1 << 14
LOOKUPS = 100_000
PACKS = 100


def create(store):
    """Make an empty store, with refs beside it, or `acc fsck` would miss them."""
    LocalStore.create(Path(store))
    refs = LocalRefs(Path(store) / "refs.sqlite")
    refs.find("any")
    refs.close()
    return {}


def put(store, corpus, ids):
    """Put all files of the folder `corpus` in one batch; their ids go into the file `ids`."""
    start = perf_counter()
    oids = LocalStore(Path(store)).put_many(_contents(corpus))
    seconds = perf_counter() - start
    Path(ids).write_text("".join(f"{oid}\n" for oid in oids))
    return {"seconds": seconds}


def get(store, ids):
    """Read all objects named in the file `ids` into memory."""
    oids = Path(ids).read_text().split()
    start = perf_counter()
    objects = LocalStore(Path(store)).get_many(oids)
    seconds = perf_counter() - start
    assert len(objects) == len(set(oids))
    return {"seconds": seconds}


def cat_file(repository, ids):
    """Do with git what `get` does, as a program would that drives git through pipes."""
    command = ["git", f"--git-dir={repository}", "cat-file", "--batch"]
    start, objects = perf_counter(), {}
    with open(ids, "rb") as asked, subprocess.Popen(command, stdin=asked, stdout=subprocess.PIPE) as git:
        while header := git.stdout.readline():
            oid, _, size = header.split()
            objects[oid] = git.stdout.read(int(size))
            git.stdout.read(1)  # the end of a line
    seconds = perf_counter() - start
    assert objects.keys() == set(Path(ids).read_bytes().split())
    return {"seconds": seconds}


def write(store, path):
    """Put one large file as it is read."""
    start = perf_counter()
    writer = LocalStore(Path(store)).writer()
    with open(path, "rb", buffering=0) as file:
        while chunk := file.read(CHUNK_BYTES):
            writer.write(chunk)
    oid = writer.commit()
    return {"seconds": perf_counter() - start, "oid": oid}


def read(store, oid, path):
    """Get one large object back into a file, not fsynced."""
    start = perf_counter()
    with open(path, "wb", buffering=0) as file:
        LocalStore(Path(store)).export(oid, file.fileno())
    seconds = perf_counter() - start
    assert oid_of_file(path) == oid
    return {"seconds": seconds}


def fill(store, count):
    """Make a store of `count` tiny objects, the numbers from 0 on, in 100 packs under one index."""
    made, each = LocalStore.create(Path(store)), int(count) // PACKS
    for start in range(0, int(count), each):
        made.put_many(b"%d" % number for number in range(start, start + each))
    made.packs.write_multi_index()
    return {}


def look_up(store, count):
    """Open a store that `fill` has made, and ask it for ids that it has and for others."""
    chosen = random.Random(5)
    here = [oid_of(b"%d" % chosen.randrange(int(count))) for _ in range(LOOKUPS)]
    elsewhere = [oid_of(b"%d" % (int(count) + number)) for number in range(LOOKUPS)]
    start = perf_counter()
    opened = LocalStore(Path(store))
    assert opened.has(here[0])
    found = {"open": perf_counter() - start}
    for name, oids, expected in (("hit", here, LOOKUPS), ("miss", elsewhere, 0)):
        start = perf_counter()
        assert sum(map(opened.has, oids)) == expected
        found[name] = (perf_counter() - start) / LOOKUPS
    start = perf_counter()
    assert opened.has_many(here + elsewhere) == set(here)
    return found | {"many": (perf_counter() - start) / (2 * LOOKUPS)}


def stream(store, size):
    """Put an object of `size` bytes that nobody ever holds whole, half of it noise, and get it back."""
    opened, chosen = LocalStore(Path(store)), random.Random(6)
    half = b" ".join(b"%d" % number for number in range(100_000))[: CHUNK_BYTES // 2]
    start = perf_counter()
    writer = opened.writer()
    for _ in range(int(size) // CHUNK_BYTES):
        writer.write(half + chosen.randbytes(CHUNK_BYTES // 2))
    oid = writer.commit()
    middle = perf_counter()
    assert sum(map(len, opened.pieces(oid))) == int(size)
    return {"put": middle - start, "get": perf_counter() - middle}


def _contents(folder):
    for parent, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            # half the time of open() and read(), which would be a quarter of what is measured
            file = os.open(f"{parent}/{name}", os.O_RDONLY)
            data = os.read(file, SMALL_BYTES)
            if len(data) == SMALL_BYTES:
                data += os.read(file, os.fstat(file).st_size)
            os.close(file)
            yield data


OPERATIONS = {
    work.__name__: work for work in (create, put, get, cat_file, write, read, fill, look_up, stream)
}

if __name__ == "__main__":
    found = OPERATIONS[sys.argv[1]](*sys.argv[2:])
    print(json.dumps(found | {"peak_bytes": peak_bytes()}))
