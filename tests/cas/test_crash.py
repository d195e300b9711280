"""Real processes on one store: killed at any moment, and many at once."""

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from cas.formats.node import get_node
from cas.local.fsck import check
from cas.local.gc import collect
from cas.local.refs import LocalRefs
from cas.local.repack import repack
from cas.local.store import LocalStore
from cas.local.upkeep import upkeep
from tests.cas.crowd import blob
from tests.cas.test_graph import Knot

ROOT = Path(__file__).parents[2]
FOREVER = 60.0


@pytest.fixture
def root(tmp_path):
    LocalStore.create(tmp_path / ".acc")
    LocalRefs(tmp_path / ".acc" / "refs.sqlite").find("makes it")
    return tmp_path / ".acc"


class Crowd:
    """Processes at work on the store under `root`."""

    def __init__(self, root):
        self.root = root
        self.processes = []

    def add(self, role, name, seconds=FOREVER):
        """Start a process, whose lines go to a file, as much as it wrote of them when it died."""
        lines = self.root.parent / f"{role}-{name}.lines"
        command = [sys.executable, "-m", "tests.cas.crowd", role, str(self.root), str(name), str(seconds)]
        with open(lines, "ab") as out:
            process = subprocess.Popen(command, cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True)
        process.lines = lines
        self.processes.append(process)
        return process

    def wait(self):
        """Wait for all to end, and return what they complained of."""
        errors = [process.communicate()[1] for process in self.processes]
        return [error for error, process in zip(errors, self.processes, strict=True) if process.returncode]

    def acknowledged(self):
        """Return what each ref is at, as its writer said last, and the blobs below."""
        said = {}
        for path in self.root.parent.glob("write-*.lines"):
            for line in path.read_text().splitlines(keepends=True):
                if line.endswith("\n"):
                    name, node, numbers = json.loads(line)
                    said[name] = (node, numbers)
        return said


def kill(process, lines, *, seconds):
    """Kill a process, some time after it has written so many lines."""
    deadline = time.monotonic() + FOREVER
    while lines and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
        if process.lines.read_text().count("\n") >= lines:
            break
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()


def assert_sound(root, said, *, killed_writers=False):
    """Assert that the store is sound, that refs are at what was said, and that all below them is right."""
    store, refs = LocalStore(root), LocalRefs(root / "refs.sqlite")
    report = check(store, refs)
    assert report.problems == ()
    at = dict(refs.names())
    for name, (node, numbers) in said.items():
        # what a killed writer did last it may not have said any more
        if killed_writers and at.get(name, "") != node:
            continue
        assert at.get(name, "") == node
        if node:
            assert sorted(map(store.get, get_node(store, node, Knot).to_blobs)) == sorted(map(blob, numbers))
    refs.close()
    return at


# eight stores of 25 rounds, not one of 200: all that there is, is read in each round
@pytest.mark.parametrize(
    ("seed", "rounds"), [(4, 6), *(pytest.param(seed, 25, marks=pytest.mark.slow) for seed in range(8))]
)
def test_a_writer_killed_at_any_moment_loses_nothing_that_it_acknowledged(root, seed, rounds):
    chance = random.Random(seed)
    for number in range(rounds):
        crowd = Crowd(root)
        kill(crowd.add("write", f"{seed}-{number}"), chance.randrange(4), seconds=chance.random() / 5)
        said = crowd.acknowledged()
        at = assert_sound(root, said, killed_writers=True)
        # of each writer the last ref at most may be other than it said
        others = Counter(name.split("/")[1] for name, (node, _) in said.items() if at.get(name, "") != node)
        assert set(others.values()) <= {1}
        if number % 5 == 0:
            store, refs = LocalStore(root), LocalRefs(root / "refs.sqlite")
            collect(store, refs, grace_seconds=0.0)
            refs.close()
            assert_sound(root, said, killed_writers=True)
            # what is left of one that was killed before it had its lock goes when it is old
            assert [path for path in root.glob("pins/*") if not path.name.startswith(".tmp-")] == []
    assert len(crowd.acknowledged()) > rounds / 2


@pytest.mark.parametrize("rounds", [3, pytest.param(60, marks=pytest.mark.slow)])
@pytest.mark.parametrize("role", ["sweep", "pack"])
def test_upkeep_killed_at_any_moment_loses_nothing(root, role, rounds):
    chance = random.Random(5)
    crowd = Crowd(root)
    crowd.add("write", "steady", 1.0 + rounds * 0.9)
    for number in range(rounds):
        kill(Crowd(root).add(role, f"killed-{number}"), 1, seconds=chance.random() / 2)
    assert crowd.wait() == []
    assert_sound(root, crowd.acknowledged())
    # the locks of the dead are free
    with upkeep(root, blocking=False):
        pass
    store, refs = LocalStore(root), LocalRefs(root / "refs.sqlite")
    repack(store, everything=True, blocking=False)
    collect(store, refs, grace_seconds=0.0, blocking=False)
    refs.close()
    assert_sound(root, crowd.acknowledged())


@pytest.mark.parametrize("seconds", [3, pytest.param(90, marks=pytest.mark.slow)])
def test_writers_readers_gc_and_repack_at_once_lose_nothing(root, seconds):
    crowd = Crowd(root)
    for number in range(8):
        crowd.add("write", number, seconds)
    for role in ("sweep", "pack", "read", "read"):
        crowd.add(role, f"{role}-{len(crowd.processes)}", seconds)
    assert crowd.wait() == []
    said = crowd.acknowledged()
    assert len(said) > 8
    assert_sound(root, said)
    store, refs = LocalStore(root), LocalRefs(root / "refs.sqlite")
    collect(store, refs, grace_seconds=0.0)
    refs.close()
    assert_sound(root, said)
    assert not list((root / "trash").glob("*"))
