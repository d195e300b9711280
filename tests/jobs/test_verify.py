"""Jobs run again as they were: what is not reproducible is told with its place, what cannot be run with the reason."""

import re
from dataclasses import replace

import pytest

from cas.formats.node import get_node, put_node
from jobs.errors import CannotRunAgain, JobFailed
from jobs.execution.executors.processes import ProcessExecutor
from jobs.execution.executors.serial import SerialExecutor
from jobs.job import Job
from jobs.method.arguments import Arguments
from jobs.nodes.run import Run
from jobs.nodes.source import Source
from jobs.wish import Wish
from porcelain import config
from porcelain.project import Project
from tests.projects import Folder

TURN = """
    def turn(job):
        \"\"\"Write down that it is this slice's turn.\"\"\"
        with open(job.path + "/turns", "a") as stream:
            stream.write(f"{job.sliceno}\\n")

    def turns(job):
        with open(job.path + "/turns") as stream:
            return [int(line) for line in stream]
    """
DATASET = """
    import os, time

    def synthesis(job):
        dw = job.datasetwriter({head})
        for name, type in {columns}.items():
            dw.add(name, type)
        write = dw.get_split_write()
        for n in range({rows}):
            write({values})
    """


def a_dataset(values, *, columns="{'n': 'int64', 'x': 'int64'}", rows="10", head=""):
    return DATASET.format(columns=columns, rows=rows, values=values, head=head)


def returning(value):
    return f"import os, random, secrets, threading, time\n\ndef synthesis(job):\n    return {value}\n"


# what a method does, and the places that are to be told; the slices of a job that is verified start in another order
DIFFERENT = {
    "random": (returning("{'a': [0, secrets.token_hex(4)]}"), ["result.pickle: another value at ['a'][1]"]),
    "time": (returning("time.time_ns()"), ["result.pickle: another value"]),
    "pid": (returning("[os.getpid()]"), ["result.pickle: another value at [0]"]),
    "label": (returning("str(job)"), ["result.pickle: another value"]),
    "number": (returning("{'in': (job.number,)}"), ["result.pickle: another value at ['in'][0]"]),
    "folder": (returning("os.getcwd()"), ["result.pickle: another value"]),
    "file": (returning("__file__"), ["result.pickle: another value"]),
    "address": (returning("id(object())"), ["result.pickle: another value"]),
    "listing": (returning("sorted(os.listdir('..'))"), ["result.pickle: another value at [0]"]),
    "text": (
        """
        import time

        def synthesis(job):
            with job.open("report.txt", "w") as stream:
                stream.write(f"all is well\\nat {time.time_ns():025d}\\n")
        """,
        ["report.txt: byte N differs, in line 2"],
    ),
    "filename": (
        """
        def synthesis(job):
            job.save(1, f"{job}.pickle")
        """,
        ["LABEL.pickle: missing", "LABEL.pickle: new"],
    ),
    "order": (
        """
        from mine.turns import turn, turns

        concurrency = 1

        def analysis(sliceno, job):
            turn(job)

        def synthesis(job):
            return str(turns(job))
        """,
        ["result.pickle: another value"],
    ),
    "row": (
        a_dataset("n, n if n != 7 else time.time_ns()"),
        ["default, column x: another max", "default, column x: slice 1, row 2 differs"],
    ),
    "pickled": (
        a_dataset("n, {'when': time.time_ns()} if n == 4 else {}", columns="{'n': 'int64', 'x': 'pickle'}"),
        ["default, column x: slice 1, row 1 differs"],
    ),
    "column": (
        a_dataset("n, n", columns="{'n': 'int64', f'x{job.number}': 'int64'}"),
        ["default, column xN: missing", "default, column xN: new"],
    ),
    "rows": (
        a_dataset("n, n", rows="9 if str(job).startswith('verify') else 10"),
        [
            "default: other lines per slice",
            "default, column n: another max",
            "default, column x: another max",
        ],
    ),
    "caption": (a_dataset("n, n", head="caption=str(job)"), ["default: another caption"]),
    "named": (a_dataset("n, n", head="name=str(job)"), ["LABEL: missing", "LABEL: new"]),
}
EQUAL = {
    "seeded": "import random\n\ndef synthesis(job):\n    return random.random(), job.seed\n",
    "texts": "def synthesis():\n    return {str(n) for n in range(1000)}\n",
    "prints": "import time\n\ndef synthesis():\n    print(time.time_ns())\n",
    "moments": a_dataset("n, n * n"),
    "seeded_slices": """
        import random

        def analysis(sliceno):
            return random.random()

        def synthesis(analysis_res):
            return list(analysis_res)
        """,
}
SAME_VALUES = """
    from mine.turns import turn, turns

    concurrency = 1

    def analysis(sliceno, job):
        turn(job)

    def synthesis(job):
        return {number: "x" for number in turns(job)}
    """
