"""acc at a remote: project A makes jobs and sends them, project B, which has nothing, brings or reuses them.

What A sends is made once, without any remote; a measurement begins with a copy of it, which has not heard of a remote
yet. `AccOnObstore` does the same through obstore, for the commands that start no job.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path

from remoteservers import BUCKET, CLIENT_ENVIRONMENT, FOLDER
from remotetools import Client
from sides import HERE, SLICES, timed
from venvs import make_venv

from cas.oid import oid_of_file

MADE = FOLDER / "made"
ACC = Path(sys.executable).parent / "acc"


class Acc(Client):
    """acc, as it is installed beside the python that runs this.

    Attributes
    ----------
    a, b : Path
        The folders of the two projects.
    """

    name = "acc"
    command = (ACC,)

    def __init__(self, script=None):
        super().__init__()
        self._made = script and MADE / script
        self.a, self.b = self.folder / "a", self.folder / "b"

    def aim(self, endpoint):
        """Begin with A as the script has made it, with nothing where none is named, and with an empty B."""
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._made:
            shutil.copytree(self._made, self.a, symlinks=True)
        lay_project(self.a, self._remote(endpoint, "write = true"))
        lay_project(self.b, self._remote(endpoint, "read = true", "trusted = true"))

    def push(self):
        return self.run(*self.command, "push", "origin", folder=self.a)

    def fetch(self):
        return self.run(*self.command, "fetch", "origin", "--all-objects", folder=self.b)

    def has_fetched(self):
        here = set(_told(self.b, "ls-objects").splitlines())
        return here >= set(map(oid_of_file, self.corpus.iterdir()))

    def build(self, folder, script, **given):
        """Return the seconds of a build, and whether it reused all its jobs."""
        command, env = [*self.command, "build", script], self.env | _settings(given)
        os.sync()
        start = time.monotonic()
        told = subprocess.run(
            command,
            cwd=folder,
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        ).stdout
        return time.monotonic() - start, "all reused" in told

    def _remote(self, endpoint, *rules):
        url = f"s3://{BUCKET}/{self.folder.name}"
        options = ["[remotes.origin.options]", f'endpoint_url = "{endpoint}"']
        return ["[remotes.origin]", f'url = "{url}"', *rules, *options]


class AccOnObstore(Acc):
    """acc, on obstore instead of s3fs."""

    name = "acc on obstore"
    command = (sys.executable, HERE / "remoteobstore.py")

    def __init__(self, script):
        super().__init__(script)
        make_venv("obstore", "obstore==0.12.1")


def find_lack():
    """Return what acc lacks to be measured, in words, or None."""
    if subprocess.run([ACC, "push", "--help"], cwd=HERE, capture_output=True, check=False).returncode:
        return "acc cannot push yet"
    return None if find_spec("s3fs") else "s3fs is not installed"


def make_project(script, **given):
    """Have the build script of that name make what A begins with."""
    folder = MADE / script
    shutil.rmtree(folder, ignore_errors=True)
    lay_project(folder)
    timed([ACC, "build", script], folder, CLIENT_ENVIRONMENT | _settings(given))


def lay_project(folder, remote=()):
    """Write the files of a project, where they are not there yet, and what it knows of a remote."""
    for package in ("bench", "sharing"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(HERE / package, folder / package, dirs_exist_ok=True, ignore=ignored)
    lines = ["[project]", f"slices = {SLICES}", 'methods = ["bench", "sharing"]', *remote]
    (folder / "acc.toml").write_text("".join(f"{line}\n" for line in lines))


def large_object():
    """Return the file of the large object, compressed, that `build_large` has made."""
    return max(MADE.glob("large/.acc/objects/*/*"), key=lambda path: path.stat().st_size)


def stored_bytes(column):
    """Return the size of one column as it is stored, of the dataset that `build_wide` has made."""
    head = _node(_told(MADE / "wide", "rev-parse", "wide/default").strip())
    nodes = {entry["name"]: entry["node"] for entry in head["columns"]}
    blobs = [oid for oid, *_ in _node(nodes[column])["slices"]]
    return sum(
        int(line.split()[-1]) for line in _told(MADE / "wide", "ls-objects", "-l", *blobs).splitlines()
    )


def _node(oid):
    return json.loads(_told(MADE / "wide", "cat-file", "-p", oid))


def _told(folder, *arguments):
    command = [ACC, *arguments]
    return subprocess.run(
        command, cwd=folder, env=CLIENT_ENVIRONMENT, stdout=subprocess.PIPE, text=True, check=True
    ).stdout


def _settings(given):
    return {f"BENCH_{name}": str(value) for name, value in given.items()}
