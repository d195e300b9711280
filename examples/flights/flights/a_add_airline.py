"""Add a column with the airline's name to every flight."""

datasets = ("source", "airlines", "previous")


def prepare(job, datasets):
    names = dict(datasets.airlines.iterate(None, ["carrier", "name"]))
    writer = job.datasetwriter(parent=datasets.source, previous=datasets.previous)
    writer.add("airline", "unicode")
    return names, writer


def analysis(sliceno, prepare_res, datasets):
    names, writer = prepare_res
    for carrier in datasets.source.iterate(sliceno, "carrier"):
        writer.write(names[carrier])
