description = "Every way to leave results"

options = dict(tail=3)


def analysis(sliceno, job):
    job.save({"slice": sliceno}, "part", sliceno=sliceno)
    job.json_save([sliceno, sliceno], "numbers.json", sliceno=sliceno)
    with job.open("lines.txt", "w", sliceno=sliceno) as fh:
        fh.write(f"line of {sliceno}\n")
    job.save("gone", "temporary", sliceno=sliceno, temp=True)


def synthesis(job, slices, options):
    assert [job.load("part", sliceno=n)["slice"] for n in range(slices)] == list(range(slices))
    assert job.load("temporary", sliceno=0) == "gone"
    job.save({1, 2, 3}, "name.pickle")
    job.json_save({"b": 1, "a": [1.5, None]}, "name.json")
    with job.open("plot.png", "wb") as fh:
        fh.write(b"\x89PNG not really")
    with open("by hand.txt", "w") as fh:
        fh.write("left in the current directory")
    job.register_file("by hand.txt")
    with open("forgotten.txt", "w") as fh:
        fh.write("not registered, so not kept")
    job.save("first")
    return "last" + "!" * options.tail
