from time import monotonic

description = "sum a column over arrays, all slices one after another; result: how many seconds that took"

options = {"rep": 0}
datasets = ("source",)


def synthesis():
    start = monotonic()
    total = 0
    for batch in datasets.source.arrays(None, "a_int"):
        total += int(batch["a_int"].sum())
    return monotonic() - start
