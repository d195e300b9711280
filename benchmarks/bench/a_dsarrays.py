description = "write columns as arrays, or only make them (write=False)"

options = {"rows": 5_000_000, "write": True, "rep": 0}

BATCH_ROWS = 100_000


def prepare(job):
    if not options.write:
        return None
    return job.datasetwriter(
        columns={"a_int": "int64", "b_float": "float64", "c_str": "unicode", "d_date": "date"}
    )


def analysis(sliceno, slices, prepare_res):
    import numpy as np  # the peer, which loads all methods, has none

    from bench import gen

    random = np.random.default_rng(sliceno)
    words, dates = np.array(gen.WORDS, object), np.array(gen.DATES, "datetime64[D]")
    for start in range(0, options.rows // slices, BATCH_ROWS):
        count = min(BATCH_ROWS, options.rows // slices - start)
        columns = {
            "a_int": random.integers(-(1 << 39), 1 << 39, count),
            "b_float": random.integers(0, 1_000_003, count) / 997.0,
            "c_str": words[random.integers(0, len(words), count)],
            "d_date": dates[random.integers(0, len(dates), count)],
        }
        if options.write:
            prepare_res.write_arrays(columns)
