import json
import os
from time import monotonic

description = "write a large dataset, then read it in several ways"


def main(urd):
    rows, rep = int(os.environ["BENCH_ROWS"]), int(os.environ["BENCH_BASE"])
    seconds = {}
    for name, write in (("make the rows", False), ("make and write them", True)):
        start = monotonic()
        job = urd.build("dswrite", rows=rows, write=write, rep=rep)
        seconds[name] = monotonic() - start
    for what in ("sum", "tuples", "count"):
        for parallel in (False, True):
            read = urd.build("dsiter", source=job, what=what, parallel=parallel, rep=rep)
            seconds[f"read: {what}" + (", in analysis" if parallel else "")] = read.load()[0]
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump(seconds, file)
