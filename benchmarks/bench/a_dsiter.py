from time import monotonic

description = (
    "iterate a dataset, in one process or all slices; result: how many seconds that took, and a check"
)

options = {"what": "sum", "parallel": False, "rep": 0}
datasets = ("source",)


def analysis(sliceno):
    return timed(sliceno) if options.parallel else None


def synthesis(analysis_res):
    if not options.parallel:
        return timed(None)
    seconds, checks = zip(*analysis_res, strict=True)
    return max(seconds), checks


def timed(sliceno):
    start = monotonic()
    check = {"sum": total, "tuples": count_rows, "count": count_words}[options.what](sliceno)
    return monotonic() - start, check


def total(sliceno):
    return sum(datasets.source.iterate(sliceno, "a_int"))


def count_rows(sliceno):
    rows = 0
    for _a, _b, _c, _d in datasets.source.iterate(sliceno, ["a_int", "b_float", "c_str", "d_date"]):
        rows += 1
    return rows


def count_words(sliceno):
    counts = {}
    get = counts.get
    for word in datasets.source.iterate(sliceno, "c_str"):
        counts[word] = get(word, 0) + 1
    return len(counts)
