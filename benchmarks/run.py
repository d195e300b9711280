"""Measure acc beside its peer, interleaved in one run, and print one table of medians and ratios.

    make bench                              overhead, chain and cli
    make bench BENCH="ds csv"               any of: overhead chain cli ds csv store

The figures are of the machine as it is now: trust the ratios, and look at the load printed with them.
"""

import os
import random
import subprocess
import sys

from bench import gen
from sides import REPS, SLICES, WORK, Acc, Peer, timed
from store import store
from table import Table

JOBS = int(os.environ.get("BENCH_JOBS", "200"))
LINKS = int(os.environ.get("BENCH_LINKS", "1000"))
ROWS = int(os.environ.get("BENCH_ROWS", "5000000"))
CSV_LINES = int(os.environ.get("BENCH_CSV_LINES", "1450000"))


def fresh_base():
    """Return a number that no earlier run began at, so that jobs with it are new."""
    return random.SystemRandom().randrange(10**12) * 10**4


def overhead(sides, table):
    """Many trivial jobs, new and then again."""
    for side in sides:
        side.build("empty")  # both load what they load only once
    for _ in range(REPS):
        base = fresh_base()
        for side in sides:
            found = side.build("overhead", N=JOBS, BASE=base)
            table.add("a new trivial job", side.name, found["per_job"], 0.5)
            table.add("a new trivial job, CPU of all processes", side.name, found["cpu"] / JOBS)
        for side in sides:
            found = side.build("overhead", N=JOBS, BASE=base)
            table.add("a reused job", side.name, found["per_job"], 0.1)
        for side in sides:
            table.add("a build of no job, cold", side.name, side.build("empty")["wall"])


def chain(sides, table):
    """Long chains of jobs and of datasets: built, built again, walked."""
    for method, noun in (("chainjob", "jobs"), ("dschainjob", "datasets")):
        base, tip = fresh_base(), {}
        for side in sides:
            found = side.build("chain", N=LINKS, BASE=base, METHOD=method)
            table.add(f"chain of {LINKS} {noun}: a new link", side.name, found["per_job"])
            tip[side.name] = found["tip"]
        for side in sides:
            found = side.build("chain", N=LINKS, BASE=base, METHOD=method)
            table.add(f"chain of {LINKS} {noun}: a reused link", side.name, found["per_job"])
        for _ in range(REPS):
            for side in sides:
                found = side.build("walk", TIP=tip[side.name], METHOD=method)
                assert found["length"] == LINKS
                table.add(f"chain of {LINKS} {noun}: walk, cold", side.name, found["cold"])
                table.add(f"chain of {LINKS} {noun}: walk, warm", side.name, found["warm"])


def cli(sides, table):
    """Commands, each in a new process."""
    acc, peer = sides
    for side in sides:
        side.build("overhead", N=1, BASE=fresh_base())
        side.build("ds", ROWS=100_000, BASE=fresh_base())
    pairs = [
        ("job dev-1", ["job", "dev-1"], ["job", "dev-1"], 0.8),
        ("ds of the newest dswrite", ["ds", "dswrite"], ["ds", "dswrite"], None),
        ("method", ["method"], ["method"], None),
        ("jobs of a workdir", ["log"], ["workdir", "-a"], None),
        ("--version", ["--version"], ["--version"], None),
    ]
    some_file = acc.folder / "acc.toml"
    for _ in range(max(REPS, 5)):
        for what, ours, theirs, wanted in pairs:
            table.add(f"cold: {what}", "acc", acc.run(*ours), wanted)
            table.add(f"cold: {what}", "peer", peer.run(*theirs))
        what = "cold: hash-object, against python -c pass"
        table.add(what, "acc", acc.run("hash-object", some_file), 4)
        table.add(what, "python", timed([sys.executable, "-c", "pass"], WORK)[0])


# what acc's time may be of the peer's
DS_WANTED = {
    "read: sum": 0.6,
    "read: tuples": 0.7,
    "read: count": 0.8,
    "hashpart": 0.3,
    "sort on int64": 0.15,
    "sort on text across slices": 0.25,
}


def ds(sides, table):
    """A large dataset, written, read, moved and sorted."""
    acc, peer = sides
    for _ in range(REPS):
        base = fresh_base()
        found = {side.name: side.build("ds", ROWS=ROWS, BASE=base) for side in sides}
        for name, seconds in found.items():
            seconds["write, net"] = seconds["make and write them"] - seconds["make the rows"]
            table.add(f"{ROWS} rows, write, net of making them", name, seconds["write, net"], 0.5)
            for what, taken in seconds.items():
                if what not in ("wall", "cpu", "write, net"):
                    table.add(f"{ROWS} rows, {what}", name, taken, DS_WANTED.get(what))
        arrays = acc.build("dsarrays", ROWS=ROWS, BASE=base)
        for what, wanted, theirs in (("write", 0.2, "write, net"), ("sum", 0.15, "read: sum")):
            table.add(f"{ROWS} rows, {what} as arrays, the peer as values", "acc", arrays[what], wanted)
            table.add(f"{ROWS} rows, {what} as arrays, the peer as values", "peer", found[peer.name][theirs])


def csv(sides, table):
    """A large CSV file, imported, typed and exported."""
    acc = sides[0]
    data = WORK / f"big-{CSV_LINES}.csv"
    if not data.exists():
        gen.write_csv(data, CSV_LINES)
    megabytes = f"{data.stat().st_size / 1e6:.0f} MB of CSV"
    for rep in range(REPS):
        for side in sides:
            link = WORK / f"{side.name}-{fresh_base() + rep}.csv"
            link.symlink_to(data)
            found = side.build("csv", CSV=link)
            if side is acc:
                typed = acc.build("csvtyped", CSV=link)["csvimport"]
            link.unlink()
            both = found["csvimport"] + found["dataset_type"]
            table.add(f"{megabytes}, csvimport and dataset_type", side.name, both, 0.25)
            for what, wanted in (("csvimport", None), ("dataset_type", None), ("csvexport", 0.3)):
                table.add(f"{megabytes}, {what}", side.name, found[what], wanted)
            table.add(f"{megabytes}, typed in one job", side.name, typed if side is acc else both, 0.25)


def main(names):
    """Run the workloads called `names` and print their table."""
    workloads = {work.__name__: work for work in (overhead, chain, cli, ds, csv, store)}
    unknown = set(names) - set(workloads)
    if unknown:
        sys.exit(f"no workload '{min(unknown)}'; there are {' '.join(workloads)}")
    WORK.mkdir(exist_ok=True)
    table, before = Table(), os.getloadavg()[0]
    try:
        _measure([workloads[name] for name in names], table)
    finally:
        # what was measured is shown even if the last of it failed
        table.show()
        load = f"load before {before:.2f}, after {os.getloadavg()[0]:.2f}, of {os.cpu_count()} cores"
        print(f"\n{load}; {SLICES} slices")


def _measure(workloads, table):
    if store in workloads:
        store(table)
    engine = [work for work in workloads if work is not store]
    if engine:
        with Acc() as acc, Peer() as peer:
            for work in engine:
                print(f"measuring {work.__name__} ...", file=sys.stderr)
                work((acc, peer), table)


if __name__ == "__main__":
    try:
        main(sys.argv[1:] or ["overhead", "chain", "cli"])
    except subprocess.CalledProcessError as error:
        sys.exit(str(error))
