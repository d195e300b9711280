"""What a build makes is published in the background; what goes wrong there ends no build, and loses nothing."""

import os
import random
import shutil
import signal
import subprocess
import threading
from pathlib import Path

import pytest

from cas.oid import ObjectId
from jobs.remote.outbox import Outbox
from porcelain import config, storage
from porcelain.project import Project
from tests.porcelain.sharing.clones import Clone
from tests.projects import Folder
from tests.waiting import await_that

FILES = {
    "mine/a_number.py": "options = dict(n=0)\n\ndef synthesis(options):\n    return options.n\n",
    "mine/a_chance.py": """
        import os

        def synthesis(job):
            job.save(os.urandom(8), "chance.pickle")
            return 1
        """,
    "mine/a_bytes.py": """
        import random

        options = dict(n=0, size=0)

        def synthesis(job, options):
            job.save(random.Random(options.n).randbytes(options.size), "bytes.pickle")
        """,
    "mine/a_reads.py": """
        def synthesis(job):
            with open(job.input_directory + "/text.txt") as file:
                return file.read()
        """,
    "input/text.txt": "a text",
}


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"file://{tmp_path}/remote"


def actions(clone: Clone) -> dict[str, ObjectId]:
    """Return the keys that the remote knows."""
    remote = storage.open_remote(config.load(clone.root), "origin")
    remote.look()
    return dict(remote.mirror.refs.names("actions/"))


def test_a_job_that_is_not_reproducible_keeps_its_first_run_and_is_said_to_differ(
    tmp_path: Path, url: str
) -> None:
    ann = Clone(tmp_path / "ann", FILES, url)
    bob = Clone(tmp_path / "bob", FILES, url, read=False)
    ann.build("chance")
    first = actions(ann)
    bob.build("chance")
    assert bob.warnings == [
        "'chance' is not reproducible: 'dev-1' differs from what 'origin' has, in 'chance.pickle'"
    ]
    assert actions(ann) == first
    assert (bob.published, bob.left) == (0, 0)


def test_a_job_that_comes_out_the_same_elsewhere_keeps_its_first_run(tmp_path: Path, url: str) -> None:
    ann = Clone(tmp_path / "ann", FILES, url)
    bob = Clone(tmp_path / "bob", FILES, url, read=False)
    ann.build("number")
    first = actions(ann)
    bob.build("number")
    assert (bob.warnings, bob.left, actions(ann)) == ([], 0, first)


def test_a_newer_run_of_a_key_whose_facts_differ_takes_its_place(tmp_path: Path, url: str) -> None:
    ann = Clone(tmp_path / "ann", FILES, url)
    ann.build("reads")
    first = actions(ann)
    ann.folder.write("input/text.txt", "another")
    ann.build("reads")
    second = actions(ann)
    assert first.keys() == second.keys()
    assert first != second


def test_a_batch_is_sent_when_it_is_large_while_the_build_goes_on(tmp_path: Path, url: str) -> None:
    ann = Clone(tmp_path / "ann", FILES, url)
    with ann.building() as urd:
        for n in range(3):
            urd.build("bytes", n=n, size=9 << 20)
        await_that(lambda: urd.project.sharing.outboxes[0].published.jobs >= 2)


def test_what_cannot_be_published_is_counted_and_one_warning(tmp_path: Path, url: str) -> None:
    ann = Clone(tmp_path / "ann", FILES, url, read=False)
    (tmp_path / "remote").write_text("no folder")
    with ann.building() as urd:
        for n in range(3):
            urd.build("number", n=n)
    assert (ann.published, ann.left) == (0, 3)
    (warning,) = ann.warnings
    assert warning.startswith("nothing can be published at 'origin': ")
    (tmp_path / "remote").unlink()
    # later, they are reused, and published then
    with ann.building() as urd:
        for n in range(3):
            urd.build("number", n=n)
    assert (ann.published, ann.left) == (3, 0)


