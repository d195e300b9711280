"""Two projects, a process each, and a remote: who wants what the other runs waits for it, and for nobody dead."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from porcelain import config, storage
from tests.projects import Folder
from tests.servers.place import Place
from tests.waiting import await_that

# a job that is done when there is a file; to look for that is no read that would make it private
METHOD = """
    import os
    import time

    def synthesis():
        while not os.path.exists("{gate}"):
            time.sleep(0.01)
        return "{name}"
    """
SCRIPT = """
    def main(urd):
        for name in {names!r}:
            urd.build(name)
    """
REMOTE = """
[remotes.origin]
url = "{url}"
read = true
write = true
trusted = true
[remotes.origin.options]
"""
ROOT = Path(__file__).parents[3]


class Person:
    """Somebody's project, and his builds."""

    def __init__(self, root: Path, gates: Path, place: Place) -> None:
        files = {f"mine/a_{name}.py": METHOD.format(gate=gates / name, name=name) for name in ("one", "two")}
        self.folder = Folder(root, files)
        toml = root / "acc.toml"
        options = "".join(f'{name} = "{value}"\n' for name, value in place.options.items())
        toml.write_text(toml.read_text() + REMOTE.format(url=place.url) + options)
        self._environment = {**os.environ, **place.environment, "PYTHONPATH": str(ROOT), "NO_COLOR": "1"}
        self._said = root / "said.txt"
        self._process: subprocess.Popen[bytes] | None = None

    def begins(self, *names: str, announce: float = 0, stale: float = 60) -> None:
        """Begin a build of these methods, one after the other."""
        self.folder.write("build.py", SCRIPT.format(names=names))
        command = [sys.executable, "-P", "-m", "tests.porcelain.sharing.elsewhere", f"{announce}", f"{stale}"]
        with self._said.open("wb") as said:
            self._process = subprocess.Popen(
                [*command, "build"],
                cwd=self.folder.root,
                env=self._environment,
                stdout=said,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        """What the build has said so far."""
        return self._said.read_text()

    def waits(self) -> None:
        """Return when the build says that it waits."""
        await_that(lambda: "; waiting for it" in self.said or not self.is_alive())
        assert "; waiting for it" in self.said

    def is_alive(self) -> bool:
        """Return whether the build goes on."""
        assert self._process is not None
        return self._process.poll() is None

    def ends(self, code: int = 0) -> str:
        """Wait for the end of the build, and return what it said."""
        assert self._process is not None
        assert self._process.wait(60) == code, self.said
        return self.said

    def gets(self, number: int) -> None:
        """Send a signal to the build."""
        assert self._process is not None
        self._process.send_signal(number)

    def leases(self) -> list[str]:
        """Return the keys of the leases at the remote."""
        bucket = storage.open_remote(config.load(self.folder.root), "origin").bucket
        return [listed.key for listed in bucket.list("leases/")]

    def leave(self) -> None:
        if self._process is not None and self.is_alive():
            self._process.kill()
            self._process.wait()


@pytest.fixture(params=["folder", "seaweed"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Place((tmp_path / "remote").as_uri(), {})
    place: Place = request.getfixturevalue("seaweed").new_place()
    return place


@pytest.fixture
def gates(tmp_path: Path) -> Path:
    """The folder of the files that let jobs end."""
    folder = tmp_path / "gates"
    folder.mkdir()
    return folder


People = Callable[..., Person]


@pytest.fixture
def person(tmp_path: Path, gates: Path, place: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[People]:
    """A function that makes somebody's project; nobody's builds outlive the test."""
    made: list[Person] = []
    _set(monkeypatch, place.environment)

    def make(name: str) -> Person:
        made.append(Person(tmp_path / name, gates, place))
        return made[-1]

    yield make
    for one in made:
        one.leave()


def _set(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)


def test_who_wants_what_somebody_runs_waits_and_has_it_before_that_build_ends(
    person: People, gates: Path
) -> None:
    ann, bo = person("ann"), person("bo")
    ann.begins("one", "two")
    await_that(ann.leases)
    bo.begins("one")
    bo.waits()
    assert "one                   " in bo.said
    (gates / "one").touch()
    said = bo.ends()
    assert ann.is_alive()
    assert "reused from origin" in said
    assert "1 job, all reused" in said or "1 reused" in said
    (gates / "two").touch()
    assert "2 jobs built" in ann.ends()
    assert ann.leases() == []


def test_two_who_want_what_the_other_runs_run_one_job_each(person: People, gates: Path) -> None:
    ann, bo = person("ann"), person("bo")
    ann.begins("one", "two")
    bo.begins("two", "one")
    await_that(lambda: len(ann.leases()) == 2)
    (gates / "one").touch()
    ann.waits()
    (gates / "two").touch()
    for said in (ann.ends(), bo.ends()):
        assert "1 job built, 1 reused" in said
    assert ann.leases() == []


@pytest.mark.parametrize("place", ["folder"], indirect=True)
class TestWhoHolds:
    """What becomes of those who wait, whatever becomes of the other; S3 or not is all the same."""

    def test_one_who_was_killed_is_waited_for_no_longer_than_he_may_live(
        self, person: People, gates: Path
    ) -> None:
        ann, bo = person("ann"), person("bo")
        ann.begins("one")
        await_that(ann.leases)
        ann.gets(signal.SIGKILL)
        (gates / "one").touch()
        bo.begins("one", announce=60, stale=0.5)
        bo.waits()
        assert "1 job built" in bo.ends()
        assert bo.leases() == []

    def test_one_who_is_interrupted_is_waited_for_no_more(self, person: People, gates: Path) -> None:
        ann, bo = person("ann"), person("bo")
        ann.begins("one")
        await_that(ann.leases)
        bo.begins("one", announce=60)
        bo.waits()
        ann.gets(signal.SIGINT)
        ann.ends(130)
        (gates / "one").touch()
        assert "1 job built" in bo.ends()

    def test_who_waits_can_be_interrupted_and_the_other_goes_on(self, person: People, gates: Path) -> None:
        ann, bo = person("ann"), person("bo")
        ann.begins("one")
        await_that(ann.leases)
        bo.begins("one")
        bo.waits()
        bo.gets(signal.SIGINT)
        assert "acc: interrupted" in bo.ends(130)
        assert len(ann.leases()) == 1
        (gates / "one").touch()
        assert "1 job built" in ann.ends()

    def test_what_cannot_be_published_is_waited_for_by_nobody(
        self, person: People, gates: Path, tmp_path: Path
    ) -> None:
        ann, bo = person("ann"), person("bo")
        ann.begins("one", "two")
        await_that(ann.leases)
        (tmp_path / "remote/packs").write_text("no folder")
        bo.begins("one", announce=60)
        bo.waits()
        (gates / "one").touch()
        bo.ends()
        assert ann.is_alive()
        (gates / "two").touch()
        assert "nothing can be published at 'origin'" in ann.ends()


@pytest.mark.parametrize("place", ["folder"], indirect=True)
def test_a_short_job_is_announced_to_nobody(person: People, gates: Path, tmp_path: Path) -> None:
    ann = person("ann")
    (gates / "one").touch()
    ann.begins("one", announce=60)
    assert "1 job built" in ann.ends()
    assert not (tmp_path / "remote/leases").exists()
