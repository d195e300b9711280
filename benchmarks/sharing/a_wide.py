import numpy as np

description = "a dataset of many columns"

options = {"columns": 100, "rows": 100_000}


def prepare(job):
    return job.datasetwriter(columns={f"c{number}": "int64" for number in range(options.columns)})


def analysis(sliceno, prepare_res):
    random = np.random.default_rng(sliceno)
    prepare_res.write_arrays(
        {f"c{number}": random.integers(0, 1 << 39, options.rows) for number in range(options.columns)}
    )
