"""Small projects of users, made in a folder and driven through the command line."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

HERE = Path(__file__).parent


class Folder:
    """A project in a folder: its files are written as text, `acc` is run in it."""

    def __init__(self, root: Path, files: Mapping[str, str], *, slices: int = 2) -> None:
        self.root = root
        self.write("acc.toml", f'[project]\nslices = {slices}\nmethods = ["mine"]\n')
        self.write("mine/__init__.py", "")
        for name, text in files.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text))
        return path

    def command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-P", "-m", "acc", *arguments]

    def acc(self, *arguments: str, code: int = 0, stdin: str | None = None) -> str:
        """Run a command of acc and return what it printed, to stdout and to stderr."""
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.root,
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, "NO_COLOR": "1"},
        )
        assert done.returncode == code, f"exit {done.returncode}\n{done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def ran(self, *arguments: str) -> list[str]:
        """Run a command and return the methods of the jobs that it built, in order."""
        lines = [line.split() for line in self.acc(*arguments).splitlines()]
        return [words[1] for words in lines if len(words) > 2 and words[2] == "built"]
