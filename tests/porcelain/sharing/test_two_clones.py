"""Two clones and a bucket: whatever both do at once, and whoever is killed, in the end they are sound and equal."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.porcelain.sharing.typist import run_command
from tests.projects import Folder
from tests.servers.place import Place

FILES = {
    "input/numbers.txt": "1 0",
    "mine/a_noise.py": """
        import random

        options = dict(n=0)

        def analysis(sliceno, options):
            return random.Random(f"{options.n} {sliceno}").randbytes(100_000)

        def synthesis(options, analysis_res, job):
            with job.open("noise.bin", "wb") as file:
                for data in analysis_res:
                    file.write(data)
            dw = job.datasetwriter(columns={"n": "number"})
            write = dw.get_split_write()
            for n in range(100 * options.n):
                write(n)
        """,
    "mine/a_rows.py": """
        options = dict(factor=1)
        datasets = ("source",)

        def analysis(sliceno, datasets, options):
            return options.factor * sum(datasets.source.iterate(sliceno, "n"))

        def synthesis(analysis_res, job):
            with job.open("sum.txt", "w") as file:
                file.write(str(sum(analysis_res)))
        """,
    "mine/build.py": """
        def main(urd):
            with open("input/numbers.txt") as file:
                n, factor = map(int, file.read().split())
            urd.begin("rows", n, update=True)
            source = urd.build("noise", n=n)
            rows = urd.build("rows", source=source.dataset(), factor=factor)
            rows.link_result("sum.txt")
            urd.finish("rows")
        """,
}
REMOTE = """
[remotes.origin]
url = "{url}"
read = true
write = true
trusted = true
"""


class Clone:
    """A project that shares a place with others, and a user in it."""

    def __init__(self, root: Path, place: Place) -> None:
        self.folder = Folder(root, FILES)
        options = "".join(f'{name} = "{value}"\n' for name, value in place.options.items())
        toml = root / "acc.toml"
        text = toml.read_text() + REMOTE.format(url=place.url)
        toml.write_text(text + (f"[remotes.origin.options]\n{options}" if options else ""))
        self.root = root
        self.environment = {**os.environ, **place.environment, "USER": root.name, "NO_COLOR": "1"}

    def start(self, *command: str) -> subprocess.Popen[str]:
        """Start a Python program for this user."""
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment,
        )

    def runs(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of acc."""
        return run_command(words, self.root, {**self.environment, **environment})

    def does(self, *words: str) -> str:
        """Run a command of acc that has to succeed; return what it printed."""
        done = self.runs(*words)
        assert done.returncode == 0, f"{' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout

    def labels(self) -> dict[str, str]:
        """Return the run of each label."""
        lines = (line.split("\t") for line in self.does("show-ref", "jobs/").splitlines())
        return {name.removeprefix("jobs/").replace("/", "-"): run for run, name in lines}

    def there(self) -> dict[str, str]:
        """Return the run of each label at the remote."""
        lines = (line.split("\t") for line in self.does("ls-remote", "origin", "jobs/").splitlines())
        return {name.removeprefix("jobs/").replace("/", "-"): run for run, name in lines}


def walk(clones: list[Clone], seed: int, steps: int) -> None:
    """Let all go their ways at the same time."""
    walkers = [
        clone.start("tests.porcelain.sharing.walker", str(clone.root), f"{seed} {number}", str(steps))
        for number, clone in enumerate(clones)
    ]
    for walker in walkers:
        said = walker.communicate()[0]
        assert walker.returncode == 0, said


def make_equal(clones: list[Clone]) -> None:
    """Have all jobs of all clones in each; what was deleted at the remote goes there again as it is named."""
    first = clones[0]
    for clone in clones:
        clone.does("build")
        clone.does("push", "-q", "origin", *clone.labels())
    for clone in clones:
        clone.does("pull", "-q", "origin", *first.there())


def assert_sound_and_equal(clones: list[Clone]) -> None:
    first = clones[0]
    there = first.there()
    assert there
    for clone in clones:
        assert {*clone.labels().values()} == {*there.values()}
        assert clone.does("log").count(" done ") == len(there)
        clone.does("fetch", "-q", "--all-objects")
        clone.does("fsck")
        assert clone.there() == there
    first.does("fsck", "--remote", "origin", "--full")


@pytest.fixture(params=["folder", pytest.param("moto", marks=pytest.mark.slow), "seaweed"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Place(f"file://{tmp_path}/bucket", {})
    place = request.getfixturevalue(request.param).new_place()
    assert isinstance(place, Place)
    return place


def end_sound_and_equal(tmp_path: Path, place: Place, seed: int, steps: int) -> None:
    clones = [Clone(tmp_path / name, place) for name in ("ann", "bob")]
    walk(clones, seed, steps)
    make_equal(clones)
    assert_sound_and_equal(clones)


def test_whatever_both_do_at_once_they_end_sound_and_equal(place: Place, tmp_path: Path) -> None:
    end_sound_and_equal(tmp_path, place, seed=1, steps=4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_both_go_on_for_long(place: Place, tmp_path: Path, seed: int) -> None:
    end_sound_and_equal(tmp_path, place, seed, steps=25)
