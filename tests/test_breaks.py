"""Attempts to break the engine: reuse that would be wrong, runs that nobody needs, methods that misbehave."""

import os
import py_compile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cas.errors import AccError
from cas.local.loose import Draft, LooseObjects
from jobs.execution.executors.serial import SerialExecutor
from jobs.wish import Policy
from porcelain import config
from porcelain.buildlog import BuildRecord
from porcelain.project import Project
from porcelain.urd import Urd
from tests.projects import Folder
from tests.waiting import await_that, lives

NUMBER = "def synthesis():\n    return 1\n"
OF_NUMBER = "options = dict(n=0)\n\ndef synthesis(options):\n    return options.n\n"


def building(
    folder: Folder, script: Callable[[Urd], Any], *, only_look: bool = False
) -> tuple[Any, list[str]]:
    """Return what `script` returns, and the methods of the jobs that ran for it."""
    with Project(config.load(folder.root), executor=SerialExecutor()) as project:
        before = len(list(project.index))
        value = script(Urd(project.builder, BuildRecord("test"), Policy(only_look=only_look)))
        ran = [row.method for row in project.index][: len(list(project.index)) - before]
    return value, ran[::-1]


def built(folder: Folder) -> Any:
    """Return the result of a job of method m."""
    return building(folder, lambda urd: urd.build("m").load())[0]


# -- what was read -------------------------------------------------------------------------------------------------


def test_a_new_file_in_an_input_folder_that_was_listed_runs_the_job_again(tmp_path: Path) -> None:
    method = """
        import glob
        from pathlib import Path

        def synthesis(job):
            return sorted(Path(name).read_text() for name in glob.glob(job.input_filename("*.csv")))
        """
    folder = Folder(tmp_path, {"mine/a_m.py": method, "input/a.csv": "a"})
    assert built(folder) == ["a"]
    assert building(folder, lambda urd: urd.build("m"))[1] == []
    folder.write("input/b.csv", "b")
    assert built(folder) == ["a", "b"]


@pytest.mark.parametrize("link", ["input/now.csv", "input/now"])
def test_a_link_that_leads_elsewhere_now_runs_the_job_again(tmp_path: Path, link: str) -> None:
    read = "now.csv" if link.endswith(".csv") else "now/x.csv"
    method = f"def synthesis(job):\n    with job.open_input({read!r}) as fh:\n        return fh.read()\n"
    files = {"mine/a_m.py": method}
    for version in ("1", "2"):
        files[f"input/{version}/x.csv" if link == "input/now" else f"input/{version}"] = version
    folder = Folder(tmp_path, files)
    for version in ("1", "2"):
        (folder.root / link).unlink(missing_ok=True)
        (folder.root / link).symlink_to(version)
        assert built(folder) == version


def test_a_result_link_that_leads_to_another_job_now_runs_its_reader_again(tmp_path: Path) -> None:
    reader = """
        from pathlib import Path

        def synthesis(job):
            return Path(job.result_directory, "n").read_text()
        """
    writer = """
        options = dict(n="")

        def synthesis(job, options):
            with job.open("n", "w") as fh:
                fh.write(options.n)
        """
    folder = Folder(tmp_path, {"mine/a_m.py": reader, "mine/a_w.py": writer})
    for text in ("one", "two"):

        def link(urd: Urd, n: str = text) -> None:
            urd.build("w", n=n).link_result("n")

        building(folder, link)
        assert built(folder) == text


def test_files_read_in_threads_are_all_noted(tmp_path: Path) -> None:
    method = """
        import sys
        from concurrent.futures import ThreadPoolExecutor
        from pathlib import Path

        def synthesis(job):
            before = sys.getswitchinterval()
            sys.setswitchinterval(1e-6)
            with ThreadPoolExecutor(8) as pool:
                texts = list(pool.map(lambda n: Path(job.input_filename(str(n))).read_text(), range(60)))
            sys.setswitchinterval(before)
            return len(texts)
        """
    files = {f"input/{number}": str(number) for number in range(60)}
    folder = Folder(tmp_path, {"mine/a_m.py": method, **files})
    job, _ = building(folder, lambda urd: urd.build("m"))
    with Project(config.load(folder.root)):
        assert sum(fact.kind == "read" for fact in job.run.facts) == 60


def test_a_module_that_python_had_compiled_is_read_as_its_source(tmp_path: Path) -> None:
    method = """
        import sys
        from pathlib import Path

        def synthesis():
            lib = str(Path(__file__).parents[1] / "lib")
            sys.path.insert(0, lib)
            try:
                import broken_helper
            finally:
                sys.path.remove(lib)
                del sys.modules["broken_helper"]
            return broken_helper.V
        """
    folder = Folder(tmp_path, {"mine/a_m.py": method})
    for number in (1, 22):
        source = folder.write("lib/broken_helper.py", f"V = {number}\n")
        py_compile.compile(str(source))
        assert built(folder) == number


def test_an_option_default_that_was_read_from_a_file_follows_the_file(tmp_path: Path) -> None:
    method = """
        from pathlib import Path

        options = dict(n=int(Path(__file__).with_name("n.txt").read_text()))

        def synthesis(options):
            return options.n
        """
    folder = Folder(tmp_path, {"mine/a_m.py": method})
    for number in (1, 2):
        folder.write("mine/n.txt", str(number))
        assert built(folder) == number


# -- what was given ------------------------------------------------------------------------------------------------


