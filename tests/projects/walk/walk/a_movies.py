description = "Two datasets: one written in analysis, one whole in synthesis"


def prepare(job):
    dw = job.datasetwriter(name="movies")
    dw.add("moviename", "unicode")
    dw.add("year", "int32", none_support=True)
    return dw


def analysis(sliceno, prepare_res):
    dw = prepare_res
    for number in range(4):
        dw.write(f"movie {sliceno}.{number}", 1990 + number if number else None)


def synthesis(job):
    dw = job.datasetwriter(columns={"n": "int64", "word": "ascii"})
    write = dw.get_split_write()
    for n in range(10):
        write(n, "x" * n)
    dw.finish()
    chosen = job.datasetwriter(name="chosen", columns={"n": "number"})
    for sliceno in range(job.slices):
        chosen.set_slice(sliceno)
        chosen.write(sliceno)
