import json
import os
from time import monotonic

description = "many trivial jobs, one after another"


def main(urd):
    count, base = int(os.environ["BENCH_N"]), int(os.environ["BENCH_BASE"])
    method = os.environ.get("BENCH_METHOD", "trivial")
    seconds = []
    for n in range(base, base + count):
        start = monotonic()
        urd.build(method, n=n)
        seconds.append(monotonic() - start)
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump({"per_job": sum(seconds) / count, "median": sorted(seconds)[count // 2]}, file)