def test_dicts_that_differ_in_order_alone_are_one_option_and_seen_in_one_order(tmp_path: Path) -> None:
    method = "options = dict(d={})\n\ndef synthesis(options):\n    return [*options.d, *options.d.z]\n"
    folder = Folder(tmp_path, {"mine/a_m.py": method})
    first = building(folder, lambda urd: urd.build("m", d={"z": {"b": 1, "a": 2}, "c": 3}))[0]
    second, ran = building(folder, lambda urd: urd.build("m", d={"c": 3, "z": {"a": 2, "b": 1}}))
    assert (first, ran) == (second, [])
    with Project(config.load(folder.root)):
        assert first.load() == ["c", "z", "a", "b"]


def test_options_that_are_equal_in_python_are_different_options(tmp_path: Path) -> None:
    method = "options = dict(x=None)\n\ndef synthesis(options):\n    return repr(options.x)\n"
    folder = Folder(tmp_path, {"mine/a_m.py": method})
    values = (1, 1.0, True, "1", b"1", [1], (1,), {1}, {1: 1}, {"1": 1}, 0.0, -0.0, None, "")
    got, _ = building(folder, lambda urd: [urd.build("m", x=value).load() for value in values])
    assert got == [repr(value) for value in values]


@pytest.mark.parametrize("kind", ["jobs", "datasets"])
def test_equal_inputs_of_different_jobs_are_told_apart_by_who_looks_at_their_labels(
    tmp_path: Path, kind: str
) -> None:
    source = "def synthesis(job):\n    job.datasetwriter(columns={'a': 'int64'}).get_split_write()(1)\n"
    label = "jobs.a" if kind == "jobs" else "datasets.a.job"
    method = f"{kind} = ('a', 'b')\n\ndef synthesis({kind}):\n    return str({label})\n"
    folder = Folder(tmp_path, {"mine/a_m.py": method, "mine/a_n.py": source})

    def script(urd: Urd) -> None:
        one = urd.build("n")
        two = urd.build("n", force_build=True)
        assert urd.build("m", a=one, b=two).load() == one.label
        assert urd.build("m", a=two, b=one).load() == two.label

    building(folder, script)


# -- subjobs -------------------------------------------------------------------------------------------------------

PARENT = """
    from acc import build

    def synthesis(job):
        with job.open_input("n") as fh:
            return build("n", n=int(fh.read())).load()
    """


def test_looking_whether_a_job_would_run_runs_no_subjob(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"mine/a_m.py": PARENT, "mine/a_n.py": OF_NUMBER, "input/n": "1"})
    assert built(folder) == 1
    folder.write("mine/a_n.py", OF_NUMBER + "# changed\n")
    with pytest.raises(AccError, match="'n' would run"):
        building(folder, lambda urd: urd.build("m"), only_look=True)
    with Project(config.load(folder.root)) as project:
        assert len(list(project.index)) == 2


def test_no_subjob_runs_for_what_earlier_runs_had_wanted(tmp_path: Path) -> None:
    folder = Folder(tmp_path, {"mine/a_m.py": PARENT, "mine/a_n.py": OF_NUMBER})
    for number in ("1", "2", "3"):
        folder.write("input/n", number)
        assert built(folder) == int(number)
    folder.write("input/n", "4")
    folder.write("mine/a_n.py", OF_NUMBER + "# changed\n")
    assert sorted(building(folder, lambda urd: urd.build("m"))[1]) == ["m", "n"]


def test_a_subjob_that_was_refused_is_asked_for_again(tmp_path: Path) -> None:
    method = """
        from acc import build

        def synthesis():
            try:
                return build("n").load()
            except Exception:
                return "none"
        """
    folder = Folder(tmp_path, {"mine/a_m.py": method})
    assert built(folder) == "none"
    folder.write("mine/a_n.py", NUMBER)
    assert built(folder) == 1


# -- methods that misbehave ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("open('\\udcff', 'w').close()", "no Unicode text"),
        ("raise ValueError('half a \\udcff')", r"half a \udcff"),
    ],
)
def test_what_is_no_unicode_fails_the_job_and_no_more(tmp_path: Path, body: str, words: str) -> None:
    folder = Folder(tmp_path, {"mine/a_m.py": f"def synthesis():\n    {body}\n"})
    with pytest.raises(AccError) as caught:
        built(folder)
    assert words in str(caught.value)
    with Project(config.load(folder.root)) as project:
        assert [row.state for row in project.index] == ["failed"]


def test_a_method_may_remove_its_directory(tmp_path: Path) -> None:
    method = "import shutil\n\ndef synthesis(job):\n    shutil.rmtree(job.path)\n    return 1\n"
    folder = Folder(tmp_path, {"mine/a_m.py": method})
    assert "built" in folder.acc("build", "-m", "m")


def test_a_process_that_left_the_group_of_its_job_does_not_outlive_it(tmp_path: Path) -> None:
    method = """
        import subprocess

        def synthesis(job):
            return subprocess.Popen(["sleep", "60"], start_new_session=True).pid
        """
    build = "def main(urd):\n    print('pid', urd.build('m').load())\n"
    folder = Folder(tmp_path, {"mine/a_m.py": method, "mine/build.py": build})
    line = next(line for line in folder.acc("build").splitlines() if line.startswith("pid "))
    await_that(lambda: not lives(int(line.split()[1])), seconds=2)


def test_an_object_that_the_disk_has_no_room_for_leaves_no_file(tmp_path: Path) -> None:
    draft = Draft(LooseObjects(tmp_path, durable=False))
    draft.take(b"begun")
    (left,) = tmp_path.iterdir()
    draft._fd, full = os.open("/dev/full", os.O_WRONLY), draft._fd  # a disk that is full
    os.close(full)
    with pytest.raises(OSError, match="space"):
        draft.take(b"more")
    assert not left.exists()
