"""The audit hook: undeclared files are noted, acc's own and the installation's are not."""

import os
import sys
from pathlib import Path

import pytest

from jobs.execution.reads import ReadWatch, stat_of, watch
from jobs.execution.territory import Territory, prefixes


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in (
        "project/job/own.txt",
        "project/notes.txt",
        "project/declared.csv",
        "quiet/x",
        "elsewhere/y",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "project"


@pytest.fixture
def watched(project: Path):
    territory = Territory(
        own=prefixes([project / "job", Path(sys.prefix), Path(sys.base_prefix)]),
        noted=prefixes([project]),
        passing=prefixes([project.parent / "passing"]),
        quiet=prefixes([project.parent / "quiet", project.parent / "passing", project]),
    )
    declared = frozenset({str((project / "declared.csv").resolve())})
    active = ReadWatch(territory, declared, project.parent / "reads")
    watch(active)
    yield active
    watch(None)


def names(watched: ReadWatch, project: Path) -> list[str]:
    return [os.path.relpath(read.path, project.parent) for read in watched.reads()]


def test_files_of_the_project_are_noted_once_with_their_stat(project: Path, watched: ReadWatch) -> None:
    for _ in range(2):
        (project / "notes.txt").read_text()
    os.close(os.open(project / "notes.txt", os.O_RDONLY))
    watch(None)
    assert names(watched, project) == ["project/notes.txt"]
    assert watched.reads()[0].stat == stat_of(str(project / "notes.txt"))


def test_own_declared_and_quiet_files_are_not_noted(project: Path, watched: ReadWatch) -> None:
    (project / "job/own.txt").read_text()
    (project / "declared.csv").read_text()
    (project.parent / "quiet/x").read_text()
    watch(None)
    assert names(watched, project) == []


def test_files_elsewhere_and_missing_ones_are_noted(project: Path, watched: ReadWatch) -> None:
    (project.parent / "elsewhere/y").read_text()
    with pytest.raises(FileNotFoundError):
        (project / "gone.txt").read_text()
    watch(None)
    assert names(watched, project) == ["elsewhere/y", "project/gone.txt"]
    assert watched.reads()[1].stat is None


def test_writing_is_not_reading(project: Path, watched: ReadWatch) -> None:
    (project / "written.txt").write_text("x")
    watch(None)
    assert names(watched, project) == []


def test_a_link_counts_as_itself_since_it_may_lead_elsewhere_later(project: Path, watched: ReadWatch) -> None:
    watch(None)
    (project / "link.txt").symlink_to("notes.txt")
    watch(watched)
    (project / "link.txt").read_text()
    watch(None)
    assert names(watched, project) == ["project/link.txt"]


def test_a_link_in_the_job_directory_counts_as_the_file_that_it_leads_to(
    project: Path, watched: ReadWatch
) -> None:
    (project / "job/link.txt").symlink_to("../notes.txt")
    (project / "job/link.txt").read_text()
    watch(None)
    assert names(watched, project) == ["project/notes.txt"]
