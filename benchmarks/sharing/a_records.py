from sharing.contents import record

description = "files of 2 KB each"

options = {"count": 10_000}


def synthesis(job):
    for number in range(options.count):
        with job.open(f"{number:05d}.json", "wb") as file:
            file.write(record(number))
