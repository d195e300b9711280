import json
import os
from time import monotonic

description = "a chain of jobs or of datasets"


def main(urd):
    count, base = int(os.environ["BENCH_N"]), int(os.environ["BENCH_BASE"])
    tip = None
    start = monotonic()
    for n in range(base, base + count):
        tip = urd.build(os.environ["BENCH_METHOD"], n=n, previous=tip)
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump({"per_job": (monotonic() - start) / count, "tip": tip}, file)
