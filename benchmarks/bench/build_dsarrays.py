import os

from bench.steps import Steps

description = "write a large dataset from arrays, and sum a column of it over arrays"


def main(urd):
    rows, rep = int(os.environ["BENCH_ROWS"]), int(os.environ["BENCH_BASE"])
    steps = Steps()
    urd.build("trivial", n=rep)
    for name, write in (("make", False), ("write", True)):
        with steps.step(name):
            job = urd.build("dsarrays", rows=rows, write=write, rep=rep)
    steps.seconds["write"] -= steps.seconds["make"]
    with steps.step("sum"):
        read = urd.build("dssum", source=job, rep=rep)
    steps.seconds["sum"] = read.load()
    steps.write()
