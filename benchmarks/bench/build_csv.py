import os

from bench import gen
from bench.steps import Steps

description = (
    "CSV to typed columns and back; with BENCH_ONE_JOB typed columns at once, which the peer has not"
)


def main(urd):
    steps = Steps()
    urd.build("trivial", n=int(os.environ["BENCH_BASE"]))
    given = {"filename": os.environ["BENCH_CSV"], "quotes": '"'}
    if "BENCH_ONE_JOB" in os.environ:
        with steps.step("csvimport with types"):
            urd.build("csvimport", column2type=gen.CSV_TYPES, **given)
    else:
        with steps.step("csvimport"):
            imported = urd.build("csvimport", **given)
        with steps.step("dataset_type"):
            typed = urd.build("dataset_type", source=imported, column2type=gen.CSV_TYPES)
        with steps.step("csvexport"):
            urd.build("csvexport", source=typed, filename="out.csv", quote_fields='"')
    steps.write()
