"""Three months of flights from New York, from CSV files to a table and a plot of delays."""

MONTHS = ["2013-01", "2013-02", "2013-03"]

AIRLINE_COLUMNS = {"carrier": "ascii", "name": "unicode:utf-8"}
FLIGHT_COLUMNS = {
    "time_hour": "datetime:%Y-%m-%dT%H:%M:%SZ",
    "hour": "int32_10",
    "carrier": "ascii",
    "flight": "int32_10",
    "tailnum": "ascii",
    "origin": "ascii",
    "dest": "ascii",
    "dep_delay": "int32_10",
    "arr_delay": "int32_10",
    "distance": "int32_10",
}


def main(urd):
    imported = urd.build("csvimport", filename="airlines.csv")
    airlines = urd.build("dataset_type", source=imported, column2type=AIRLINE_COLUMNS)

    imported = typed = flights = None
    for month in MONTHS:
        imported = urd.build("csvimport", filename=f"flights-{month}.csv.gz", previous=imported)
        typed = urd.build(
            "dataset_type",
            source=imported,
            previous=typed,
            column2type=FLIGHT_COLUMNS,
            none_values=("", "NA"),
            discard_untyped=True,
        )
        flights = urd.build("add_airline", source=typed, airlines=airlines, previous=flights)

    delays = urd.build("delays", source=flights)
    delays.link_result("delays.json")
    plot = urd.build("plot_delays", delays=delays)
    plot.link_result("delays.png")
