"""analysis_res comes in slice order, and what synthesis does not ask for is not kept."""


def analysis(sliceno):
    return sliceno * 10


def synthesis(analysis_res):
    return list(analysis_res)
