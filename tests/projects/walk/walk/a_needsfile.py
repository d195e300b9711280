from acc import JobWithFile, RequiredOption

options = dict(thefile=RequiredOption(JobWithFile()))


def synthesis(options):
    return options.thefile.json_load(), options.thefile.load_json()
