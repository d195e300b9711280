"""The sides of the store's benchmark: acc, and tools that store files, each with a repository of its own.

Every tool runs with the settings that it comes with, but borg and disk-objectstore are told to compress as others do.
A command begins with an empty write-back queue, and what is measured is its time on the clock, start-up and all. A
method returns None where a tool has no such command.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from sides import ENVIRONMENT, HERE, WORK, folder_bytes, run_script, timed
from venvs import has_venv, make_venv, venv_folder

STORES = WORK / "stores"


class AccStore:
    """acc: a project with an empty store, which the Python API puts into; `acc` itself checks it.

    Attributes
    ----------
    peak_bytes : int
        The memory that the last operation took.
    """

    name = "acc"

    def __init__(self):
        self.folder = STORES / self.name
        self.data = self.folder / ".acc"
        self.ids = self.folder / "ids"
        self.command = Path(sys.executable).parent / "acc"
        self.peak_bytes = 0
        self._oid = None

    def fresh(self):
        """Begin anew, with nothing stored."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        (self.folder / "acc.toml").touch()
        self._work("create")

    def run(self, *arguments):
        """Return the seconds of one command, cold."""
        return timed([self.command, *arguments], self.folder, ENVIRONMENT)[0]

    def put(self, corpus):
        """Put all files of a folder, in one batch."""
        return self._work("put", corpus, self.ids)["seconds"]

    put_again = put

    def read(self):
        """Read all that was put into memory."""
        return self._work("get", self.ids)["seconds"]

    def put_file(self, path):
        """Put one large file."""
        found = self._work("write", path)
        self._oid = found["oid"]
        return found["seconds"]

    def get_file(self, path):
        """Get that file back."""
        return self._work("read", self._oid, path)["seconds"]

    def check(self):
        """Verify every byte."""
        os.sync()
        return self.run("fsck")

    def stored_bytes(self):
        """Return the size of all that is stored."""
        return folder_bytes(self.data / "packs") + folder_bytes(self.data / "objects")

    def _work(self, operation, *arguments):
        found = work(operation, self.data, *arguments)
        self.peak_bytes = found["peak_bytes"]
        return found


class Tool:
    """A program beside acc."""

    name: str
    peak_bytes = None  # not measured

    def __init__(self):
        self.folder = STORES / self.name
        self.repository = self.folder / "repository"
        # no settings and no cache of whoever runs this
        self.env = ENVIRONMENT | {"HOME": str(self.folder)}

    def is_installed(self):
        """Return whether the tool can be run."""
        return shutil.which(self.name) is not None

    def fresh(self):
        """Begin anew, with an empty repository."""
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.make()

    def run(self, *command, folder=None, stdin=os.devnull):
        """Return the seconds of one command."""
        os.sync()
        return timed(command, folder or self.folder, self.env, stdin=stdin)[0]

    def make(self):
        """Make an empty repository."""

    def read(self):
        """Read all that was put into memory."""
        return

    def put_file(self, path):
        """Put the one file of a folder."""
        return self.put(path.parent)

    def get_file(self, path):
        """Get that file back."""
        return

    def check(self):
        """Verify every byte."""
        return

    def stored_bytes(self):
        """Return the size of all that is stored."""
        return folder_bytes(self.repository)


class Restic(Tool):
    """restic, a backup program."""

    name = "restic"

    def __init__(self):
        super().__init__()
        cache = str(self.folder / "cache")
        self.env |= {
            "RESTIC_REPOSITORY": str(self.repository),
            "RESTIC_PASSWORD": "x",
            "RESTIC_CACHE_DIR": cache,
        }

    def make(self):
        self.run("restic", "init")

    def put(self, corpus):
        return self.run("restic", "backup", ".", folder=corpus)

    def put_again(self, corpus):
        return self.run("restic", "backup", "--force", ".", folder=corpus)  # else it looks at mtimes only

    def check(self):
        return self.run("restic", "check", "--read-data")


class Borg(Tool):
    """BorgBackup, a backup program; without encryption."""

    name = "borg"

    def __init__(self):
        super().__init__()
        self.env |= {
            "BORG_REPO": str(self.repository),
            "BORG_BASE_DIR": str(self.folder),
            "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
        }

    def make(self):
        self.run("borg", "init", "--encryption=none")

    def put(self, corpus):
        return self._create(corpus)

    def put_again(self, corpus):
        return self._create(corpus, "--files-cache=disabled")  # else it looks at ctimes only

    def check(self):
        return self.run("borg", "check", "--verify-data")

    def _create(self, corpus, *options):
        # acc's compression, and about restic's: its own, lz4, is quicker and stores 1.7 times the bytes of columns
        alike = "--compression=zstd,3"
        return self.run("borg", "create", alike, *options, "::{uuid4}", ".", folder=corpus)