METHODS = {name: text for name, (text, _) in DIFFERENT.items()} | EQUAL | {"same": SAME_VALUES}


@pytest.fixture(scope="module")
def executor():
    executor = ProcessExecutor(config.job_environment(), 2)
    yield executor
    executor.close()


class Place:
    """A project whose jobs run in processes."""

    def __init__(self, root, files, executor, *, extra=""):
        self.folder = Folder(root, files, slices=3)
        self.folder.write(
            "acc.toml", f'[project]\nslices = 3\nmethods = ["mine"]\ninput_directory = "input"\n{extra}'
        )
        self.executor = executor

    def open(self):
        return Project(config.load(self.folder.root), executor=self.executor)

    def build(self, method, **arguments):
        with self.open() as project:
            return project.builder.build(method, Arguments({}, {}, {}), arguments, Wish()).job.row

    def verify(self, row):
        with self.open() as project:
            return project.verifier.verify(row)

    def rerun(self, row):
        with self.open() as project:
            return project.verifier.rerun(row, workdir="dev")


@pytest.fixture(scope="module")
def many(tmp_path_factory, executor):
    """A project with all of METHODS."""
    files = {f"mine/a_{name}.py": text for name, text in METHODS.items()} | {"mine/turns.py": TURN}
    return Place(tmp_path_factory.mktemp("many"), files, executor)


def places(found):
    """Return what differs, and where, as far as it is the same each time."""
    shapes = {
        r"(dev|verify)-\d+": "LABEL",
        r"byte \d+": "byte N",
        r" at \[\d+:\]": "",
        r"column x\d+": "column xN",
    }
    told = []
    for each in found.differences:
        text = f"{each.name}{each.column and f', column {each.column}'}: {each.what}"
        for shape, name in shapes.items():
            text = re.sub(shape, name, text)
        told.append(text)
    return sorted(told)


@pytest.mark.parametrize("name", DIFFERENT)
def test_what_is_not_reproducible_is_told_with_its_place(many, name):
    found = many.verify(many.build(name))
    assert (found.result, places(found)) == ("different", sorted(DIFFERENT[name][1]))


@pytest.mark.parametrize("name", EQUAL)
def test_a_job_that_is_reproducible_is_equal(many, name):
    found = many.verify(many.build(name))
    assert (found.result, list(found.differences)) == ("equal", [])


def test_the_same_value_in_other_bytes_is_told_apart(many):
    found = many.verify(many.build("same"))
    assert (found.result, places(found)) == ("same values", ["result.pickle: same value, other bytes"])


def test_slices_start_in_another_order_in_one_process_too(tmp_path):
    files = {"mine/a_order.py": DIFFERENT["order"][0], "mine/turns.py": TURN}
    place = Place(tmp_path, files, SerialExecutor())
    (difference,) = place.verify(place.build("order")).differences
    assert difference.before == repr("[0, 1, 2]")
    assert sorted(difference.after) == sorted(difference.before)


def test_nothing_of_a_verification_is_kept(many):
    row = many.build("row")

    def state():
        with many.open() as project:
            root = many.folder.root
            files = sorted(path.relative_to(root) for path in root.rglob("*") if "cache" not in path.parts)
            return files, sorted(project.store.ids()), project.index.count()

    before = state()
    assert many.verify(row).result == "different"
    assert state() == before


# ---- jobs that need more than their source


