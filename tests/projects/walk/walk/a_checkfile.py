from acc import JobWithFile

options = dict(thefile=JobWithFile(), sliced=JobWithFile)


def synthesis(options, slices):
    if options.thefile is None:
        return None
    with options.thefile.open("rb") as fh:
        content = fh.read()
    with open(options.thefile.filename(), "rb") as fh:
        assert fh.read() == content
    parts = [options.sliced.load(sliceno=n)["slice"] for n in range(slices)] if options.sliced else []
    return options.thefile.load(), parts
