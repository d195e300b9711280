"""The whole programming model in one project, as a user writes it, through the command line."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECTS = Path(__file__).parent / "projects"


def acc(folder: Path, *arguments: str, code: int = 0) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "acc", *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def project(tmp_path: Path) -> Path:
    shutil.copytree(PROJECTS / "walk", tmp_path / "walk")
    return tmp_path / "walk"


def test_the_whole_model_works_as_written_and_a_second_build_runs_nothing(project: Path) -> None:
    first = acc(project, "build", "walk")
    assert "built" in first
    second = acc(project, "build", "walk")
    assert "all reused" in second
    assert "built" not in second
    assert acc(project, "fsck") == acc(project, "fsck")


def test_a_job_loads_in_plain_python_inside_a_project(project: Path) -> None:
    acc(project, "build", "walk")
    code = "from acc import Job; print(Job('thejob').load(), Job('dev-LATEST').method)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=project, capture_output=True, text=True, check=True
    )
    assert done.stdout == "10 thejob\n"
