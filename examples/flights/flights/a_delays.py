"""Compute the mean delay at departure of each airline in each hour of the day."""

from collections import Counter

datasets = ("source",)


def analysis(sliceno, datasets):
    flights = Counter()
    minutes = Counter()
    for airline, hour, delay in datasets.source.iterate_chain(sliceno, ["airline", "hour", "dep_delay"]):
        if delay is not None:  # a cancelled flight never departed
            flights[airline, hour] += 1
            minutes[airline, hour] += delay
    return flights, minutes


def synthesis(job, analysis_res):
    flights, minutes = analysis_res.merge_auto()
    table = [
        {"airline": airline, "hour": hour, "flights": count, "mean_delay": minutes[airline, hour] / count}
        for (airline, hour), count in sorted(flights.items())
    ]
    job.json_save(table, "delays.json")
    return table
