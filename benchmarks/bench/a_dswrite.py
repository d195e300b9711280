description = "write rows of four columns, or only make them (write=False)"

options = {"rows": 5_000_000, "write": True, "rep": 0}


def prepare(job):
    if not options.write:
        return None
    return job.datasetwriter(
        columns={"a_int": "int64", "b_float": "float64", "c_str": "unicode", "d_date": "date"}
    )


def analysis(sliceno, slices, prepare_res):
    # here, so that both sides pay for it in each slice: the peer loads methods when its server starts
    from bench import gen

    rows = gen.rows(options.rows * sliceno // slices, options.rows * (sliceno + 1) // slices)
    write = prepare_res.write_list if options.write else bool
    for row in rows:
        write(row)
