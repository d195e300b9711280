"""Outcomes of standard methods: the same in processes as in one, and as long as their version is."""

import importlib
import json

import pytest

from jobs.builder import Wish
from jobs.errors import JobFailed
from jobs.execution.executors.processes import ProcessExecutor
from jobs.execution.executors.serial import SerialExecutor
from jobs.method.arguments import Arguments
from porcelain import config
from porcelain.project import Project

TEXT = b"a,b,c\n" + b"".join(b'%d,%d.5,"x\n%d"\n' % (n, n % 7, n) for n in range(500)) + b"bad\n1,NA,z\n"
TYPES = {"a": "int64_10", "b": "float64", "c": "ascii"}


@pytest.fixture
def processes():
    executor = ProcessExecutor(config.job_environment())
    yield executor
    executor.close()


def build_all(root, executor):
    """Return the outcomes of some jobs, each under the name and version of its method and what it is."""
    (root / "input").mkdir(parents=True)
    (root / "input" / "x.csv").write_bytes(TEXT)
    (root / "acc.toml").write_text('[project]\nslices = 3\ninput_directory = "input"\ndurability = "none"\n')
    outcomes = {}
    with Project(config.load(root), executor=executor) as project:

        def build(method, what, **arguments):
            job = project.builder.build(method, Arguments({}, {}, {}), arguments, Wish()).job
            version = importlib.import_module(f"porcelain.methods.a_{method}").version
            outcomes[f"{method} {version}: {what}"] = job.row.outcome
            return job

        imported = build("csvimport", "quotes, a bad line", filename="x.csv", quotes='"', allow_bad=True)
        with pytest.raises(JobFailed, match=r"column 'b' .* 'NA' is no float64"):
            build("dataset_type", "fails", source=imported, column2type={"b": "float64"})
        build("dataset_type", "extends", source=imported, column2type=TYPES, none_values=("", "NA"))
        typed = build(
            "dataset_type", "moves, drops", source=imported, column2type=TYPES, hashlabel="a", filter_bad=True
        )
        build("csvexport", "one file", source=typed, quote_fields='"')
        build("csvexport", "sliced", source=typed, labels=["b"], sliced=True)
    return outcomes


def test_outcomes_are_the_same_in_processes_as_in_one(tmp_path, processes):
    assert build_all(tmp_path / "apart", processes) == build_all(tmp_path / "together", SerialExecutor())


def test_an_outcome_changes_only_with_the_version_of_its_method(tmp_path, golden):
    wanted = json.loads((golden / "methods" / "outcomes.json").read_text())
    assert build_all(tmp_path, SerialExecutor()) == wanted
