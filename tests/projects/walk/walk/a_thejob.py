jobs = ("previous",)


def synthesis(jobs):
    return jobs.previous.load() + 1 if jobs.previous else 1