def test_the_command_says_what_it_has_published_and_what_not(tmp_path: Path, url: str) -> None:
    ann = Clone(tmp_path / "ann", FILES, url)
    assert "origin  1 job published, " in ann.folder.acc("build", "-m", "number", "n=1")
    bob = Clone(tmp_path / "bob", FILES, url)
    assert "reused from origin" in bob.folder.acc("build", "-m", "number", "n=1")
    bob.folder.write(
        "build.py", "def main(urd):\n    urd.build('number', n=1)\n    urd.build('number', n=2)\n"
    )
    carl = Clone(tmp_path / "carl", {**FILES, "build.py": (bob.root / "build.py").read_text()}, url)
    carl.folder.acc("build")
    assert "reused from origin" in carl.folder.acc("show", "build-1")
    shutil.rmtree(tmp_path / "remote")
    (tmp_path / "remote").write_text("no folder")
    said = carl.folder.acc("build", "-m", "number", "n=3")
    assert "1 job not published at 'origin'; 'acc push origin' sends it" in said


def test_who_gives_up_waits_no_longer(tmp_path: Path, url: str) -> None:
    held = threading.Event()

    def never(_: object) -> None:
        held.wait(60)
        raise AssertionError

    ann = Clone(tmp_path / "ann", FILES, url)
    ann.build("number")
    with Project(config.load(ann.root)) as project:
        (row,) = project.index.rows()
    outbox = Outbox("nowhere", never)
    outbox.add(row, is_new=True)
    outbox.give_up()
    held.set()
    assert outbox.published.jobs == 0


BUILD = """
def main(urd):
    known = []
    for n in range(8):
        known.append(urd.build("number", n=n))
        urd.build("bytes", n=n, size=300_000)
"""


def begin(folder: Folder) -> subprocess.Popen[str]:
    return subprocess.Popen(
        folder.command("build"),
        cwd=folder.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def test_two_builders_over_one_remote_end_with_the_same(tmp_path: Path, url: str) -> None:
    clones = [Clone(tmp_path / name, {**FILES, "build.py": BUILD}, url) for name in ("ann", "bob")]
    processes = [begin(clone.folder) for clone in clones]
    for process in processes:
        said, _ = process.communicate()
        assert process.returncode == 0, said
        assert "not reproducible" not in said
    assert len(actions(clones[0])) == 16
    carl = Clone(tmp_path / "carl", {**FILES, "build.py": BUILD}, url)
    assert carl.folder.ran("build") == []
    for clone in (*clones, carl):
        assert "sound" in clone.folder.acc("fsck")


def kill_sometime(folder: Folder, seconds: float) -> None:
    process = begin(folder)
    try:
        process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("rounds", [3, pytest.param(25, marks=pytest.mark.slow)])
def test_builders_that_are_killed_break_nothing_and_lose_nothing(
    tmp_path: Path, url: str, rounds: int
) -> None:
    draw = random.Random(rounds)
    clones = [Clone(tmp_path / name, {**FILES, "build.py": BUILD}, url) for name in ("ann", "bob")]
    for number in range(rounds):
        kill_sometime(clones[number % 2].folder, draw.uniform(0.3, 2.5))
    for clone in clones:
        clone.folder.acc("build")
    assert len(actions(clones[0])) == 16
    carl = Clone(tmp_path / "carl", {**FILES, "build.py": BUILD}, url)
    assert carl.folder.ran("build") == []
    for clone in (*clones, carl):
        assert "sound" in clone.folder.acc("fsck")


def test_a_build_that_is_interrupted_leaves_at_once_and_says_what_was_not_published(
    tmp_path: Path, url: str
) -> None:
    slow = {
        "mine/a_waits.py": "import time\n\ndef synthesis():\n    print('waiting', flush=True)\n    time.sleep(600)\n",
        "build.py": "def main(urd):\n    urd.build('number', n=1)\n    urd.build('waits')\n",
    }
    ann = Clone(tmp_path / "ann", {**FILES, **slow}, url)
    process = begin(ann.folder)
    assert process.stdout is not None
    while "waiting" not in process.stdout.readline():
        pass
    os.killpg(process.pid, signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert "1 job not published at 'origin'; 'acc push origin' sends it" in said
