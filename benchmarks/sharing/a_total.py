description = "the sum of one column"

options = {"column": "c0"}
datasets = ("source",)


def synthesis():
    return sum(int(batch[options.column].sum()) for batch in datasets.source.arrays(None, options.column))
