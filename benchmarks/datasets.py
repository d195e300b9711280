"""The workloads `ds`, `csv` and `memory`: large datasets and CSV files."""

import os
import shutil

from bench import gen
from sides import REPS, WORK, fresh_base, run_script

ROWS = int(os.environ.get("BENCH_ROWS", "5000000"))
CSV_LINES = int(os.environ.get("BENCH_CSV_LINES", "1450000"))
MEMORY_BYTES = 300e6  # what importing, exporting, reading and hashing may take, however much there is
LARGER = 4

# what acc's time may be of the peer's
DS_WANTED = {
    "write, net of making them": 0.5,
    "read: sum": 0.6,
    "read: tuples": 0.7,
    "read: count": 0.8,
    "hashpart": 0.3,
    "sort on int64": 0.15,
    "sort on text across slices": 0.25,
}
# the columns that are read, for the floor
DS_FLOORS = {"read: sum": ["a_int"], "read: tuples": ["a_int", "b_float", "c_str", "d_date"]}
AS_ARRAYS = " as arrays, the peer as values"


def csv_file(lines, *, times=1):
    """Return a CSV file of `lines` rows, repeated so many times; made when it is not there."""
    path = WORK / (f"big-{lines}.csv" if times == 1 else f"big-{lines}x{times}.csv")
    if not path.exists():
        draft = path.with_suffix(".draft")
        if times == 1:
            gen.write_csv(draft, lines)
        else:
            _repeat(csv_file(lines), draft, times)
        draft.rename(path)
    return path


def ds(sides, table):
    """A large dataset, written, read, moved and sorted."""
    acc, peer = sides
    for _ in range(REPS):
        # acc last: the floor reads what it has just written
        theirs, job = _add_ds(table, peer)[0], _add_ds(table, acc)[1]
        for what, names in DS_FLOORS.items():
            seconds = run_script("floorwork.py", job, *names, folder=acc.folder)
            table.row(_of_rows(what)).add("floor", seconds)
        acc.build("dsarrays", ROWS=100, BASE=fresh_base())
        arrays = acc.build("dsarrays", ROWS=ROWS, BASE=fresh_base())["seconds"]
        for what, wanted, like in (("write", 0.2, "write, net of making them"), ("sum", 0.15, "read: sum")):
            row = table.row(_of_rows(f"{what}{AS_ARRAYS}"), wanted=wanted)
            row.add(acc.name, arrays[what])
            row.add(peer.name, theirs[like])
    _start_anew(acc)
    for what, count in acc.watch("ds", ROWS=ROWS, BASE=fresh_base()).items():
        table.row(_of_rows(what)).add_memory(acc.name, count)
    arrays = acc.watch("dsarrays", ROWS=ROWS, BASE=fresh_base())
    for what in ("write", "sum"):
        table.row(_of_rows(f"{what}{AS_ARRAYS}")).add_memory(acc.name, arrays[what])


def _add_ds(table, side):
    """Note what a side takes for each step, in all, and on the disk; return the first, and the job with the rows."""
    _start_anew(side)
    built = side.build("ds", ROWS=ROWS, BASE=fresh_base())
    made, written = built["seconds"]["make the rows"], built["seconds"]["make and write them"]
    seconds = {"write, net of making them": written - made} | built["seconds"]
    for what, taken in seconds.items():
        beside = ("peer",) if what in DS_FLOORS else ()
        table.row(_of_rows(what), wanted=DS_WANTED.get(what), beside=beside).add(side.name, taken)
    table.add(_of_rows("all of these, CPU of all processes"), side.name, built["cpu"])
    size = table.row(_of_rows("bytes on disk"), unit="MB", wanted=0.8)
    size.add(side.name, side.job_bytes(built["job"]))
    return seconds, built["job"]


def csv(sides, table):
    """A large CSV file, imported, typed and exported; acc may import and type in one job."""
    acc, _ = sides
    data = csv_file(CSV_LINES)
    size = _megabytes(data)
    typed = table.row(f"{size}, csvimport and dataset_type", wanted=0.25)
    rows = {
        "csvimport": table.row(f"{size}, csvimport to bytes"),
        "dataset_type": table.row(f"{size}, dataset_type"),
        "csvexport": table.row(f"{size}, csvexport", wanted=0.3),
        "csvimport with types": typed,
    }
    for _ in range(REPS):
        for side in sides:
            _start_anew(side)
            built = _build_csv(side.build, data)
            seconds = built["seconds"]
            for what, taken in seconds.items():
                rows[what].add(side.name, taken)
            table.add(f"{size}, these three, CPU of all processes", side.name, built["cpu"])
            if side is acc:
                _start_anew(acc)
                found = _build_csv(acc.build, data, ONE_JOB=1)["seconds"]
                typed.add(acc.name, found["csvimport with types"])
            else:
                typed.add(side.name, seconds["csvimport"] + seconds["dataset_type"])
    for one_job in ({}, {"ONE_JOB": 1}):
        _start_anew(acc)
        for what, count in _build_csv(acc.watch, data, **one_job).items():
            rows[what].add_memory(acc.name, count)


def memory(sides, table):
    """The peaks of what must not take more memory when there is more to do."""
    acc, _ = sides
    for times in (1, LARGER):
        data, rows = csv_file(CSV_LINES, times=times), ROWS * times
        acc.fresh()
        peaks = acc.watch("memory", CSV=data, ROWS=rows, BASE=fresh_base())
        for what, count in peaks.items():
            given = _megabytes(data) if what.startswith("csv") else f"{rows:,} rows"
            table.row(f"memory: {what}, {given}", unit="MB", limit=MEMORY_BYTES).add(acc.name, count)


def _of_rows(what):
    return f"{ROWS:,} rows, {what}"


def _megabytes(path):
    return f"{path.stat().st_size / 1e6:.0f} MB of CSV"


def _start_anew(side):
    """Forget what has been computed, and have a side load what it loads only once."""
    side.fresh()
    side.build("ds", ROWS=100, BASE=fresh_base())
    _build_csv(side.build, csv_file(100))


def _build_csv(build, data, **env):
    """Build `csv` under a file name that no earlier run had, which makes every job new."""
    base = fresh_base()
    link = WORK / f"{base}.csv"
    link.symlink_to(data)
    try:
        return build("csv", CSV=link, BASE=base, **env)
    finally:
        link.unlink()


def _repeat(path, longer, times):
    """Write a CSV file whose rows come so many times."""
    with open(longer, "wb") as file:
        for number in range(times):
            with open(path, "rb") as rows:
                header = rows.readline()
                if number == 0:
                    file.write(header)
                shutil.copyfileobj(rows, file, 1 << 20)