class Casync(Tool):
    """casync, which cuts a file tree into chunks; it syncs nothing to the disk."""

    name = "casync"

    def make(self):
        self.repository.mkdir()

    def put(self, corpus):
        store, index = self.repository / "default.castr", self.repository / f"{corpus.name}.caidx"
        return self.run("casync", "make", f"--store={store}", index, corpus)

    put_again = put


class Git(Tool):
    """git: loose objects, until `packed`."""

    name = "git"

    def __init__(self):
        super().__init__()
        self.env |= {"GIT_DIR": str(self.repository), "GIT_CONFIG_NOSYSTEM": "1"}

    def make(self):
        self.run("git", "init")

    def put(self, corpus):
        return self.run("git", f"--work-tree={corpus}", "add", "--all", folder=corpus)

    def put_again(self, corpus):
        # not `add`, which looks at mtimes only
        names = self.folder / "names"
        names.write_text("".join(f"{path}\n" for path in sorted(corpus.rglob("*")) if path.is_file()))
        return self.run("git", "hash-object", "-w", "--stdin-paths", stdin=names)

    def read(self):
        listed = subprocess.run(
            ["git", "ls-files", "--stage"], env=self.env, stdout=subprocess.PIPE, check=True
        )
        ids = self.folder / "ids"
        ids.write_bytes(b"".join(line.split()[1] + b"\n" for line in listed.stdout.splitlines()))
        return work("cat_file", self.repository, ids)["seconds"]

    def check(self):
        return self.run("git", "fsck", "--full")

    def stored_bytes(self):
        return folder_bytes(self.repository / "objects")

    def packed(self):
        """Return a copy in which `git gc` has put all objects into a pack."""
        copy = PackedGit()
        shutil.rmtree(copy.folder, ignore_errors=True)
        shutil.copytree(self.folder, copy.folder)
        copy.run("git", "gc")
        return copy


class PackedGit(Git):
    """git with all its objects in a pack."""

    name = "git packed"

    def put(self, corpus):
        super().put(corpus)
        # what a newer version has replaced is to stay: a store keeps both
        self.run("git", "repack", "-a", "-d", "--keep-unreachable")


class PythonTool(Tool):
    """A tool from PyPI, in a venv of its own, which is there once BENCH_ALL=1 was given."""

    requirement: str

    def __init__(self):
        super().__init__()
        self.venv = venv_folder(self.name)

    def is_installed(self):
        if os.environ.get("BENCH_ALL") == "1":
            make_venv(self.name, self.requirement)
        return has_venv(self.name)


class DiskObjectstore(PythonTool):
    """disk-objectstore, a Python library, which is measured as acc is: inside its process."""

    name = "disk-objectstore"
    requirement = "disk-objectstore==1.5.0"

    def make(self):
        self._work("create")

    def put(self, corpus):
        return self._work("put", corpus)

    put_again = put

    def check(self):
        return self._work("check")

    def _work(self, operation, *arguments):
        os.sync()
        command = [
            self.venv / "bin" / "python",
            HERE / "diskobjects.py",
            operation,
            self.repository,
            *arguments,
        ]
        return float(subprocess.run(command, env=self.env, stdout=subprocess.PIPE, check=True).stdout)


class Dvc(PythonTool):
    """DVC, which keeps files as they are, under their MD5."""

    name = "dvc"
    requirement = "dvc==3.67.1"

    def __init__(self):
        super().__init__()
        self.command = self.venv / "bin" / "dvc"
        self.env |= {"DVC_NO_ANALYTICS": "1", "XDG_CACHE_HOME": str(self.folder / "cache")}

    def make(self):
        self.run(self.command, "init", "--no-scm")

    def put(self, corpus):
        # it takes only what lies in its project; new files, lest it trusts what it knows of the mtimes of old ones
        shutil.rmtree(self.folder / corpus.name, ignore_errors=True)
        shutil.copytree(corpus, self.folder / corpus.name)
        return self.run(self.command, "add", corpus.name)

    put_again = put

    def stored_bytes(self):
        return folder_bytes(self.folder / ".dvc" / "cache")


TOOLS = (Restic, Borg, Casync, Git, DiskObjectstore, Dvc)


def work(operation, *arguments):
    """Return what an operation of storework.py finds, in a new process."""
    os.sync()
    return run_script("storework.py", operation, *arguments)
