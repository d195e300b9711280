"""Standard methods give equal outcomes when they are run again: elsewhere, by another user, at another time."""

import shutil
import zipfile
from pathlib import Path
from textwrap import dedent

import pytest

import porcelain.methods
from jobs.execution.executors.processes import ProcessExecutor
from jobs.method.arguments import Arguments
from jobs.wish import Wish
from porcelain import config
from porcelain.project import Project
from tests.methods.test_outcomes import TEXT, build_all, build_parquet, make_project
from tests.projects import Folder

# what Python asks for the time; the clock that C code reads has gone on by then anyway
CLOCK = """
    import time

    AHEAD = 400 * 24 * 3600
    _time, _time_ns, _gmtime, _localtime = time.time, time.time_ns, time.gmtime, time.localtime
    time.time = lambda: _time() + AHEAD
    time.time_ns = lambda: _time_ns() + AHEAD * 10**9
    time.gmtime = lambda seconds=None: _gmtime(time.time() if seconds is None else seconds)
    time.localtime = lambda seconds=None: _localtime(time.time() if seconds is None else seconds)
    """


@pytest.fixture
def processes():
    """The executor of a build."""
    executor = ProcessExecutor(config.job_environment(), 2)
    yield executor
    executor.close()


@pytest.fixture
def elsewhere(tmp_path):
    """An executor whose jobs see another clock, user, home and language."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(dedent(CLOCK))
    environment = config.job_environment() | {
        "PYTHONPATH": str(site),
        "USER": "somebody",
        "LOGNAME": "somebody",
        "HOME": str(tmp_path / "home"),
        "LANG": "de_DE.UTF-8",
        "TZ": "Pacific/Auckland",
    }
    executor = ProcessExecutor(environment, 2)
    yield executor
    executor.close()


def verified(root, executor):
    """Return what came of running all jobs of a project again: label and method, and result and differences."""
    with Project(config.load(root), executor=executor) as project:
        rows = [row for row in project.index.rows() if row.state == "done"]
        found = [project.verifier.verify(row) for row in rows]
        return {f"{each.row.label} {each.row.method}": (each.result, [*each.differences]) for each in found}


@pytest.mark.parametrize("slices", [pytest.param(1, marks=pytest.mark.slow), 8])
def test_standard_methods_are_reproducible(tmp_path, processes, elsewhere, slices):
    found = {}
    for build in (build_all, build_parquet, build_more):
        here, there = tmp_path / "here" / build.__name__, tmp_path / "there" / build.__name__
        build(here, processes, slices)
        shutil.copytree(here, there)
        shutil.rmtree(here)
        found |= {f"{build.__name__} {label}": result for label, result in verified(there, elsewhere).items()}
    assert {each: result for each, result in found.items() if result != ("equal", [])} == {}
    assert {each.split()[-1] for each in found} == standard_methods()


def standard_methods():
    """Return the names of all methods that come with acc."""
    return {path.stem.removeprefix("a_") for path in Path(porcelain.methods.__path__[0]).glob("a_*.py")}


def build_more(root, executor, slices):
    """Build jobs of the methods that `build_all` has not."""
    with make_project(root, executor, slices) as project:
        with zipfile.ZipFile(root / "input" / "x.zip", "w") as archive:
            archive.writestr("x.csv", TEXT)
            archive.writestr("y.csv", TEXT)

        def build(method, **arguments):
            return project.builder.build(method, Arguments({}, {}, {}), arguments, Wish()).job

        zipped = build("csvimport_zip", filename="x.zip", quotes='"', allow_bad=True)
        source = zipped.dataset("x.csv")
        build("csvexport", source=source, filename="x.csv.gz", quote_fields='"')
        build("csvexport", source=source, filename="%d.csv.gz", sliced=True, quote_fields='"')
        build("dataset_fanout_collect", source=source, column="a")


def test_a_method_that_looks_around_is_not_reproducible_elsewhere(tmp_path, processes, elsewhere):
    looks = {
        "day": "int(time.time()) // 86400",
        "user": "os.environ.get('USER')",
        "home": "os.environ.get('HOME')",
    }
    files = {
        f"mine/a_{name}.py": f"import os, time\n\ndef synthesis():\n    return {look}\n"
        for name, look in looks.items()
    }
    root = Folder(tmp_path / "project", files).root
    with Project(config.load(root), executor=processes) as project:
        for name in looks:
            project.builder.build(name, Arguments({}, {}, {}), {}, Wish())
    found = verified(root, elsewhere)
    assert [result for result, _ in found.values()] == ["different"] * len(looks)
