"""Plot the table of delays: a row for each airline, a column for each hour."""

import numpy as np
from matplotlib.figure import Figure

jobs = ("delays",)


def synthesis(job, jobs):
    table = jobs.delays.load()
    airlines = sorted({row["airline"] for row in table}, reverse=True)
    hours = range(min(row["hour"] for row in table), max(row["hour"] for row in table) + 1)
    delays = np.full((len(airlines), len(hours)), np.nan)
    for row in table:
        delays[airlines.index(row["airline"]), hours.index(row["hour"])] = row["mean_delay"]
    figure = draw(delays, airlines, hours)
    with job.open("delays.png", "wb") as file:
        figure.savefig(file, dpi=150, metadata={"Software": None})


def draw(delays, airlines, hours):
    # a Figure of its own, without pyplot, needs no display and leaves nothing behind
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    cells = axes.pcolormesh(delays, cmap="YlOrRd", vmin=0, vmax=60, edgecolors="white")
    axes.set_xticks(np.arange(len(hours)) + 0.5, hours)
    axes.set_yticks(np.arange(len(airlines)) + 0.5, airlines)
    axes.set_title("Mean delay at departure from New York")
    axes.set_xlabel("scheduled hour")
    figure.colorbar(cells, label="minutes", extend="both")
    return figure
