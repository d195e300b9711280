"""The two sides of a comparison, acc and the Accelerator (PyPI `accelerator`), each with a project."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from processtree import MemoryWatch, tree_cpu

HERE = Path(__file__).resolve().parent
WORK = HERE / ".work"
OUT = WORK / "out.json"
SLICES = 2
REPS = int(os.environ.get("BENCH_REPS", "3"))
JOBS = int(os.environ.get("BENCH_JOBS", "200"))

# what a user has: PYTHONDONTWRITEBYTECODE, where a machine sets it, would have each start compile all code again
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}


def timed(command, folder, env=None, *, stdin=os.devnull, check=True):
    """Run `command` in `folder`; return its seconds on the clock, and CPU seconds with its children."""
    with open(stdin, "rb") as given:
        before, start = os.times(), time.monotonic()
        done = subprocess.run(
            command, cwd=folder, env=env, stdin=given, capture_output=True, text=True, check=False
        )
        seconds, after = time.monotonic() - start, os.times()
    if check and done.returncode:
        sys.exit(f"{' '.join(map(str, command))}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return seconds, sum(after[2:4]) - sum(before[2:4])


def fresh_base():
    """Return a number that no earlier run began at, so that jobs with it are new."""
    return random.SystemRandom().randrange(10**12) * 10**4


def run_script(name, *arguments, folder=None):
    """Return the JSON that one of the scripts beside this file prints, run in a new process."""
    command = [sys.executable, HERE / name, *map(str, arguments)]
    done = subprocess.run(command, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


class Acc:
    """acc, as it is installed beside the python that runs this."""

    name = "acc"

    def __init__(self, slices=SLICES, *, name=""):
        self.slices = slices
        self.folder = WORK / (name or f"acc-{slices}")
        self.command = Path(sys.executable).parent / "acc"
        self.env = dict(ENVIRONMENT)

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(HERE / "bench", self.folder / "bench", ignore=shutil.ignore_patterns("__pycache__"))
        (self.folder / "acc.toml").write_text(f'[project]\nslices = {self.slices}\nmethods = ["bench"]\n')
        return self

    def __exit__(self, *error):
        pass

    def fresh(self):
        """Forget all jobs and their bytes: what is stored already takes less time to store again."""
        shutil.rmtree(self.folder / ".acc", ignore_errors=True)

    def build(self, script, **env):
        """Run a build script; return what it wrote to $BENCH_OUT, and the "wall" and "cpu" seconds."""
        wall, cpu = timed([self.command, "build", script], self.folder, self.env | _texts(env))
        return _result(wall, cpu)

    def watch(self, script, **env):
        """Run a build script; return the peak of the memory of all its processes in each step, in bytes."""
        watch = MemoryWatch()
        with watch.running():
            spans = self.build(script, **env)["spans"]
        return {name: watch.peak(*span) for name, span in spans.items()}

    def job_bytes(self, job):
        """Return the stored bytes of a job: nodes, source, files and datasets."""
        command = [self.command, "du", "--json", job]
        done = subprocess.run(command, cwd=self.folder, env=self.env, stdout=subprocess.PIPE, check=True)
        total = json.loads(done.stdout)["total"]
        return total["alone"]["stored_bytes"] + total["shared"]["stored_bytes"]

    def run(self, *arguments):
        """Return the seconds of one command, cold."""
        return timed([self.command, *arguments], self.folder, self.env)[0]


class Peer:
    """The Accelerator, in a venv of its own, with its server running."""

    name = "peer"

    def __init__(self, slices=SLICES):
        self.slices = slices
        self.folder = WORK / "peer" / f"project-{slices}"
        self.bin = WORK / "peer" / "venv" / "bin"
        self.command = self.bin / "ax"
        home = WORK / "peer" / "home"
        self.env = dict(ENVIRONMENT, HOME=str(home), USER="peer", PATH=f"{self.bin}:{os.environ['PATH']}")

    def __enter__(self):
        self._install()
        self._make_project()
        self.server = subprocess.Popen(
            [self.command, "server"],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._wait_until_idle()
        return self

    def __exit__(self, *error):
        self.server.send_signal(signal.SIGTERM)
        try:
            self.server.wait(10)
        except subprocess.TimeoutExpired:
            self.server.kill()

    def fresh(self):
        """Do nothing: it stores all bytes each time."""

    def job_bytes(self, job):
        """Return the size of the folder of a job."""
        return folder_bytes(self.folder / "workdirs" / "dev" / job)

    def _install(self):
        if not self.command.exists():
            (WORK / "peer" / "home").mkdir(parents=True, exist_ok=True)
            subprocess.run([sys.executable, "-m", "venv", self.bin.parent], check=True)
            pip = [self.bin / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "accelerator==2025.11.11"], check=True)

    def _make_project(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        timed([self.command, "init", "--slices", str(self.slices), "--no-git", self.folder], WORK, self.env)
        shutil.copytree(HERE / "bench", self.folder / "bench", ignore=shutil.ignore_patterns("__pycache__"))
        config = self.folder / "accelerator.conf"
        ours = config.read_text().replace("\taccelerator.test_methods\n", "\tbench auto-discover\n")
        config.write_text(ours)

    def _wait_until_idle(self):
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            status = [self.command, "status"]
            done = subprocess.run(
                status, cwd=self.folder, env=self.env, capture_output=True, text=True, check=False
            )
            if done.returncode == 0 and "Idle" in done.stdout:
                return
            time.sleep(0.2)
        sys.exit("the peer's server did not start within a minute")

    def build(self, script, **env):
        """Run a build script; return what it wrote to $BENCH_OUT, and the "wall" and "cpu" seconds."""
        served = tree_cpu(self.server.pid)
        wall, cpu = timed([self.command, "run", "--quiet", script], self.folder, self.env | _texts(env))
        return _result(wall, cpu + tree_cpu(self.server.pid) - served)

    def run(self, *arguments):
        """Return the seconds of one command, cold."""
        return timed([self.command, *arguments], self.folder, self.env)[0]


def _texts(env):
    OUT.unlink(missing_ok=True)
    return {f"BENCH_{name}": str(value) for name, value in env.items()} | {"BENCH_OUT": str(OUT)}


def _result(wall, cpu):
    found = json.loads(OUT.read_text()) if OUT.exists() else {}
    return found | {"wall": wall, "cpu": cpu}


def folder_bytes(folder):
    """Return the size of all files under `folder`."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def warm(folder):
    """Read all files under `folder`, so that whoever is measured next finds them in memory."""
    # not once for all: machines drop what nobody has read for some minutes
    for path in folder.rglob("*"):
        if path.is_file():
            with open(path, "rb", buffering=0) as file:
                while file.read(1 << 20):
                    pass
