description = (
    "one link of a chain of datasets of 100 columns; the first has a row a slice, the others have its columns"
)

options = {"n": 0}
datasets = ("previous",)

COLUMNS = [f"column {number}" for number in range(100)]


def synthesis(job, slices):
    if datasets.previous:
        # to write the files of 1,000 such datasets would take the peer many minutes
        datasets.previous.link_to_here(override_previous=datasets.previous)
        return
    writer = job.datasetwriter(columns=dict.fromkeys(COLUMNS, "int64"))
    row = [options.n + number for number in range(len(COLUMNS))]
    for sliceno in range(slices):
        writer.set_slice(sliceno)
        writer.write(*row)
