description = "Sum prices per colour, in parallel"

options = dict(
    unit="EUR",  # what the prices are in
    factor=1.0,
)
datasets = ("source",)
jobs = ("previous",)


def prepare(job, slices, options, params):
    print("preparing", options.unit)
    assert job.params.options.unit == params.options.unit
    return {"slices": slices, "factor": options.factor}


def analysis(sliceno, prepare_res, datasets):
    print("slice", sliceno)
    totals = {}
    for colour, price in datasets.source.iterate(sliceno, ["colour", "price"]):
        if price is not None:
            totals[colour] = totals.get(colour, 0) + price * prepare_res["factor"]
    return totals, {sliceno}


def synthesis(analysis_res, prepare_res, options, jobs):
    totals, slices = analysis_res.merge_auto()
    assert slices == set(range(prepare_res["slices"]))
    print("synthesis of", sorted(totals))
    before = jobs.previous.load()["depth"] if jobs.previous else 0
    return {"totals": totals, "unit": options.unit, "depth": before + 1}