USES = {
    "input/declared.txt": "declared",
    "input/read.txt": "read",
    "mine/beside.txt": "beside",
    "mine/helper.py": "VALUE = 1\n",
    "mine/late.py": "VALUE = 2\n",
    "mine/a_source.py": "options = dict(n=1)\n\ndef synthesis(options):\n    return options.n\n",
    "mine/a_uses.py": """
        import importlib
        from pathlib import Path

        from acc import InputFile, Job, JobWithFile, build
        from mine.helper import VALUE

        options = dict(file=InputFile(), thefile=JobWithFile(), day=None)
        jobs = ("source", ["many"])

        def synthesis(job, options, jobs):
            late = importlib.import_module("mine." + "late")
            subjob = build("source", n=100)
            return [
                options.file.open("r").read(),
                options.thefile.load(),
                jobs.source.load(),
                [each.load() for each in jobs.many],
                VALUE,
                late.VALUE,
                subjob.load(),
                Job("source").load(),
                Path(__file__).with_name("beside.txt").read_text(),
                Path(job.input_directory, "read.txt").read_text(),
                options.day,
            ]
        """,
}


@pytest.fixture
def place(tmp_path, executor):
    return Place(tmp_path, USES, executor)


def build_uses(place):
    one, two = place.build("source", n=1), place.build("source", n=2)
    with place.open() as project:
        one, two = Job.of(one), Job.of(two)
        given = {"file": "declared.txt", "thefile": one.withfile("result.pickle"), "day": {"x": [(1, 2.5)]}}
        given |= {"source": two, "many": [one, two]}
        return project.builder.build("uses", Arguments({}, {}, {}), given, Wish()).job.row


def run_of(place, row):
    with place.open() as project:
        return get_node(project.store, row.run, Run)


def test_inputs_subjobs_and_what_was_looked_up_are_those_of_then(place):
    row = build_uses(place)
    place.build("source", n=50)  # the newest job of that method
    assert place.verify(row).result == "equal"


@pytest.mark.parametrize("gone", [True, False], ids=["gone", "changed"])
def test_the_source_may_have_changed_or_be_gone(place, gone):
    row = build_uses(place)
    for name in ("mine/a_uses.py", "mine/helper.py", "mine/a_source.py"):
        if gone:
            (place.folder.root / name).unlink()
        else:
            place.folder.write(name, "VALUE = 'another'\n\ndef synthesis():\n    return 3\n")
    assert place.verify(row).result == "equal"
    again = place.rerun(row)
    assert list(again.differences) == []
    assert (again.row.label, again.row.outcome, again.row.job) == ("dev-5", row.outcome, row.job)
    assert again.row.key == row.key


CHANGED = {
    "input/declared.txt": "input file 'declared.txt' {}",
    "input/read.txt": "'input/read.txt', which it read without declaring it, {}",
    "mine/beside.txt": "'project/mine/beside.txt', which it read without declaring it, {}",
    "mine/late.py": "'project/mine/late.py', which it imported, {}",
}


@pytest.mark.parametrize("name", CHANGED)
def test_what_is_not_stored_has_to_be_as_it_was(place, name):
    row = build_uses(place)
    place.folder.write(name, "another")
    found = place.verify(row)
    assert (found.result, found.problem) == ("not run", CHANGED[name].format("has changed"))
    (place.folder.root / name).unlink()
    assert place.verify(row).problem == CHANGED[name].format("is gone")
    with pytest.raises(CannotRunAgain):
        place.rerun(row)


def test_an_input_file_that_is_stored_may_be_gone(tmp_path, executor):
    place = Place(tmp_path, USES, executor, extra="keep_inputs = true\n")
    row = build_uses(place)
    place.folder.write("input/declared.txt", "another")
    assert place.verify(row).result == "equal"


def test_a_rerun_knows_all_that_the_job_had_learned(place):
    row = build_uses(place)
    source = (place.folder.root / "mine/a_uses.py").read_text()
    (place.folder.root / "mine/a_uses.py").unlink()
    again = place.rerun(row).row
    kinds = ("read", "module", "subjob", "lookup")
    before, after = (set(map(repr, run_of(place, each).facts)) for each in (row, again))
    assert after == before
    assert {fact.kind for fact in run_of(place, again).facts} == set(kinds)
    place.folder.write("mine/a_uses.py", source)
    place.folder.write("mine/beside.txt", "another")
    assert build_uses(place).label not in (row.label, again.label)


