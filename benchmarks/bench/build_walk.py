import json
import os
from time import monotonic

try:
    from acc import Dataset, Job
except ImportError:
    from accelerator import Job
    from accelerator.dataset import Dataset

description = "walk a chain of jobs or of datasets, cold and then warm"


def main(urd):
    kind = {"chainjob": Job, "dschainjob": Dataset}[os.environ["BENCH_METHOD"]]
    tip = kind(os.environ["BENCH_TIP"])
    start = monotonic()
    chain = tip.chain()
    cold = monotonic() - start
    tip.chain()
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump({"cold": cold, "warm": monotonic() - start - cold, "length": len(chain)}, file)
