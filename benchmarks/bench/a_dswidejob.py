description = "one link of a chain of datasets of 100 columns, one row a slice"

options = {"n": 0}
datasets = ("previous",)

COLUMNS = [f"column {number}" for number in range(100)]


def synthesis(job, slices):
    writer = job.datasetwriter(columns=dict.fromkeys(COLUMNS, "int64"), previous=datasets.previous)
    row = [options.n + number for number in range(len(COLUMNS))]
    for sliceno in range(slices):
        writer.set_slice(sliceno)
        writer.write(*row)
