import json
import os
from time import monotonic

from bench import gen

description = "CSV to typed columns and back"


def main(urd):
    seconds = {}

    def timed(method, **inputs):
        start = monotonic()
        job = urd.build(method, **inputs)
        seconds[method] = monotonic() - start
        return job

    # a file name that no earlier run had makes every job new
    imported = timed("csvimport", filename=os.environ["BENCH_CSV"], quotes='"')
    typed = timed("dataset_type", source=imported, column2type=gen.CSV_TYPES)
    timed("csvexport", source=typed, filename="out.csv", quote_fields='"')
    with open(os.environ["BENCH_OUT"], "w") as file:
        json.dump(seconds, file)
