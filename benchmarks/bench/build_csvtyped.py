import json
import os
from time import monotonic

from bench import gen

description = "CSV to typed columns in one job"


def main(urd):
    start = monotonic()
    urd.build("csvimport", filename=os.environ["BENCH_CSV"], quotes='"', column2type=gen.CSV_TYPES)
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump({"csvimport": monotonic() - start}, file)
