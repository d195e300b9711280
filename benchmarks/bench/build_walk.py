import json
import os
from time import monotonic

try:
    from acc import Dataset, Job
except ImportError:
    from accelerator import Job
    from accelerator.dataset import Dataset

description = "open a chain of jobs or of datasets: as the first that a process does, and again"


def main(urd):
    spec, is_job = os.environ["BENCH_TIP"], os.environ["BENCH_METHOD"] == "chainjob"
    start = monotonic()
    tip = Job(spec) if is_job else Dataset(spec)
    chain = tip.chain()
    found = {"length": len(chain), "cold": monotonic() - start}
    if not is_job:
        found["rows"] = chain.lines()
        found["lines"] = monotonic() - start
    start = monotonic()
    tip.chain()
    found["warm"] = monotonic() - start
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump(found, file)
