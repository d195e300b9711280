"""A project in which standard methods are built, without processes."""

import sys

import pytest

from jobs.execution.executors.serial import SerialExecutor
from porcelain import config
from porcelain.project import Project
from tests.methods.bench import SLICES, Bench
from tests.methods.tables import open_tables


@pytest.fixture(autouse=True)
def forget_methods():
    """Forget methods that ran in this process: their options are values then, no declarations."""
    yield
    for name in [name for name in sys.modules if name.startswith("porcelain.methods.a_")]:
        del sys.modules[name]


@pytest.fixture
def bench(tmp_path):
    (tmp_path / "input").mkdir()
    (tmp_path / "acc.toml").write_text(
        f'[project]\nslices = {SLICES}\ninput_directory = "input"\ndurability = "none"\n'
    )
    with Project(config.load(tmp_path), executor=SerialExecutor()) as project:
        yield Bench(tmp_path, project)


@pytest.fixture
def tables(tmp_path):
    with open_tables(tmp_path) as opened:
        yield opened


@pytest.fixture(scope="module")
def all_tables(tmp_path_factory):
    with open_tables(tmp_path_factory.mktemp("all")) as opened:
        yield opened
