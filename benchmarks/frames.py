"""The workload `frames`: acc's standard methods beside polars, duckdb and pandas."""

from importlib.util import find_spec

from datasets import CSV_LINES, ROWS, csv_file
from frameswork import LIBRARIES
from sides import REPS, WORK, fresh_base, run_script


def frames(sides, table):
    """A CSV file read and typed; rows counted, sorted and summed: by acc, and in memory by each library."""
    acc, _ = sides
    installed = [name for name in LIBRARIES if find_spec(name)]
    for name in LIBRARIES:
        if name not in installed:
            table.note(f"{name} is not installed, so it was left out")
    csv = csv_file(CSV_LINES)
    rows = {
        "csv": table.row(f"{csv.stat().st_size / 1e6:.0f} MB of CSV to typed columns"),
        "group": table.row(f"{ROWS:,} rows, counted by text"),
        "sort": table.row(f"{ROWS:,} rows, all sorted on int64"),
        "sum": table.row(f"{ROWS:,} rows, sum of int64"),
    }
    given = {"ROWS": ROWS, "CSV": csv}
    for _ in range(REPS):
        acc.fresh()
        found = acc.build("frames", BASE=fresh_base(), **given)
        parquet = WORK / "rows.parquet"
        parquet.unlink(missing_ok=True)
        parquet.hardlink_to(found["parquet"])
        for operation, row in rows.items():
            row.add("acc", found["seconds"][operation])
            for name in installed:
                measured = run_script(
                    "frameswork.py", name, operation, csv if operation == "csv" else parquet
                )
                row.add(name, measured["seconds"])
                row.add_memory(name, measured["peak_bytes"])
    acc.fresh()
    for operation, count in acc.watch("frames", BASE=fresh_base(), **given).items():
        rows[operation].add_memory("acc", count)
