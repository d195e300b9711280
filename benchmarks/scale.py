"""The workloads `scale` and `slices`: what a job and a command cost where there are many jobs, or many slices."""

import sys

from sides import JOBS, REPS, WORK, Acc, Peer, fresh_base, run_script, timed

SIZES = (100, 1_000, 10_000, 100_000)
SHOWN = 20
FEW_SLICES, MANY_SLICES = 1, 33
REUSED = 100


def scale(_sides, table):
    """Reuse a job, run one and list some, with more and more jobs in the store; of acc alone."""
    base = fresh_base()
    projects = {size: Acc(name=f"many-{size}").__enter__() for size in SIZES}
    for size, acc in projects.items():
        acc.build("empty")
        run_script("manyjobs.py", base, size, folder=acc.folder)
    for _ in range(max(REPS, 5)):
        for what, wanted, build in (
            (
                "a reused job",
                1.25,
                lambda acc, size: acc.build("overhead", N=REUSED, BASE=base + size // 2 - 50),
            ),
            (
                "a new trivial job",
                1.25,
                lambda acc, _: acc.build("overhead", N=REUSED // 5, BASE=fresh_base()),
            ),
        ):
            found = {size: build(acc, size)["per_job"] for size, acc in projects.items()}
            for size, per_job in found.items():
                row = f"{what}, {size:,} jobs in the store"
                table.add(row, "acc", per_job, wanted)
                table.add(row, f"of {SIZES[0]}", found[SIZES[0]])
        for size, acc in projects.items():
            row = f"cold: log -n {SHOWN} of {size:,} jobs, against python -c pass"
            table.add(row, "acc", acc.run("log", "-n", str(SHOWN)), 10)
            table.add(row, "python", timed([sys.executable, "-c", "pass"], WORK)[0])


def slices(_sides, table):
    """What a slice adds to a job whose analysis does nothing."""
    with (
        Acc(FEW_SLICES) as acc,
        Acc(MANY_SLICES) as sliced_acc,
        Peer(FEW_SLICES) as peer,
        Peer(MANY_SLICES) as sliced_peer,
    ):
        row = "a further slice"
        table.row(row, limit=0.004)
        for _ in range(max(REPS, 5)):
            for few, many in ((acc, sliced_acc), (peer, sliced_peer)):
                one, all_of_them = (_sliced_job(side) for side in (few, many))
                table.add(row, few.name, (all_of_them - one) / (MANY_SLICES - FEW_SLICES))


def _sliced_job(side):
    """Return the seconds of a job with analysis, once the build has what it starts only once."""
    return side.build("overhead", N=JOBS // 10, BASE=fresh_base(), METHOD="sliced")["median"]
