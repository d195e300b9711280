"""The workloads `overhead`, `chain` and `cli`: what jobs, chains and commands cost by themselves."""

import os
import sys

from sides import JOBS, REPS, WORK, Acc, Peer, fresh_base, timed

LINKS = int(os.environ.get("BENCH_LINKS", "1000"))
WIDE_SLICES = 8


def overhead(sides, table):
    """Many trivial jobs, new and then again."""
    for side in sides:
        side.build("empty")  # both load what they load only once
    for _ in range(REPS):
        base = fresh_base()
        for side in sides:
            found = side.build("overhead", N=JOBS, BASE=base)
            table.add("a new trivial job", side.name, found["per_job"], 0.4)
            table.add("a new trivial job, CPU of all processes", side.name, found["cpu"] / JOBS)
        for side in sides:
            found = side.build("overhead", N=JOBS, BASE=base)
            table.add("a reused job", side.name, found["per_job"], 0.1)
            table.add(f"{JOBS} reused jobs, from the start of the command", side.name, found["wall"], 0.5)
        for side in sides:
            table.add("a build of no job, cold", side.name, side.build("empty")["wall"], 0.5)


def chain(sides, table):
    """Long chains of jobs and of datasets: built, built again, opened."""
    for method, what in (("chainjob", f"{LINKS:,} jobs"), ("dschainjob", f"{LINKS:,} datasets")):
        base = fresh_base()
        for again, wanted in (("a new link", 0.4 if method == "chainjob" else None), ("a reused link", None)):
            row = f"chain of {what}: {again}"
            tips = [_build_chain(side, table, method, base, row, wanted) for side in sides]
        _open_chain(sides, tips, table, method, what)
    with Acc(WIDE_SLICES) as acc, Peer(WIDE_SLICES) as peer:
        sides, what = (acc, peer), f"{LINKS:,} datasets, 100 x {WIDE_SLICES}"
        tips = [_build_chain(side, table, "dswidejob", 0, f"chain of {what}: a link") for side in sides]
        _open_chain(sides, tips, table, "dswidejob", what)


def _build_chain(side, table, method, base, what, wanted=None):
    """Build a chain, and return its last link."""
    found = side.build("chain", N=LINKS, BASE=base, METHOD=method)
    table.add(what, side.name, found["per_job"], wanted)
    return found["tip"]


def _open_chain(sides, tips, table, method, what):
    """Note how long it takes to open chains by their last links, each in a new process."""
    wanted = 0.3 if method == "chainjob" else 0.5
    for _ in range(max(REPS, 5)):
        for side, tip in zip(sides, tips, strict=True):
            found = side.build("walk", TIP=tip, METHOD=method)
            assert found["length"] == LINKS
            table.add(f"chain of {what}: walk, cold", side.name, found["cold"], wanted)
            if "lines" in found:
                table.add(f"chain of {what}: walk and lines, cold", side.name, found["lines"])
            table.add(f"chain of {what}: walk, warm", side.name, found["warm"])


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
