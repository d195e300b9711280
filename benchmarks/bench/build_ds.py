import os

from bench.steps import Steps

description = "write a large dataset, then read it in several ways, move and sort its rows"


def main(urd):
    rows, rep = int(os.environ["BENCH_ROWS"]), int(os.environ["BENCH_BASE"])
    steps = Steps()
    urd.build("trivial", n=rep)  # the first job starts more than itself
    for name, write in (("make the rows", False), ("make and write them", True)):
        with steps.step(name):
            job = urd.build("dswrite", rows=rows, write=write, rep=rep)
    for what in ("sum", "tuples", "count"):
        for parallel in (False, True):
            name = f"read: {what}" + (", in analysis" if parallel else "")
            with steps.step(name):
                read = urd.build("dsiter", source=job, what=what, parallel=parallel, rep=rep)
            steps.seconds[name] = read.load()[0]  # of reading alone
    for name, method, options in (
        ("hashpart", "dataset_hashpart", {"hashlabel": "c_str"}),
        ("sort on int64", "dataset_sort", {"sort_columns": "a_int"}),
        ("sort on text across slices", "dataset_sort", {"sort_columns": "c_str", "sort_across_slices": True}),
    ):
        with steps.step(name):
            urd.build(method, source=job, **options)
    steps.write(job=job)
