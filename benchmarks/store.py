"""The workload `store`: acc's store beside backup programs, git and the plain commands that set the floor."""

import os
import shutil
import sys

import corpora
from sides import ENVIRONMENT, REPS, WORK, timed, warm
from storetools import STORES, TOOLS, AccStore, Git, Restic, work

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
CORPORA = WORK / ("corpora" if SCALE == 1 else f"corpora-{SCALE:g}")
OBJECTS = int(1_000_000 * SCALE)
LARGE_BYTES = int(10_240 * SCALE) << 20
MEMORY_BYTES = 150e6  # what a large object may take, however large it is


def store(table):
    """Measure all of it into `table`; of the sides, acc is always the first."""
    if not CORPORA.exists():
        _say("making the corpora")
        corpora.make(CORPORA, SCALE)
    tools = [tool() for tool in TOOLS]
    sides = [AccStore(), *(tool for tool in tools if tool.is_installed())]
    for workload in (small_files, columns, large_files, lookups, commands, large_object):
        _say(f"store: {workload.__name__}")
        workload(table, sides)
    for tool in tools:
        if tool not in sides:
            table.note(f"{tool.name} is not installed, so it was left out")


def small_files(table, sides):
    """Put, put again, read back, verify; and what it takes on the disk."""
    corpus, what = _corpus("small", "small files")
    new = table.row(f"put {what}", unit="s", wanted=0.5)
    again = table.row(f"put {what} again", unit="s", wanted=0.6)
    back = table.row(f"read {what} into memory", unit="s", wanted=0.7)
    whole = table.row(f"fsck of {what}, all bytes", unit="s", wanted=0.5)
    size = _size_row(table, what, 1.05)
    memory = table.row(f"memory to put {what}", unit="MB")
    for _ in range(REPS):
        for side in sides:
            side.fresh()
            warm(corpus)
            new.add(side.name, side.put(corpus))
            memory.add(side.name, side.peak_bytes)
            size.add(side.name, side.stored_bytes())
            again.add(side.name, side.put_again(corpus))
    packed = _packed(sides, size)
    for _ in range(REPS):
        for side in (*sides, *packed):
            warm(side.folder)
            back.add(side.name, side.read())
            whole.add(side.name, side.check())
    _add_version_2(table, corpus, what, (*sides, *packed))


def columns(table, sides):
    """Put columns of numbers; and what they take on the disk."""
    corpus, what = _corpus("num", "numeric files")
    new = table.row(f"put {what}", unit="s", wanted=0.7)
    size = _size_row(table, what, 1)
    memory = table.row(f"memory to put {what}", unit="MB")
    for _ in range(REPS):
        for side in sides:
            side.fresh()
            warm(corpus)
            new.add(side.name, side.put(corpus))
            memory.add(side.name, side.peak_bytes)
            size.add(side.name, side.stored_bytes())
    _add_version_2(table, corpus, what, (*sides, *_packed(sides, size)))


def large_files(table, sides):
    """Put one large file and get it back, beside what zstd and b3sum alone take for it."""
    if not all(map(shutil.which, ("zstd", "b3sum"))):
        table.note("zstd and b3sum are not both installed, so large files were left out")
        return
    sides = [side for side in sides if isinstance(side, AccStore | Restic)]
    for path, kind in (
        (CORPORA / "bigc/log.txt", "compressible"),
        (CORPORA / "bigi/rand.bin", "incompressible"),
    ):
        what = f"{path.stat().st_size >> 20:,} MiB {kind}"
        new = table.row(f"put {what}", unit="s", wanted=1.25, beside=("zstd", "b3sum"), choose=max)
        back = table.row(f"get {what} back", unit="s", wanted=0.8)
        put_memory = table.row(f"memory to put {what}", unit="MB", limit=MEMORY_BYTES)
        get_memory = table.row(f"memory to get {what} back", unit="MB", limit=MEMORY_BYTES)
        for _ in range(REPS):
            warm(path.parent)
            _measure_floor(path, new, back)
            for side in sides:
                side.fresh()
                warm(path.parent)
                new.add(side.name, side.put_file(path))
                put_memory.add(side.name, side.peak_bytes)
                _free_pages(path.stat().st_size)
                back.add(side.name, side.get_file(STORES / "back"))
                get_memory.add(side.name, side.peak_bytes)
                (STORES / "back").unlink(missing_ok=True)  # restic is not asked for it


