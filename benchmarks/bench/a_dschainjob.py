description = "one link of a chain of datasets, one row a slice"

options = {"n": 0}
datasets = ("previous",)


def prepare(job):
    return job.datasetwriter(columns={"v": "int64"}, previous=datasets.previous)


def analysis(sliceno, prepare_res):
    prepare_res.write(options.n)
