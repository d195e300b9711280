"""What must run again, and what must not."""

import os
import shutil
from pathlib import Path

import pytest

from tests.projects import Folder

FILES = {
    "input/data.csv": "a,b\n1,2\n3,4\n",
    "input/undeclared.txt": "one",
    "mine/helper.py": "def double(x):\n    return 2 * x\n",
    "mine/deep/__init__.py": "",
    "mine/deep/deeper.py": "VALUE = 1\n",
    "mine/a_reader.py": """
        from acc import InputFile

        options = dict(filename=InputFile(), factor=1)

        def synthesis(options):
            with options.filename.open() as fh:
                return len(fh.read()) * options.factor
        """,
    "mine/a_importer.py": """
        from mine import helper

        def synthesis():
            from .deep.deeper import VALUE
            return helper.double(21) + VALUE
        """,
    "mine/one.txt": "first",
    "mine/two.txt": "other",
    "mine/a_extra.py": """
        depend_extra = ("one.txt", "two.txt")

        def synthesis():
            return 1
        """,
    "mine/a_sub.py": "options = dict(n=1)\n\ndef synthesis(options):\n    return options.n\n",
    "mine/a_parent.py": """
        from acc import build

        def synthesis():
            return build("sub", n=5).load() + 1
        """,
    "mine/a_peeks.py": """
        def synthesis(job):
            with job.open_input("undeclared.txt") as fh:
                return fh.read()
        """,
    "mine/a_after.py": """
        jobs = ("source",)

        def synthesis(jobs):
            return jobs.source.load()
        """,
    "mine/build.py": """
        def main(urd):
            urd.build("csvimport", filename="data.csv")
            reader = urd.build("reader", filename="data.csv")
            urd.build("importer")
            urd.build("extra")
            urd.build("parent")
            urd.build("peeks")
            urd.build("after", source=reader)
        """,
}
ALL = ["csvimport", "reader", "importer", "extra", "sub", "parent", "peeks", "after"]


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    made = Folder(tmp_path / "project", FILES)
    assert sorted(made.ran("build")) == sorted(ALL)
    return made


def test_nothing_changed_builds_nothing(folder: Folder) -> None:
    assert folder.ran("build") == []


def test_changed_content_of_an_input_file_with_the_same_size_and_mtime(folder: Folder) -> None:
    path = folder.root / "input/data.csv"
    before = path.stat()
    path.write_text("a,b\n1,2\n3,5\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    # `reader` counts letters, so its outcome holds the input's id and differs; `after` gets another input
    assert folder.ran("build") == ["csvimport", "reader", "after"]


def test_a_module_that_the_method_imports(folder: Folder) -> None:
    folder.write("mine/helper.py", "def double(x):\n    return 3 * x\n")
    assert folder.ran("build") == ["importer"]
    folder.write("mine/deep/deeper.py", "VALUE = 2\n")
    assert folder.ran("build") == ["importer"]


def test_a_depend_extra_file(folder: Folder) -> None:
    folder.write("mine/one.txt", "changed")
    assert folder.ran("build") == ["extra"]


def test_two_depend_extra_files_swapped(folder: Folder) -> None:
    folder.write("mine/one.txt", "other")
    folder.write("mine/two.txt", "first")
    assert folder.ran("build") == ["extra"]


def test_the_method_and_put_back_as_it_was(folder: Folder) -> None:
    before = (folder.root / "mine/a_sub.py").read_text()
    folder.write(
        "mine/a_sub.py", "options = dict(n=1)\n\ndef synthesis(options):\n    return options.n + 1\n"
    )
    assert folder.ran("build") == ["sub", "parent"]
    folder.write("mine/a_sub.py", before)
    assert folder.ran("build") == []


def test_an_option(folder: Folder) -> None:
    script = (folder.root / "mine/build.py").read_text()
    folder.write(
        "mine/build.py",
        script.replace('"reader", filename="data.csv"', '"reader", filename="data.csv", factor=2'),
    )
    assert folder.ran("build") == ["reader", "after"]


def test_an_undeclared_file_in_the_input_directory(folder: Folder) -> None:
    folder.write("input/undeclared.txt", "two")
    assert folder.ran("build") == ["peeks"]
    folder.write("input/undeclared.txt", "one")
    assert folder.ran("build") == []


def test_a_changed_caption_builds_nothing(folder: Folder) -> None:
    script = (folder.root / "mine/build.py").read_text()
    folder.write(
        "mine/build.py", script.replace('urd.build("extra")', 'urd.build("extra", caption="another")')
    )
    assert folder.ran("build") == []


def test_a_moved_project_builds_nothing(folder: Folder, tmp_path: Path) -> None:
    shutil.move(folder.root, tmp_path / "elsewhere")
    folder.root = tmp_path / "elsewhere"
    assert folder.ran("build") == []


def test_a_comment_runs_that_job_alone_and_the_log_says_why(folder: Folder) -> None:
    path = folder.root / "mine/a_reader.py"
    path.write_text(path.read_text() + "\n# a comment\n")
    assert folder.ran("build") == ["reader"]
    assert "a_reader.py changed" in folder.acc("log")
    assert folder.ran("build") == []


def test_a_broken_method_stops_only_builds_that_need_it(folder: Folder) -> None:
    folder.write("mine/a_broken.py", "def synthesis(:\n")
    assert folder.ran("build") == []
    folder.write("mine/build_broken.py", "def main(urd):\n    urd.build('broken')\n")
    assert "a_broken.py" in folder.acc("build", "broken", code=1)


def test_equal_work_under_different_paths_has_equal_ids(folder: Folder, tmp_path: Path) -> None:
    other = Folder(tmp_path / "another" / "place", FILES)
    other.write("mine/build_more.py", "def main(urd):\n    urd.build('sub', n=77)\n")
    other.acc("build", "more")
    other.acc("build")
    for method in ALL:
        for option in ((), ("--outcome",)):
            assert folder.acc("rev-parse", *option, method) == other.acc("rev-parse", *option, method)
        assert folder.acc("cat-job", method) == other.acc("cat-job", method)
