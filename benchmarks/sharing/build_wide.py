import os

description = "a dataset of 100 columns; with BENCH_COLUMN the sum of that one"


def main(urd):
    source = urd.build("wide", rows=int(os.environ["BENCH_ROWS"]))
    if "BENCH_COLUMN" in os.environ:
        urd.build("total", source=source, column=os.environ["BENCH_COLUMN"])
