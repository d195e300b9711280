import os

from bench import gen
from bench.steps import Steps

description = "what must take the same memory however large its input is"


def main(urd):
    rows, rep = int(os.environ["BENCH_ROWS"]), int(os.environ["BENCH_BASE"])
    given = {"filename": os.environ["BENCH_CSV"], "quotes": '"'}
    steps = Steps()
    with steps.step("csvimport"):
        urd.build("csvimport", **given)
    with steps.step("csvimport with types"):
        typed = urd.build("csvimport", column2type=gen.CSV_TYPES, **given)
    with steps.step("csvexport"):
        urd.build("csvexport", source=typed, filename="out.csv", quote_fields='"')
    source = urd.build("dsarrays", rows=rows, write=True, rep=rep)
    for parallel in (False, True):
        with steps.step("iterate, in analysis" if parallel else "iterate"):
            urd.build("dsiter", source=source, what="tuples", parallel=parallel, rep=rep)
    with steps.step("hashpart"):
        urd.build("dataset_hashpart", source=source, hashlabel="c_str")
    steps.write()
