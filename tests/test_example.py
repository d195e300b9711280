"""The example project: it builds from nothing, and a second time everything is reused."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FLIGHTS = Path(__file__).parent.parent / "examples" / "flights"
NOT_COMMITTED = shutil.ignore_patterns(".acc", "results", "__pycache__")


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("example") / "flights"
    shutil.copytree(FLIGHTS, folder, ignore=NOT_COMMITTED)
    acc("build", folder=folder)
    return folder


def acc(*arguments, folder):
    command = [sys.executable, "-m", "acc", *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout


def labels(folder):
    return [job["label"] for job in json.loads(acc("log", "--json", folder=folder))]


def test_the_table_counts_each_flight_that_departed(project):
    table = json.loads((project / "results" / "delays.json").read_text())
    assert sum(row["flights"] for row in table) == 78_146
    assert {row["airline"] for row in table} >= {"Delta Air Lines Inc.", "Hawaiian Airlines Inc."}


def test_the_plot_is_a_png_in_its_job(project):
    plot = project / "results" / "delays.png"
    assert plot.read_bytes().startswith(b"\x89PNG")
    assert plot.resolve().parent.name in labels(project)


def test_a_second_build_makes_no_job(project):
    before = labels(project)
    acc("build", folder=project)
    assert labels(project) == before


def test_a_comment_in_a_method_runs_that_method_alone(project):
    before = len(labels(project))
    with open(project / "flights" / "a_delays.py", "a") as file:
        file.write("\n# a comment\n")
    acc("build", folder=project)
    assert len(labels(project)) == before + 1
