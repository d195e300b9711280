"""Eight push at the same moment: every label is there once, and nobody's takes the place of another's."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from porcelain import config, storage
from tests.porcelain.conftest import Project
from tests.porcelain.sharing.test_two_clones import REMOTE
from tests.servers.place import Place

PUSHERS = 8
JOBS = 2


class Pusher(Project):
    """A project with jobs that nobody else has, and one that all have."""

    def __init__(self, root: Path, place: Place) -> None:
        root.mkdir()
        super().__init__(root)
        options = "".join(f'{name} = "{value}"\n' for name, value in place.options.items())
        with open(root / "acc.toml", "a") as toml:
            toml.write(REMOTE.format(url=place.url))
            toml.write(f"[remotes.origin.options]\n{options}" if options else "")
        self.job("shared", files={"same.bin": b"same" * 1000})
        for number in range(JOBS):
            self.job(f"own_{number}", files={"own.bin": f"{root.name} {number}".encode() * 1000})

    def runs(self) -> set[str]:
        return {row.run for row in self.index.rows()}


@pytest.fixture(params=["folder", pytest.param("moto", marks=pytest.mark.slow), "seaweed"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    if request.param == "folder":
        return Place(f"file://{tmp_path}/bucket", {})
    place = request.getfixturevalue(request.param).new_place()
    assert isinstance(place, Place)
    return place


def test_eight_who_push_at_once_all_have_their_labels_there(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pushers = [Pusher(tmp_path / f"user{number}", place) for number in range(PUSHERS)]
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    roots = [str(pusher.root) for pusher in pushers]
    command = [sys.executable, "-m", "tests.porcelain.sharing.crowd", *roots, "--", "push"]
    done = subprocess.run(command, check=False, env=os.environ)
    said = {pusher.root.name: (pusher.root / "said").read_text() for pusher in pushers}
    assert done.returncode == 0, "\n".join(said.values())
    remote = storage.open_remote(config.load(pushers[0].root), "origin")
    remote.look()
    labels = dict(remote.mirror.refs.names("jobs/"))
    wanted = set.union(*(pusher.runs() for pusher in pushers))
    assert {*labels.values()} == wanted
    assert len(labels) == len(wanted)
    for name, text in said.items():
        mine = next(pusher for pusher in pushers if pusher.root.name == name)
        rows = {row.label: row.run for row in mine.index.rows()}
        for line in text.splitlines():
            words = line.split()
            if len(words) == 3 and words[1].endswith("@origin"):
                label, number = words[1].removesuffix("@origin").rsplit("-", 1)
                assert labels[f"jobs/{label}/{number}"] == rows[words[0]]
    whole = [sys.executable, "-m", "acc", "fsck", "--remote", "origin", "--full"]
    assert subprocess.run(whole, cwd=pushers[0].root, check=False).returncode == 0
