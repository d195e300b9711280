import json
import os
from time import monotonic

description = "write a large dataset from arrays, and sum a column of it over arrays"


def main(urd):
    rows, rep = int(os.environ["BENCH_ROWS"]), int(os.environ["BENCH_BASE"])
    seconds = []
    for write in (False, True):
        start = monotonic()
        job = urd.build("dsarrays", rows=rows, write=write, rep=rep)
        seconds.append(monotonic() - start)
    read = urd.build("dssum", source=job, rep=rep)
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump({"write": seconds[1] - seconds[0], "sum": read.load()}, file)
