"""What must run again, and what must not: one change to a project, and the methods whose jobs then run."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from jobs.execution.executors.serial import SerialExecutor
from jobs.execution.plan import Plan, Silent
from porcelain import config
from porcelain.project import Project
from porcelain.script import find_scripts, get_script, run_script
from tests.projects import Folder

FILES = {
    "input/data.csv": "a,b\n1,2\n3,4\n",
    "input/undeclared.txt": "one",
    "input/many/1.txt": "1",
    "input/many/2.txt": "2",
    "mine/helper.py": "from .deep import lowest\n\n\ndef double(x):\n    return 2 * x\n",
    "mine/deep/__init__.py": "",
    "mine/deep/deeper.py": "VALUE = 1\n",
    "mine/deep/lowest.py": "LOW = 1\n",
    "mine/deep/unused.py": "",
    "mine/starred/__init__.py": "__all__ = ['one']\n",
    "mine/starred/one.py": "VALUE = 1\n",
    "mine/starred/two.py": "VALUE = 1\n",
    "mine/named.py": "VALUE = 1\n",
    "mine/dynamic.py": "VALUE = 1\n",
    "mine/defaults.py": "DEFAULT = 1\n",
    "mine/conf.txt": "1",
    "mine/words.txt": "words",
    "mine/bits/1.txt": "",
    "mine/one.txt": "first",
    "mine/two.txt": "other",
    "beside.py": "VALUE = 1\n",
    "space/deep/thing.py": "VALUE = 1\n",
    "shared/real.py": "VALUE = 1\n",
    "shared/other.py": "VALUE = 2\n",
    "mine/a_reader.py": """
        from acc import InputFile

        options = dict(filename=InputFile(), factor=1)

        def synthesis(options):
            with options.filename.open() as fh:
                return len(fh.read()) * options.factor
        """,
    "mine/a_after.py": "jobs = ('source',)\n\ndef synthesis(jobs):\n    return jobs.source.load()\n",
    "mine/a_label.py": "jobs = ('source',)\n\ndef synthesis(jobs):\n    return str(jobs.source)\n",
    "mine/a_file.py": """
        from acc import JobWithFile

        options = dict(thefile=JobWithFile)

        def synthesis(options):
            return options.thefile.load()
        """,
    "mine/a_rows.py": "datasets = ('source',)\n\ndef synthesis(datasets):\n    return sum(datasets.source.lines)\n",
    "mine/a_importer.py": """
        from mine import helper

        def synthesis():
            from .deep.deeper import VALUE
            return helper.double(21) + VALUE
        """,
    "mine/a_stars.py": "from .starred import *\n\ndef synthesis():\n    return one.VALUE\n",
    "mine/a_beside.py": "import beside\nimport space.deep.thing\n\ndef synthesis():\n    return beside.VALUE\n",
    "mine/a_named.py": """
        import importlib

        def synthesis():
            return importlib.import_module("mine.named").VALUE
        """,
    "mine/a_late.py": """
        import importlib

        def synthesis():
            return importlib.import_module("mine." + "dynamic").VALUE
        """,
    "mine/a_hopeful.py": """
        import importlib

        def synthesis():
            try:
                return importlib.import_module("mine." + "plugin").VALUE
            except ImportError:
                return 0
        """,
    "mine/a_maybe.py": """
        try:
            from . import fast
        except ImportError:
            fast = None
        try:
            import fastest
        except ImportError:
            fastest = None

        def synthesis():
            return [fast and fast.VALUE, fastest and fastest.VALUE]
        """,
    "mine/a_linked.py": "from . import link\n\ndef synthesis():\n    return link.VALUE\n",
    "mine/a_extra.py": "depend_extra = ('one.txt', 'two.txt')\n\ndef synthesis():\n    return 1\n",
    "mine/a_defaults.py": """
        from pathlib import Path

        from .defaults import DEFAULT

        options = dict(one=DEFAULT, two=Path(__file__).with_name("conf.txt").read_text())

        def synthesis(options):
            return [options.one, options.two]
        """,
    "mine/a_resource.py": """
        import pkgutil

        def synthesis():
            return pkgutil.get_data("mine", "words.txt")
        """,
    "mine/a_lists.py": """
        from pathlib import Path

        def synthesis():
            return sorted(path.name for path in Path(__file__).with_name("bits").iterdir())
        """,
    "mine/a_peeks.py": """
        def synthesis(job):
            with job.open_input("undeclared.txt") as fh:
                return fh.read()
        """,
    "mine/a_misses.py": """
        def synthesis(job):
            try:
                with job.open_input("gone.txt") as fh:
                    return fh.read()
            except FileNotFoundError:
                return None
        """,
    "mine/a_globs.py": """
        from pathlib import Path

        def synthesis(job):
            return sorted(path.read_text() for path in Path(job.input_directory, "many").glob("*.txt"))
        """,
    "mine/a_sub.py": "options = dict(n=1)\n\ndef synthesis(options):\n    return options.n\n",
    "mine/a_parent.py": "from acc import build\n\ndef synthesis():\n    return build('sub', n=5).load() + 1\n",
    "mine/a_looks.py": "from acc import Job\n\ndef synthesis():\n    return Job('reader').load()\n",
    "mine/a_takes.py": """
        from acc import OptionEnum

        options = dict(x=None, kind=OptionEnum("csv json").csv, typed=1.5)

        def synthesis(options):
            return type(options.x).__name__
        """,
    "mine/build.py": """
        import datetime
        from collections import OrderedDict
        from pathlib import Path

        import numpy

        X = [1, 0.0, {"a": 1, "b": 2}, OrderedDict(a=1, b=2), {"s", "t"}, datetime.date(2020, 1, 1), Path("p"),
             b"bytes", 2**53, float("nan"), (1, 2), {1: "one", "1": "text"}]

        def main(urd):
            table = urd.build("csvimport", filename="data.csv")
            reader = urd.build("reader", filename="data.csv")
            urd.build("rows", source=table)
            urd.build("after", source=reader)
            urd.build("label", source=reader)
            urd.build("file", thefile=reader.withfile("result.pickle"))
            for method in ("importer", "stars", "beside", "named", "late", "hopeful", "maybe", "linked"):
                urd.build(method)
            for method in ("extra", "defaults", "resource", "lists", "peeks", "misses", "globs"):
                urd.build(method)
            urd.build("parent", caption="a caption")
            urd.build("looks")
            urd.build("takes", x=X)
        """,
}
METHODS = [
    *("csvimport", "reader", "rows", "after", "label", "file"),
    *("importer", "stars", "beside", "named", "late", "hopeful", "maybe", "linked"),
    *("extra", "defaults", "resource", "lists", "peeks", "misses", "globs"),
    *("sub", "parent", "looks", "takes"),
]


class Heard(Silent):
    """Hears which methods run."""

    def __init__(self) -> None:
        self.ran: list[str] = []

    def began(self, plan: Plan, label: str) -> None:
        self.ran.append(plan.method.name)


class Tree:
    """A project, and what is done to it."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def ran(self) -> list[str]:
        """Build in a project that is opened anew, and return the methods of the jobs that ran."""
        heard = Heard()
        with Project(config.load(self.root), heard, SerialExecutor()) as project:
            script = get_script(find_scripts(self.root, project.catalog.packages), "", self.root)
            run_script(project, script)
        return heard.ran


