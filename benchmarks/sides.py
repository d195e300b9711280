"""The two sides of a comparison, acc and the Accelerator (PyPI `accelerator`), each with a project."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from treecpu import tree_cpu

HERE = Path(__file__).resolve().parent
WORK = HERE / ".work"
OUT = WORK / "out.json"
SLICES = 2
REPS = int(os.environ.get("BENCH_REPS", "3"))

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


class Acc:
    """acc, as it is installed beside the python that runs this."""

    name = "acc"

    def __init__(self):
        self.folder = WORK / "acc"
        self.command = Path(sys.executable).parent / "acc"
        self.env = dict(ENVIRONMENT)

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(HERE / "bench", self.folder / "bench", ignore=shutil.ignore_patterns("__pycache__"))
        (self.folder / "acc.toml").write_text(f'[project]\nslices = {SLICES}\nmethods = ["bench"]\n')
        return self

    def __exit__(self, *error):
        pass

    def build(self, script, **env):
        """Run a build script; return what it wrote to $BENCH_OUT, and the "wall" and "cpu" seconds."""
        wall, cpu = timed([self.command, "build", script], self.folder, self.env | _texts(env))
        return _result(wall, cpu)

    def run(self, *arguments):
        """Return the seconds of one command, cold."""
        return timed([self.command, *arguments], self.folder, self.env)[0]


class Peer:
    """The Accelerator, in a venv of its own, with its server running."""

    name = "peer"

    def __init__(self):
        self.folder = WORK / "peer" / "project"
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

    def _install(self):
        if not self.command.exists():
            (WORK / "peer" / "home").mkdir(parents=True, exist_ok=True)
            subprocess.run([sys.executable, "-m", "venv", self.bin.parent], check=True)
            pip = [self.bin / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            subprocess.run([*pip, "accelerator==2025.11.11"], check=True)

    def _make_project(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        timed([self.command, "init", "--slices", str(SLICES), "--no-git", self.folder], WORK, self.env)
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
