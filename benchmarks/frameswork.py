"""What data frames are measured at: `frameswork.py LIBRARY OPERATION FILE`, in a new process for each measurement.

Prints JSON: the seconds that the operation took, without imports, and the peak of the memory. `csv` reads a CSV file
as bench/gen.py writes it; the others read a Parquet file, and what they make stays in memory.
"""

import json
import os
import sys
from time import perf_counter

from processtree import peak_bytes

CORES = 2


class Polars:
    def __init__(self):
        import polars

        self.polars = polars

    def csv(self, path):
        types = {"small": self.polars.Int32}
        frame = self.polars.scan_csv(path, schema_overrides=types, try_parse_dates=True).collect()
        assert [str(kind) for kind in frame.dtypes] == [
            *("Int64", "Int32", "Int64", "Float64", "Float64"),
            *("Date", "Datetime(time_unit='us', time_zone=None)", "String", "String", "String"),
        ], frame.dtypes
        return frame

    def group(self, path):
        return self.polars.scan_parquet(path).group_by("c_str").len().collect()

    def sort(self, path):
        return self.polars.scan_parquet(path).sort("a_int").collect()

    def sum(self, path):
        return self.polars.scan_parquet(path).select(self.polars.col("a_int").sum()).collect()


class Duckdb:
    def __init__(self):
        import duckdb

        self.connection = duckdb.connect()

    def csv(self, path):
        types = {
            "id": "bigint", "small": "integer", "big": "bigint", "f1": "double", "f2": "double", "day": "date",
            "ts": "timestamp", "word": "varchar", "text": "varchar", "uni": "varchar",
        }  # fmt: skip
        return self._make(f"from read_csv('{path}', header = true, columns = {types})")

    def group(self, path):
        return self._make(f"select c_str, count(*) from '{path}' group by c_str")

    def sort(self, path):
        return self._make(f"from '{path}' order by a_int")

    def sum(self, path):
        return self._make(f"select sum(a_int) from '{path}'")

    def _make(self, query):
        return self.connection.execute(f"create table made as {query}")


class Pandas:
    def __init__(self):
        import pandas
        import pyarrow.parquet  # noqa: F401 - pandas would import it in its first read_parquet

        self.pandas = pandas

    def csv(self, path):
        return self.pandas.read_csv(path, dtype={"small": "int32"}, parse_dates=["day", "ts"])

    def group(self, path):
        return self.pandas.read_parquet(path, columns=["c_str"]).groupby("c_str").size()

    def sort(self, path):
        return self.pandas.read_parquet(path).sort_values("a_int")

    def sum(self, path):
        return self.pandas.read_parquet(path, columns=["a_int"])["a_int"].sum()


LIBRARIES = {library.__name__.lower(): library for library in (Polars, Duckdb, Pandas)}

if __name__ == "__main__":
    # before anything is imported: each library takes as many threads as there are cores
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    library, operation, path = sys.argv[1:]
    work = getattr(LIBRARIES[library](), operation)
    start = perf_counter()
    made = work(path)  # kept: to free it is no part of the work
    print(json.dumps({"seconds": perf_counter() - start, "peak_bytes": peak_bytes()}))