def test_a_rerun_that_differs_says_so_and_is_kept(many):
    row = many.build("time")
    again = many.rerun(row)
    assert [each.what for each in again.differences] == ["another value"]
    assert again.row.outcome != row.outcome
    with many.open() as project:
        assert project.index.find_label(again.row.label) == again.row
    assert "sound" in many.folder.acc("fsck")


# ---- jobs that do not come to their end


FAILS = {
    "mine/a_fails.py": """
        import os, signal

        def analysis(sliceno, job):
            what = open(job.input_directory + "/what").read() if sliceno == 1 else ""
            if what == "raise":
                raise ValueError("no luck")
            if what == "die":
                os.kill(os.getpid(), signal.SIGKILL)
        """,
    "input/what": "",
}


def test_a_job_that_failed_cannot_be_run_again(tmp_path, executor):
    place = Place(tmp_path, FAILS | {"input/what": "raise"}, executor)
    with pytest.raises(JobFailed):
        place.build("fails")
    with place.open() as project:
        (row,) = project.index.rows()
        assert project.verifier.verify(row).problem == "'dev-1' failed"


LATER = (
    "import os, {0}\n\ndef analysis(sliceno, job):\n    if sliceno == 1 and 'verify' in job:\n        {1}\n"
)
FAILURES = {
    "raises": (
        LATER.format("sys", "raise ValueError('no luck')"),
        "in analysis, slice 1: ValueError: no luck",
    ),
    "dies": (
        LATER.format("signal", "os.kill(os.getpid(), 9)"),
        "in analysis, slice 1: the process of slice 1",
    ),
    "leaves": (LATER.format("sys", "os._exit(3)"), "in analysis, slice 1: the process of slice 1"),
    "subjob": (
        "from acc import build\n\ndef synthesis(job):\n    build('returns', n=len(job))\n",
        "in synthesis: it wants a subjob 'returns' with arguments that it did not give then",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_of_this_time_is_told(tmp_path, executor, name):
    files = {f"mine/a_{name}.py": FAILURES[name][0]}
    files["mine/a_returns.py"] = "options = dict(n=1)\n\ndef synthesis(options):\n    return options.n\n"
    place = Place(tmp_path, files, executor)
    found = place.verify(place.build(name))
    assert found.result == "failed"
    assert found.failed.startswith(FAILURES[name][1])


# ---- standard methods


def of_version(project, row, version):
    """Return the row of a run whose source says that it is of another version."""
    run = get_node(project.store, row.run, Run)
    node = get_node(project.store, run.source, Source)
    code = project.store.get(node.files[node.main]).replace(
        b"\nversion = ", b"\nversion = %d  # not " % version
    )
    source = replace(node, files={**node.files, node.main: project.store.put(code)})
    return row._replace(run=put_node(project.store, replace(run, source=put_node(project.store, source))))


def test_a_standard_method_runs_as_it_is_installed_if_that_is_its_version(tmp_path, executor):
    place = Place(tmp_path, {"input/x.csv": "a\n1\n"}, executor)
    row = place.build("csvimport", filename="x.csv")
    with place.open() as project:
        version = project.catalog.get("csvimport").version
        assert project.verifier.verify(of_version(project, row, version)).result == "equal"
        found = project.verifier.verify(of_version(project, row, 99))
        assert found.problem == f"it is of version 99 of 'csvimport', and version {version} is installed"


def test_a_method_of_the_project_is_none_of_accs(tmp_path, executor):
    place = Place(tmp_path, {"input/x.csv": "a\n1\n"}, executor)
    row = place.build("csvimport", filename="x.csv")
    place.folder.write("mine/a_csvimport.py", "def synthesis():\n    pass\n")
    assert "has a method 'csvimport' in the place of acc's" in place.verify(row).problem


def test_versions_that_changed_are_named(place):
    row = place.build("source")
    with place.open() as project:
        run = get_node(project.store, row.run, Run)
        older = replace(run, environment={**run.environment, "python": "2.7"})
        found = project.verifier.verify(row._replace(run=put_node(project.store, older)))
    assert [entry[:2] for entry in found.environment] == [("python", "2.7")]
    assert found.result == "equal"
