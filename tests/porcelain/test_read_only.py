"""A store that may only be read: all that reads goes on, all that writes says so in one line and changes nothing."""

import os
import shutil
import subprocess
import sys

import pytest

from tests.projects import Folder

FILES = {
    "mine/a_one.py": """
        options = dict(n=0)

        def synthesis(job, options):
            job.save(options.n, "n.pickle")
    """,
    "build.py": """
        def main(urd):
            urd.build("one", n=3).link_result("n.pickle")
    """,
}
# root may write anywhere as long as it has this
CAPABILITIES = "-dac_override,-dac_read_search"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A project with a job, a result and a loose object, after a gc and a repack."""
    folder = Folder(tmp_path_factory.mktemp("project"), FILES)
    for command in ["build", "gc", "repack", "hash-object -w build.py"]:
        folder.acc(*command.split())
    paths = [folder.root, *folder.root.rglob("*")]
    for path in paths:
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & ~0o222)
    yield folder
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)


def run(folder, command):
    """Run a command as somebody who may not write in the project."""
    words = [sys.executable, "-P", "-m", "acc", *command.split()]
    if os.getuid() == 0:
        words = ["setpriv", f"--bounding-set={CAPABILITIES}", f"--inh-caps={CAPABILITIES}", *words]
    return subprocess.run(words, cwd=folder.root, capture_output=True, check=False)


def content(root):
    return {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}


pytestmark = pytest.mark.skipif(os.getuid() == 0 and not shutil.which("setpriv"), reason="no setpriv")


@pytest.mark.parametrize(
    "command",
    [
        "action-key one n=3",
        "cat-file -p dev-1",
        "cat-job dev-1",
        "checkout dev-1",
        "count-objects -v",
        "diff dev-1 dev-1",
        "du",
        "fsck",
        "hash-object build.py",
        "job dev-1",
        "log",
        "ls-objects",
        "results",
        "rev-parse dev-1",
        "show dev-1:n.pickle",
        "show-ref --all",
        "verify-pack",
        "why dev-1",
        "why -m one n=3",
        "workdir",
    ],
)
def test_what_reads_goes_on(folder, command):
    done = run(folder, command)
    assert done.returncode == 0
    # what fsck says of a sound store is a message, no record
    assert done.stderr == b"" or command == "fsck"
    assert done.stdout or command == "fsck"


@pytest.mark.parametrize(
    "command",
    [
        "build",
        "gc",
        "gc --dry-run",
        "hash-object -w acc.toml",
        "link dev-1:n.pickle other",
        "repack",
        "update-ref --rebuild",
        "update-ref -d results/n.pickle",
    ],
)
def test_what_writes_says_that_it_may_not_and_changes_nothing(folder, command):
    before = content(folder.root)
    done = run(folder, command)
    assert done.returncode == 1
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith("acc: ")
    assert line.endswith("only read")
    assert content(folder.root) == before