# ---- changes


Change = Callable[[Path], object]


def _change(make: Callable[..., object]) -> Callable[..., Change]:
    """Return a function that takes what `make` does but for the project, and returns the change."""

    def with_arguments(*arguments: object) -> Change:
        return lambda root: make(root, *arguments)

    return with_arguments


@_change
def both(root: Path, *changes: Change) -> None:
    for change in changes:
        change(root)


@_change
def write(root: Path, name: str, text: str = "") -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


@_change
def append(root: Path, name: str, text: str = "# a comment\n") -> None:
    with (root / name).open("a") as stream:
        stream.write(text)


@_change
def replace(root: Path, name: str, old: str, new: str) -> None:
    text = (root / name).read_text()
    assert text.count(old) == 1, f"'{old}' is {text.count(old)} times in {name}"
    (root / name).write_text(text.replace(old, new))


@_change
def move(root: Path, name: str, new: str) -> None:
    (root / new).parent.mkdir(parents=True, exist_ok=True)
    (root / name).rename(root / new)


@_change
def remove(root: Path, name: str) -> None:
    path = root / name
    shutil.rmtree(path) if path.is_dir() else path.unlink()


@_change
def link(root: Path, name: str, target: str) -> None:
    (root / name).unlink(missing_ok=True)
    (root / name).symlink_to(target)


