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
    for what, method, options in (
        ("hashpart", "dataset_hashpart", {"hashlabel": "c_str"}),
        ("sort on int64", "dataset_sort", {"sort_columns": "a_int"}),
        ("sort on text across slices", "dataset_sort", {"sort_columns": "c_str", "sort_across_slices": True}),
    ):
        start = monotonic()
        urd.build(method, source=job, **options)
        seconds[what] = monotonic() - start
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump(seconds, file)