def lookups(table, sides):
    """Ask a large store which objects it has."""
    root = STORES / f"objects-{OBJECTS}"
    if not root.exists():
        _say(f"making a store of {OBJECTS:,} objects")
        draft = root.with_name(root.name + ".draft")
        shutil.rmtree(draft, ignore_errors=True)
        work("fill", draft, OBJECTS)
        draft.rename(root)
    where = f"of {OBJECTS:,} in {len(list(root.glob('packs/*.pack')))} packs"
    for _ in range(max(REPS, 5)):
        warm(root)
        found = work("look_up", root, OBJECTS)
        table.row(f"open a store {where}, first has", unit="ms", limit=1e-3).add("acc", found["open"])
        table.row(f"has, one {where}", unit="us", limit=3e-6).add("acc", found["hit"])
        table.row(f"has, none {where}", unit="us", limit=3e-6).add("acc", found["miss"])
        table.row(f"has_many, each {where}", unit="us").add("acc", found["many"])


def commands(table, sides):
    """Commands, each in a new process."""
    (acc, *_), corpus = sides, CORPORA / "small"
    acc.fresh()
    acc.put(corpus)
    path, oid = next(corpus.glob("*/*")), acc.ids.read_text().split()[0]
    for _ in range(max(REPS, 10)):
        bare = timed([sys.executable, "-c", "pass"], WORK, ENVIRONMENT)[0]
        for what, arguments in (("hash-object", (path,)), ("cat-file -p", ("-p", oid))):
            row = table.row(f"cold: {what}, against python -c pass", wanted=4)
            row.add("acc", acc.run(what.split()[0], *arguments))
            row.add("python", bare)


def large_object(table, sides):
    """Put and get an object that fits into no memory; only when asked for, since it takes a while."""
    if os.environ.get("BENCH_LARGE") != "1":
        return
    acc, *_ = sides
    acc.fresh()
    found = work("stream", acc.data, LARGE_BYTES)
    what = f"{LARGE_BYTES >> 20:,} MiB, half of it noise"
    table.row(f"put {what}", unit="s").add("acc", found["put"])
    table.row(f"get {what}", unit="s").add("acc", found["get"])
    table.row(f"memory for {what}", unit="MB", limit=MEMORY_BYTES).add("acc", found["peak_bytes"])
    acc.fresh()


def _corpus(name, noun):
    folder = CORPORA / name
    return folder, f"{len(list(folder.glob('*/*'))):,} {noun}"


def _size_row(table, what, wanted):
    return table.row(f"stored: {what}", unit="bytes", wanted=wanted, beside=("restic", "git packed"))


def _add_version_2(table, corpus, what, sides):
    """Note what each side stores more when the corpus has changed a little."""
    row = table.row(f"stored: what version 2 of {what} adds", unit="bytes", beside=("restic", "git packed"))
    changed = STORES / "version-2" / corpus.name
    shutil.rmtree(changed, ignore_errors=True)
    shutil.copytree(corpus, changed)
    shutil.copytree(corpus.with_name(f"{corpus.name}.delta"), changed, dirs_exist_ok=True)
    for side in sides:
        before = side.stored_bytes()
        side.put(changed)
        row.add(side.name, side.stored_bytes() - before)
    shutil.rmtree(changed)


def _packed(sides, size):
    """Return git as a side of its own when its objects are in a pack, if it is there; note its size."""
    packed = [side.packed() for side in sides if isinstance(side, Git)]
    for side in packed:
        size.add(side.name, side.stored_bytes())
    return packed


def _measure_floor(path, new, back):
    """Note what zstd and b3sum take, which do all the work that there is and nothing else."""
    STORES.mkdir(exist_ok=True)
    stored, unpacked = STORES / "floor.zst", STORES / "back"
    stored.unlink(missing_ok=True)
    unpacked.unlink(missing_ok=True)
    new.add("zstd", _shell('zstd -q -3 -T2 -c "$0" >"$1" && sync "$1"', path, stored))
    new.add("b3sum", _shell('b3sum "$0"', path))
    _free_pages(path.stat().st_size)
    seconds = _shell('zstd -q -d -o "$1" "$0"', stored, unpacked)
    back.add("zstd -d + b3sum", seconds + _shell('b3sum "$0"', unpacked))
    stored.unlink()
    unpacked.unlink()


def _shell(line, *arguments):
    """Return the seconds of a line of shell."""
    os.sync()
    return timed(["sh", "-c", line, *arguments], STORES, ENVIRONMENT)[0]


def _free_pages(count):
    """Have the machine give so many bytes of memory to files and take them back.

    A virtual machine may have to ask its host for memory, which doubles the time to write a file.
    """
    path = STORES / "pages"
    with open(path, "wb", buffering=0) as file:
        for _ in range(count >> 20):
            file.write(bytes(1 << 20))
    path.unlink()


def _say(text):
    print(f"{text} ...", file=sys.stderr)
