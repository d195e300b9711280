import os

from bench import gen
from bench.steps import Steps

description = (
    "what data frames are asked for; and the dataset as a Parquet file, $BENCH_PARQUET, for them to read"
)


def main(urd):
    rows, rep = int(os.environ["BENCH_ROWS"]), int(os.environ["BENCH_BASE"])
    steps = Steps()
    source = urd.build("dsarrays", rows=rows, write=True, rep=rep)
    with steps.step("csv"):
        urd.build("csvimport", filename=os.environ["BENCH_CSV"], quotes='"', column2type=gen.CSV_TYPES)
    with steps.step("group"):
        urd.build("dataset_aggregate", source=source, group_by=["c_str"], aggregates={"rows": "count"})
    with steps.step("sort"):
        urd.build("dataset_sort", source=source, sort_columns="a_int", sort_across_slices=True)
    with steps.step("sum"):
        read = urd.build("dssum", source=source, rep=rep)
    steps.seconds["sum"] = read.load()
    exported = urd.build("parquetexport", source=source, filename="rows.parquet")
    steps.write(parquet=str(exported.filename("rows.parquet")))
