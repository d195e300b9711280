"""What a killed build leaves: the next one sweeps it, and touches nothing of builds that live."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.projects import Folder
from tests.waiting import await_that

METHOD = """
    import os, signal

    def prepare(job):
        job.save(bytes(range(256)) * 4096, "saved.pickle")
        print("got so far")

    def analysis(sliceno, job):
        with open("large", "w") as file:
            file.write("x" * 100_000)
        os.makedirs("deep/deeper", exist_ok=True)
        with job.open(f"deep/{sliceno}", "w") as file:
            file.write("half")
            file.flush()
            print("slice", sliceno)
            with open(f"../../../here{sliceno}", "w") as file:
                file.write(str(os.getpid()))
            signal.pause()
    """
FILES = {
    "mine/a_m.py": METHOD,
    "mine/a_n.py": "options = dict(n=0)\n\ndef synthesis(options):\n    return options.n\n",
    "mine/build_m.py": "def main(urd):\n    urd.build('m')\n",
    "mine/build_n.py": "import os\n\ndef main(urd):\n    urd.build('n', n=int(os.environ.get('N', 0)))\n",
}


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path, FILES)


@contextmanager
def building(folder: Folder) -> Iterator[subprocess.Popen[bytes]]:
    """Give a build whose job is in the midst of analysis."""
    build = subprocess.Popen(
        folder.command("build", "m", "-c", "2"),
        cwd=folder.root,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        for number in range(2):
            await_that(lambda here=folder.root / f"here{number}": here.is_file() and here.read_text())
        yield build
    finally:
        build.send_signal(signal.SIGKILL)
        build.wait()


def tree(path: Path) -> set[str]:
    return {str(each.relative_to(path)) for each in path.rglob("*") if each.is_file()}


def test_the_next_build_sweeps_what_a_killed_one_has_left_but_for_what_people_want(folder: Folder) -> None:
    with building(folder):
        pass
    scratch, job = folder.root / ".acc/tmp", folder.root / ".acc/jobs/dev-1"
    assert len(list(scratch.iterdir())) == 1
    assert {"setup.json", "large"} < tree(job)
    folder.acc("build", "n")
    assert list(scratch.iterdir()) == []
    assert tree(job) == {"setup.json", "OUTPUT/prepare", "OUTPUT/0", "OUTPUT/1"}
    assert (job / "OUTPUT/prepare").read_text() == "got so far\n"
    assert (job / "OUTPUT/1").read_text() == "slice 1\n"
    folder.acc("fsck")


def test_a_build_that_lives_is_left_alone(folder: Folder) -> None:
    with building(folder):
        before = tree(folder.root / ".acc/jobs/dev-1"), tree(folder.root / ".acc/tmp")
        folder.acc("build", "n")
        assert (tree(folder.root / ".acc/jobs/dev-1"), tree(folder.root / ".acc/tmp")) == before


def test_what_cannot_be_swept_fails_no_build(folder: Folder) -> None:
    with building(folder):
        pass
    job = folder.root / ".acc/jobs/dev-1"
    for path in job.iterdir():
        subprocess.run(["rm", "-r", path], check=True)
    job.rmdir()
    (folder.root / ".acc/tmp/a folder of somebody's").mkdir()
    (folder.root / ".acc/tmp/a file").write_text("")
    folder.acc("build", "n")
    # the number was free again, and this is not what the killed build had left
    assert tree(job) == {"setup.json", "post.json"}


def test_a_job_that_was_published_before_its_build_was_killed_keeps_its_directory(folder: Folder) -> None:
    folder.acc("build", "n")
    left = folder.root / ".acc/tmp" / f"{os.uname().nodename}-1-1"
    left.mkdir(parents=True)
    (left / "dev-1-00000000.output.synthesis").write_text("printed")
    kept = tree(folder.root / ".acc/jobs/dev-1")
    subprocess.run(
        folder.command("build", "n"),
        cwd=folder.root,
        env={**os.environ, "N": "1"},
        check=True,
        capture_output=True,
    )
    assert not left.exists()
    assert tree(folder.root / ".acc/jobs/dev-1") == kept


def test_a_method_with_a_syntax_error_stops_only_builds_that_need_it(tmp_path: Path) -> None:
    files = {
        **FILES,
        "mine/a_bad.py": "def synthesis(:\n",
        "mine/build_bad.py": "def main(urd):\n    urd.build('n')\n    urd.build('bad')\n",
    }
    folder = Folder(tmp_path, files)
    assert folder.ran("build", "n") == ["n"]
    assert "n" in folder.acc("method")
    said = folder.acc("build", "bad", code=1)
    assert "a_bad.py" in said
    assert "line 1" in said or ":1" in said
    assert "worker.py" not in said
    folder.write("mine/a_bad.py", "def synthesis():\n    pass\n")
    assert folder.ran("build", "bad") == ["bad"]
