"""The audit hook: undeclared files are noted, acc's own and the installation's are not."""

import ctypes
import importlib
import multiprocessing
import os
import py_compile
import sqlite3
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.execution.inside.reads import _TICK_NS, ReadWatch, stat_of, watch
from jobs.execution.territory import Territory, prefixes


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name in (
        "project/job/own.txt",
        "project/notes.txt",
        "project/declared.csv",
        "quiet/x",
        "passing/old.txt",
        "elsewhere/y",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    return tmp_path / "project"


@pytest.fixture
def watched(project: Path):
    territory = Territory(
        own=prefixes([project / "job", project.parent / "quiet", Path(sys.prefix), Path(sys.base_prefix)]),
        noted=prefixes([project]),
        passing=prefixes([project.parent / "passing"]),
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


def test_a_link_to_a_declared_file_counts_by_itself(project: Path, watched: ReadWatch) -> None:
    watch(None)
    (project / "link.csv").symlink_to("declared.csv")
    watch(watched)
    (project / "link.csv").read_text()
    watch(None)
    assert names(watched, project) == ["project/link.csv"]


def test_a_folder_is_noted_when_its_names_are_asked_for(project: Path, watched: ReadWatch) -> None:
    os.listdir(project)  # noqa: PTH208 - Path lists in another way
    list((project / "job").iterdir())
    list(os.scandir(project.parent / "elsewhere"))
    list((project.parent / "quiet").glob("*"))
    watch(None)
    assert names(watched, project) == ["project", "elsewhere"]


@pytest.mark.skipif(sys.platform != "linux", reason="a descriptor has no name there")
def test_a_folder_that_is_open_is_noted_by_its_name(project: Path, watched: ReadWatch) -> None:
    descriptor = os.open(project.parent / "elsewhere", os.O_RDONLY)
    os.listdir(descriptor)  # noqa: PTH208 - Path takes no descriptor
    os.close(descriptor)
    watch(None)
    assert names(watched, project) == ["elsewhere"]


def test_what_imports_list_is_not_noted(
    project: Path, watched: ReadWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(None)
    monkeypatch.syspath_prepend(project.parent / "elsewhere")
    watch(watched)
    with pytest.raises(ImportError):
        importlib.import_module("nowhere_to_be_found")
    watch(None)
    assert names(watched, project) == []


def test_a_file_that_was_made_is_no_longer_anybody_elses(project: Path, watched: ReadWatch) -> None:
    (project / "made.txt").write_text("x")
    (project / "made.txt").read_text()
    with (project / "notes.txt").open("a+") as stream:
        stream.write("x")
    watch(None)
    assert names(watched, project) == ["project/notes.txt"]


def test_a_file_that_could_not_be_made_is_read(project: Path, watched: ReadWatch) -> None:
    with pytest.raises(FileExistsError):
        (project / "notes.txt").open("x")
    (project / "notes.txt").read_text()
    watch(None)
    assert names(watched, project) == ["project/notes.txt"]


def test_temporary_files_count_when_they_were_there_before(project: Path, watched: ReadWatch) -> None:
    watch(None)
    old = project.parent / "passing/old.txt"
    made = old.stat().st_ctime_ns
    while time.time_ns() < made + 2 * _TICK_NS:
        time.sleep(0.001)
    again = ReadWatch(watched._territory)
    watch(again)
    old.read_text()
    (project.parent / "passing/new.txt").write_text("x")
    (project.parent / "passing/new.txt").open("a+").close()
    with pytest.raises(FileNotFoundError):
        (project.parent / "passing/gone.txt").read_text()
    watch(None)
    assert names(again, project) == ["passing/old.txt"]


def test_a_file_that_gets_another_name_is_read(project: Path, watched: ReadWatch) -> None:
    os.link(project / "notes.txt", project / "job/notes.txt")
    (project.parent / "elsewhere/y").rename(project / "job/y")
    watch(None)
    assert names(watched, project) == ["project/notes.txt", "elsewhere/y"]


def test_a_database_is_read_with_its_log(project: Path, watched: ReadWatch) -> None:
    watch(None)
    path = project / "x.sqlite"
    sqlite3.connect(path).close()
    sqlite3.connect(path, isolation_level=None).execute("CREATE TABLE t (x)").connection.close()
    watch(watched)
    for name, uri in ((path, False), (f"file:{path}?mode=ro", True), (":memory:", False), ("", False)):
        sqlite3.connect(name, uri=uri).close()
    watch(None)
    assert names(watched, project) == ["project/x.sqlite", "project/x.sqlite-wal"]


def test_a_library_with_a_folder_is_read(project: Path, watched: ReadWatch) -> None:
    with pytest.raises(OSError, match="notes"):
        ctypes.CDLL(str(project / "notes.txt"))
    with pytest.raises(OSError, match="libnowhere"):
        ctypes.CDLL("libnowhere.so")
    watch(None)
    assert names(watched, project) == ["project/notes.txt"]


def test_processes_that_are_forked_leave_word(project: Path, watched: ReadWatch) -> None:
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(_read, [project / "notes.txt", project / "gone.txt", project / "notes.txt"])
    watch(None)
    assert names(watched, project) == []
    watched.collect()
    assert sorted(names(watched, project)) == ["project/gone.txt", "project/notes.txt"]
    assert next(read for read in watched.reads() if "notes" in read.path).stat is not None
    watched.collect()
    assert len(watched.reads()) == 2


def _read(path: Path) -> None:
    with suppress(OSError):
        path.read_text()


def test_a_compiled_module_is_not_trusted(
    project: Path, watched: ReadWatch, monkeypatch: pytest.MonkeyPatch
) -> None:
    watch(None)
    source = project / "stale_module.py"
    source.write_text("VALUE = 1\n")
    before = source.stat()
    py_compile.compile(str(source))
    source.write_text("VALUE = 2\n")
    os.utime(source, ns=(before.st_atime_ns, before.st_mtime_ns))
    monkeypatch.syspath_prepend(project)
    watch(watched)
    try:
        assert importlib.import_module("stale_module").VALUE == 2
    finally:
        watch(None)
        sys.modules.pop("stale_module", None)
    assert names(watched, project) == ["project/stale_module.py"]