@_change
def latin(root: Path, name: str, text: str) -> None:
    (root / name).write_text(text, encoding="latin-1")


@_change
def touch(root: Path, name: str) -> None:
    os.utime(root / name, (1, 1))


@_change
def keep_times(root: Path, name: str, text: str) -> None:
    """Write a file of the same size, and set its time of change back."""
    path = root / name
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size


def script(old: str, new: str) -> Change:
    return replace("mine/build.py", old, new)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project in which everything is built."""
    folder = Folder(tmp_path_factory.mktemp("built") / "project", FILES)
    (folder.root / "mine/link.py").symlink_to("../shared/real.py")
    assert sorted(Tree(folder.root).ran()) == sorted(METHODS)
    return folder.root


@pytest.fixture
def tree(built: Path, tmp_path: Path) -> Tree:
    """A copy of it; that it lies elsewhere is no reason for anything to run."""
    shutil.copytree(built, tmp_path / "project", symlinks=True)
    return Tree(tmp_path / "project")


# (what changes, how, the methods whose jobs run)
CASES: list[tuple[str, Change, str]] = [
    ("nothing", both(), ""),
    # the code
    ("a comment in a method", append("mine/a_reader.py", "# x\n"), "reader"),
    (
        "a method that gives another result",
        replace("mine/a_reader.py", "factor\n", "factor + 1\n"),
        "reader after label file looks",
    ),
    ("a method after others", append("mine/a_after.py", "# x\n"), "after"),
    ("a helper", replace("mine/helper.py", "2 *", "3 *"), "importer"),
    ("a helper of a helper", append("mine/deep/lowest.py", "X = 1\n"), "importer"),
    ("a helper that is imported in a function", append("mine/deep/deeper.py", "#"), "importer"),
    ("a module beside one that is imported", append("mine/deep/unused.py", "#"), ""),
    ("the __init__ around a helper", append("mine/deep/__init__.py", "#"), "importer"),
    (
        "the __init__ of the method package",
        append("mine/__init__.py", "X = 1\n"),
        " ".join(method for method in METHODS if method != "csvimport"),
    ),
    ("a new method", write("mine/a_new.py", "def synthesis(): return 1\n"), ""),
    ("a method that nobody builds, and broken", write("mine/a_broken.py", "def ("), ""),
    ("the build script alone", append("mine/build.py", "# x\n"), ""),
    ("a module that becomes a package", move("mine/named.py", "mine/named/__init__.py"), "named"),
    (
        "a package that becomes a module",
        both(
            remove("mine/starred"),
            write("mine/starred.py", "one = VALUE = 1\n"),
            replace("mine/a_stars.py", "one.VALUE", "one"),
        ),
        "stars",
    ),
    ("a package that comes to hide a module", write("mine/named/__init__.py", "VALUE = 2\n"), "named"),
    ("a module of __all__", append("mine/starred/one.py", "#"), "stars"),
    ("a module that is not in __all__", append("mine/starred/two.py", "#"), ""),
    ("__all__", replace("mine/starred/__init__.py", "'one'", "'one', 'two'"), "stars"),
    ("a module beside the package", append("beside.py", "#"), "beside"),
    ("a module in folders without __init__", append("space/deep/thing.py", "#"), "beside"),
    ("an __init__ where there was none", write("space/__init__.py", ""), "beside"),
    ("a module named in import_module", append("mine/named.py", "#"), "named"),
    ("a module named when it runs", append("mine/dynamic.py", "#"), "late"),
    ("what hides a module named when it runs", write("mine/dynamic/__init__.py", "VALUE = 2"), "late"),
    ("a module that was looked for in vain", write("mine/plugin.py", "VALUE = 2\n"), "hopeful"),
    ("a package looked for in vain", write("mine/plugin/__init__.py", "VALUE = 2\n"), "hopeful"),
    ("a folder like a module looked for in vain", write("mine/plugin/x.txt", ""), ""),
    ("a module for a conditional import", write("mine/fast.py", "VALUE = 2\n"), "maybe"),
    ("the same at the top", write("fastest.py", "VALUE = 2\n"), "maybe"),
    ("where a linked module leads", link("mine/link.py", "../shared/other.py"), "linked"),
    ("the module that a link leads to", append("shared/real.py", "#"), "linked"),
    ("a link that becomes the file", both(remove("mine/link.py"), write("mine/link.py", "VALUE = 1\n")), ""),
    ("a module in another encoding", latin("mine/named.py", "# coding: latin-1\nVALUE = 'å'\n"), "named"),
    ("a depend_extra file", write("mine/one.txt", "changed"), "extra"),
    (
        "two depend_extra files swapped",
        both(write("mine/one.txt", "other"), write("mine/two.txt", "first")),
        "extra",
    ),
    ("a default that a helper gives", write("mine/defaults.py", "DEFAULT = 2\n"), "defaults"),
    ("a default that is read from a file", write("mine/conf.txt", "2"), "defaults"),
    ("a helper of same size and time", keep_times("mine/named.py", "VALUE = 2\n"), "named"),
    (
        "a module named when it runs of same size and time",
        keep_times("mine/dynamic.py", "VALUE = 2\n"),
        "late",
    ),
    # files
    ("an input file", write("input/data.csv", "a,b\n1,2\n"), "csvimport reader rows after label file looks"),
    # `reader` counts letters, and a file of a job counts by its bytes
    (
        "an input file of same size and time",
        keep_times("input/data.csv", "a,b\n1,2\n3,5\n"),
        "csvimport reader rows after label looks",
    ),
    ("the time of an input file", touch("input/data.csv"), ""),
    (
        "an input file replaced by its copy",
        both(move("input/data.csv", "old.csv"), write("input/data.csv", FILES["input/data.csv"])),
        "",
    ),
    (
        "an input file that becomes a link",
        both(move("input/data.csv", "elsewhere.csv"), link("input/data.csv", "../elsewhere.csv")),
        "",
    ),
    (
        "the name of an input file",
        both(
            move("input/data.csv", "input/new.csv"),
            script('"reader", filename="data.csv"', '"reader", filename="new.csv"'),
            script('"csvimport", filename="data.csv"', '"csvimport", filename="new.csv"'),
        ),
        "csvimport reader rows after label looks",
    ),
    ("another file in the input directory", write("input/new.csv", ""), ""),
    ("an undeclared file", write("input/undeclared.txt", "two"), "peeks"),
    ("an undeclared file of same size and time", keep_times("input/undeclared.txt", "two"), "peeks"),
    (
        "an undeclared file that goes, with the job that read it",
        both(remove("input/undeclared.txt"), script('"peeks", ', "")),
        "",
    ),
    (
        "an undeclared file put back",
        both(write("input/undeclared.txt", "x"), write("input/undeclared.txt", "one")),
        "",
    ),
    ("a file looked for in vain", write("input/gone.txt", "here"), "misses"),
    ("a new file in a folder that was listed", write("input/many/3.txt", "3"), "globs"),
    ("a file of a folder that was listed", write("input/many/1.txt", "x"), "globs"),
    ("a file renamed in a folder that was listed", move("input/many/1.txt", "input/many/0.txt"), "globs"),
    ("a new file in a folder of the project that was listed", write("mine/bits/2.txt", ""), "lists"),
    ("a file read through its package", write("mine/words.txt", "other"), "resource"),
    # jobs
    ("a subjob that gives the same", append("mine/a_sub.py", "# x\n"), "sub"),
    (
        "a subjob that gives another result",
        replace("mine/a_sub.py", "options.n", "options.n + 1"),
        "sub parent",
    ),
    ("a default of a subjob that is given", replace("mine/a_sub.py", "n=1", "n=2"), "sub"),
    ("what a subjob is given", replace("mine/a_parent.py", "n=5", "n=6"), "parent sub"),
    # options
    ("a caption", script("a caption", "another"), ""),
    ("a name in the build", script('build("looks"', 'build("looks", name="x"'), ""),
    ("concurrency", script('build("looks"', 'build("looks", concurrency=1'), ""),
    ("another option", script("x=X", "x=1"), "takes"),
    ("the default given", script("x=X", "x=X, kind='csv', typed='1.5'"), ""),
    ("a default changed", replace("mine/a_takes.py", "typed=1.5", "typed=2.5"), "takes"),
    ("an int for a float of the same value", script("[1,", "[1.0,"), "takes"),
    ("True for 1", script("[1,", "[True,"), "takes"),
    ("a numpy scalar for its value", script("[1, 0.0", "[numpy.int8(1), numpy.float64(0)"), ""),
    ("minus zero", script("0.0", "-0.0"), "takes"),
    ("the order of a dict", script('{"a": 1, "b": 2}', '{"b": 2, "a": 1}'), ""),
    ("the order of an OrderedDict", script("(a=1, b=2)", "(b=2, a=1)"), "takes"),
    ("an OrderedDict for a dict", script('{"a": 1, "b": 2}', "OrderedDict(a=1, b=2)"), "takes"),
    ("the order of a set", script('{"s", "t"}', '{"t", "s"}'), ""),
    ("a frozenset for a set", script('{"s", "t"}', 'frozenset("st")'), "takes"),
    ("a datetime for a date", script("datetime.date(", "datetime.datetime("), "takes"),
    ("a text for a path", script('Path("p")', '"p"'), "takes"),
    ("a text for bytes", script('b"bytes"', '"bytes"'), "takes"),
    ("the next large integer", script("2**53", "2**53 + 1"), "takes"),
    ("nan, made otherwise", script('float("nan")', "-numpy.nan"), ""),
    ("a list for a tuple", script("(1, 2)", "[1, 2]"), "takes"),
    ("the order of keys of two types", script('{1: "one", "1": "text"}', '{"1": "text", 1: "one"}'), ""),
    # the project
    ("the number of slices", replace("acc.toml", "slices = 2", "slices = 3"), " ".join(METHODS)),
    ("what counts of the environment", append("acc.toml", 'environment = "none"\n'), " ".join(METHODS)),
    ("another file in the project", write("notes.txt", ""), ""),
]


@pytest.mark.parametrize(
    ("change", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES]
)
def test_a_change_runs_what_depends_on_it_and_nothing_else(tree: Tree, change: Change, expected: str) -> None:
    change(tree.root)
    assert sorted(tree.ran()) == sorted(expected.split())
    assert tree.ran() == []


def test_the_table_is_long_and_each_case_has_a_name() -> None:
    assert len({name for name, _, _ in CASES}) == len(CASES) >= 60


def test_what_was_before_is_found_again(tree: Tree) -> None:
    before = (tree.root / "mine/a_sub.py").read_text()
    replace("mine/a_sub.py", "options.n", "options.n + 1")(tree.root)
    assert tree.ran() == ["sub", "parent"]
    write("mine/a_sub.py", before)(tree.root)
    assert tree.ran() == []


def test_an_undeclared_file_that_goes_is_missed_by_the_method(tree: Tree) -> None:
    (tree.root / "input/gone.txt").write_text("")
    assert tree.ran() == ["misses"]
    (tree.root / "input/gone.txt").unlink()
    assert tree.ran() == []


# ---- through the command line


@pytest.fixture
def folder(tree: Tree) -> Folder:
    return Folder(tree.root, {})


def test_jobs_of_this_process_are_found_by_those_that_run_in_processes(folder: Folder) -> None:
    assert folder.ran("build") == []


def test_a_comment_runs_that_job_alone_and_the_log_says_why(folder: Folder) -> None:
    path = folder.root / "mine/a_extra.py"
    path.write_text(path.read_text() + "\n# a comment\n")
    assert folder.ran("build") == ["extra"]
    assert "a_extra.py changed" in folder.acc("log")
    assert folder.ran("build") == []


def test_a_broken_method_stops_only_builds_that_need_it(folder: Folder) -> None:
    folder.write("mine/a_broken.py", "def synthesis(:\n")
    assert folder.ran("build") == []
    folder.write("mine/build_broken.py", "def main(urd):\n    urd.build('broken')\n")
    assert "a_broken.py" in folder.acc("build", "broken", code=1)


def test_equal_work_under_different_paths_has_equal_ids(folder: Folder, tmp_path: Path) -> None:
    other = Folder(tmp_path / "another" / "place", FILES)
    (other.root / "mine/link.py").symlink_to("../shared/real.py")
    other.write("mine/build_more.py", "def main(urd):\n    urd.build('sub', n=77)\n")
    other.acc("build", "more")
    other.acc("build")
    methods = ("csvimport", "reader", "after", "importer", "parent", "takes")
    for option in ((), ("--outcome",)):
        assert folder.acc("rev-parse", *option, *methods) == other.acc("rev-parse", *option, *methods)
    for method in methods:
        assert folder.acc("cat-job", method) == other.acc("cat-job", method)
