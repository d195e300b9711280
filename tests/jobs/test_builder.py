"""What a build gets: the job there is, or one that runs; and what a run learned decides whether it is reused."""

import importlib
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from cas.errors import ObjectNotFound
from cas.formats.node import get_node
from jobs.errors import (
    JobFailed,
    MethodError,
    NoSuchDataset,
    NoSuchFile,
    NoSuchJob,
    OptionError,
    UndeclaredReads,
    UsageError,
)
from jobs.execution.executors.serial import SerialExecutor
from jobs.execution.plan import Plan, Silent
from jobs.facets.runs import get_run
from jobs.job import Job
from jobs.nodes.source import Source
from jobs.wish import AS_USUAL, Policy
from porcelain import config
from porcelain.buildlog import BuildRecord
from porcelain.project import Project
from porcelain.urd import Urd
from tests.projects import Folder

METHODS = {
    "input/data.txt": "one",
    "mine/a_number.py": """
        options = dict(n=1)

        def synthesis(options):
            print("n is", options.n)
            return options.n
        """,
    "mine/a_user.py": "jobs = ('source',)\n\ndef synthesis(jobs):\n    return jobs.source.load()\n",
    "mine/a_label.py": "jobs = ('source',)\n\ndef synthesis(jobs):\n    return str(jobs.source)\n",
    "mine/a_output.py": "jobs = ('source',)\n\ndef synthesis(jobs):\n    return jobs.source.output()\n",
    "mine/a_lookup.py": "from acc import Job\n\ndef synthesis():\n    return Job('number').load()\n",
    "mine/a_saves.py": """
        jobs = ("source",)

        def synthesis(job, jobs):
            with job.open("f.txt", "w") as fh:
                fh.write("in the file")
            return {"job": jobs.source, "file": jobs.source.withfile("result.pickle", extra=[1])}
        """,
    "mine/a_late.py": """
        def synthesis():
            import importlib
            return importlib.import_module("mine.dynamic").VALUE
        """,
    "mine/dynamic.py": "VALUE = 1\n",
    "mine/a_edits.py": """
        from acc import InputFile

        options = dict(filename=InputFile())

        def synthesis(options):
            options.filename.path.write_text("changed meanwhile")
        """,
    "mine/a_loses.py": """
        def synthesis(job):
            import pathlib
            path = pathlib.Path("x.txt")
            path.write_text("x")
            job.register_file("x.txt")
            path.unlink()
        """,
    "mine/a_nests.py": """
        from acc import build

        options = dict(depth=0)

        def synthesis(options):
            return build("nests", depth=options.depth + 1).load()
        """,
}


class Heard(Silent):
    def __init__(self) -> None:
        self.warnings: list[str] = []

    def warn(self, text: str) -> None:
        self.warnings.append(text)


class Meddling(Silent):
    """A listener that does something as soon as a job is on its way."""

    def __init__(self, meddle: Callable[[str], object]) -> None:
        self.meddle = meddle

    def began(self, plan: Plan, label: str) -> None:
        self.meddle(label)


class Builds:
    """A project whose jobs run in this process; each `urd` is a build of its own, which reads the methods anew."""

    def __init__(self, root: Path) -> None:
        self.folder = Folder(root, METHODS)
        self.heard = Heard()
        self.project = Project(config.load(root), self.heard, SerialExecutor())

    def build(self, method: str, **arguments: object) -> Job:
        return self.build_by(AS_USUAL, method, **arguments)

    def build_by(self, policy: Policy, method: str, **arguments: object) -> Job:
        # the catalog is a snapshot
        for name in ("catalog", "builder"):
            self.project.__dict__.pop(name, None)
        self.record = BuildRecord("test")
        return Urd(self.project.builder, self.record, policy).build(method, **arguments)

    def how(self) -> str:
        return self.record.jobs[-1].how


@pytest.fixture
def builds(tmp_path: Path) -> Iterator[Builds]:
    builds = Builds(tmp_path)
    with builds.project:
        yield builds


def test_the_same_work_is_done_once(builds: Builds) -> None:
    first = builds.build("number", n=3)
    assert builds.how() == "built"
    assert builds.build("number", n=3) == first
    assert builds.how() == "reused"
    assert builds.build("number", n=4) != first


def test_a_job_that_takes_the_place_of_one_that_is_gone_is_reused(builds: Builds) -> None:
    gone = builds.build("number")
    builds.project.store.delete(gone.row.run)
    again = builds.build("number")
    assert (again != gone, builds.how()) == (True, "built")
    assert again.load() == 1
    assert builds.build("number") == again
    assert builds.how() == "reused"


def test_a_job_whose_outcome_was_there_gives_the_earlier_job_now_and_later(builds: Builds) -> None:
    first = builds.build("number")
    after = builds.build("user", source=first)
    method = builds.folder.root / "mine/a_number.py"
    method.write_text(method.read_text() + "# a comment\n")
    assert builds.build("number") == first
    assert builds.how() == "cutoff"
    assert builds.record.jobs[-1].ran != first.row.run
    assert builds.build("number") == first
    assert builds.how() == "reused"
    assert builds.build("user", source=first) == after


def test_a_forced_job_runs_and_is_what_is_got(builds: Builds) -> None:
    first = builds.build("number")
    forced = builds.build("number", force_build=True)
    assert forced != first
    assert forced.row.outcome == first.row.outcome
    assert builds.build("number") == forced


def test_an_input_counts_by_its_outcome(builds: Builds) -> None:
    first = builds.build("number")
    after = builds.build("user", source=first)
    again = builds.build("number", force_build=True)
    assert builds.build("user", source=again) == after


def test_who_looked_at_a_label_is_reused_for_that_label_alone(builds: Builds) -> None:
    first = builds.build("number")
    after = builds.build("label", source=first)
    assert builds.build("label", source=first) == after
    again = builds.build("number", force_build=True)
    other = builds.build("label", source=again)
    assert (after.load(), other.load()) == (first.label, again.label)
    assert builds.build("label", source=first) == after


def test_who_read_the_output_is_reused_while_it_is_the_same(builds: Builds) -> None:
    after = builds.build("output", source=builds.build("number"))
    assert after.load() == "n is 1\n"
    again = builds.build("number", force_build=True)
    assert builds.build("output", source=again) == after


def test_a_job_looked_up_by_name_is_looked_up_again(builds: Builds) -> None:
    builds.build("number", n=1)
    first = builds.build("lookup")
    assert builds.build("lookup") == first
    builds.build("number", n=2)
    second = builds.build("lookup")
    assert (first.load(), second.load()) == (1, 2)


def test_a_module_that_the_closure_lacked_is_a_fact(builds: Builds) -> None:
    assert builds.build("late").load() == 1
    builds.build("late")
    assert builds.how() == "reused"
    builds.folder.write("mine/dynamic.py", "VALUE = 2\n")
    assert builds.build("late").load() == 2


def test_jobs_and_files_in_a_saved_value_come_back(builds: Builds) -> None:
    source = builds.build("number", n=7)
    value = builds.build("saves", source=source).load()
    assert value["job"] == source
    assert value["file"].load() == 7
    assert value["file"].extra == [1]


def test_an_input_file_that_changes_while_the_job_runs_fails_it(builds: Builds) -> None:
    with pytest.raises(JobFailed, match="changed while the job ran"):
        builds.build("edits", filename="data.txt")


def test_an_input_file_that_was_another_one_for_a_while_fails_the_job(builds: Builds) -> None:
    code = """
        from acc import InputFile

        options = dict(filename=InputFile())

        def synthesis(options):
            path = options.filename.path
            before = path.read_text()
            path.write_text("another")
            path.write_text(before)
        """
    builds.folder.write("mine/a_edits.py", code)
    with pytest.raises(JobFailed, match="changed while the job ran"):
        builds.build("edits", filename="data.txt")


def test_a_job_may_link_its_input_file(builds: Builds) -> None:
    code = """
        import os

        from acc import InputFile

        options = dict(filename=InputFile())

        def synthesis(job, options):
            os.link(options.filename.path, "linked.txt")
            job.register_file("linked.txt")
        """
    builds.folder.write("mine/a_links.py", code)
    job = builds.build("links", filename="data.txt")
    assert job.open("linked.txt").read() == "one"
    assert job.run.facts == ()


def test_a_registered_file_that_is_gone_fails_the_job(builds: Builds) -> None:
    with pytest.raises(JobFailed, match=r"x\.txt"):
        builds.build("loses")


def test_subjobs_nest_to_a_limit(builds: Builds) -> None:
    with pytest.raises(JobFailed, match="nested at most"):
        builds.build("nests")


@pytest.mark.parametrize(
    ("method", "arguments", "error", "words"),
    [
        ("numbr", {}, MethodError, "number"),
        ("number", {"m": 1}, OptionError, "'m'"),
        ("number", {"n": "many"}, OptionError, "'n'"),
        ("user", {"source": "dev-99"}, NoSuchJob, "dev-99"),
        ("user", {"source": 5}, OptionError, "no job"),
        ("edits", {"filename": "nothing.txt"}, NoSuchFile, "nothing.txt"),
        ("csvimport", {}, OptionError, "filename"),
        ("dataset_type", {"source": "dev-1", "column2type": {"a": "int64_10"}}, NoSuchDataset, "default"),
        ("number", {"workdir": "elsewhere"}, UsageError, "elsewhere"),
    ],
)
def test_what_cannot_be_built_is_one_clear_line_and_leaves_nothing(
    builds: Builds, method: str, arguments: dict[str, object], error: type[Exception], words: str
) -> None:
    builds.build("number", n=100)
    with pytest.raises(error) as caught:
        builds.build(method, **arguments)
    assert words in f"{caught.value} {getattr(caught.value, 'hint', '')}"
    assert len(list(builds.project.index)) == 1
    assert len(list((builds.folder.root / ".acc/jobs").iterdir())) == 1


def test_the_bytes_of_input_files_are_stored_when_the_project_wants_that(tmp_path: Path) -> None:
    folder = Folder(tmp_path, METHODS)
    folder.write("acc.toml", '[project]\nmethods = ["mine"]\nkeep_inputs = true\n')
    folder.write(
        "mine/a_reads.py",
        "from acc import InputFile\noptions = dict(f=InputFile())\ndef synthesis():\n    pass\n",
    )
    with Project(config.load(tmp_path), executor=SerialExecutor()) as project:
        job = Urd(project.builder, BuildRecord("test")).build("reads", f="data.txt")
        assert project.store.get(job.run.kept_inputs["data.txt"]) == b"one"


def test_a_source_that_is_declared_to_do_the_same_is_reused(builds: Builds) -> None:
    first = builds.build("number")
    before = builds.project.catalog.get("number").source
    method = builds.folder.root / "mine/a_number.py"
    code = method.read_text() + "# otherwise the same\n"
    method.write_text(code + "equivalent_hashes = {}\n")
    builds.project.__dict__.pop("catalog")
    verifier = builds.project.catalog.get("number").verifier
    method.write_text(code + f"equivalent_hashes = {{'{verifier}': ('{before}',)}}\n")
    assert builds.build("number") == first
    assert builds.how() == "reused"


def test_a_result_that_differs_under_the_same_key_is_said(builds: Builds) -> None:
    builds.folder.write("mine/a_random.py", "import os\n\ndef synthesis():\n    return os.urandom(8)\n")
    builds.build("random")
    builds.build("random", force_build=True)
    assert any("not reproducible" in text for text in builds.heard.warnings)


def test_an_input_whose_objects_are_gone_is_said_before_anything_runs(builds: Builds) -> None:
    source = builds.build("number")
    builds.project.store.delete(source.row.outcome)
    with pytest.raises(ObjectNotFound, match=source.label) as caught:
        builds.build("user", source=source)
    assert "--force number" in caught.value.hint
    again = builds.build("number", force_build=True)
    assert builds.build("user", source=again).load() == 1


def test_a_running_or_failed_job_has_no_outcome(builds: Builds) -> None:
    builds.folder.write("mine/a_fails.py", "def synthesis():\n    1 / 0\n")
    with pytest.raises(JobFailed) as caught:
        builds.build("fails")
    failed = Job(caught.value.job)
    with pytest.raises(NoSuchJob, match="failed"):
        failed.load()
    assert "ZeroDivisionError" in caught.value.traceback


def test_a_finished_job_cannot_be_written_to(builds: Builds) -> None:
    with pytest.raises(UsageError):
        builds.build("number").open("x.txt", "w")


def test_a_checked_out_file_that_somebody_edits_is_put_right(builds: Builds) -> None:
    job = builds.build("saves", source=builds.build("number"))
    path = Path(job.filename("f.txt"))
    path.chmod(0o644)
    path.write_text("edited by somebody")
    assert Path(job.filename("f.txt")).read_text() == "in the file"
    assert path.stat().st_mode & 0o222 == 0


@pytest.mark.parametrize(
    "look",
    [
        *("str(s)", "f'{s}'", "repr(s)", "s + ''", "'' + s", "'%s' % s", "s.path", "s.number", "s.workdir"),
        *("s == 'dev-1'", "s != 'dev-1'", "s < 'dev-2'", "{s: 1}['dev-1']", "'dev' in s", "s in ('dev-1',)"),
        *("s[:3]", "list(s)", "s.split('-')", "s.startswith('dev')", "s.encode()", "'{}'.format(s)"),
    ],
)
def test_every_way_to_look_at_a_label_is_noted(builds: Builds, look: str) -> None:
    builds.folder.write(
        "mine/a_looks.py",
        f"jobs = ('source',)\n\ndef synthesis(jobs):\n    s = jobs.source\n    return str({look})\n",
    )
    job = builds.build("looks", source=builds.build("number"))
    assert [fact.about["of"] for fact in job.run.facts] == ["label"]


@pytest.mark.parametrize("look", ["bool(s)", "s or 1", "{s: 1}[s]", "s.load()", "s.method", "s is None"])
def test_what_a_job_is_by_its_outcome_is_no_look_at_its_label(builds: Builds, look: str) -> None:
    builds.folder.write(
        "mine/a_looks.py",
        f"jobs = ('source',)\n\ndef synthesis(jobs):\n    s = jobs.source\n    {look}\n",
    )
    assert builds.build("looks", source=builds.build("number")).run.facts == ()


def test_a_file_opened_to_read_and_write_is_noted(builds: Builds) -> None:
    code = "def synthesis(job):\n    with open(job.input_filename('data.txt'), 'r+') as fh:\n        return fh.read()\n"
    builds.folder.write("mine/a_updates.py", code)
    job = builds.build("updates")
    assert [fact.about for fact in job.run.facts] == ["input/data.txt"]


def test_a_build_that_is_interrupted_before_anything_is_written_leaves_a_whole_run(tmp_path: Path) -> None:
    folder = Folder(tmp_path, METHODS)

    def interrupt(label: str) -> None:
        raise KeyboardInterrupt

    with Project(config.load(folder.root), Meddling(interrupt), SerialExecutor()) as project:
        with pytest.raises(KeyboardInterrupt):
            Urd(project.builder, BuildRecord("test")).build("number")
        (row,) = project.index
        source = get_node(project.store, get_run(project.store, row.run).source, Source)
        assert all(project.store.has(blob) for blob in source.files.values())


class Impatient(Silent):
    """Is interrupted when it is told of something."""

    def warn(self, text: str) -> None:
        raise KeyboardInterrupt


def test_a_build_that_is_interrupted_when_its_job_is_there_already_leaves_the_job(tmp_path: Path) -> None:
    # what it warns of, an undeclared read, is said once the job is published
    reads = "def synthesis(job):\n    open(job.input_filename('data.txt')).close()\n"
    folder = Folder(tmp_path, {"mine/a_reads.py": reads, "input/data.txt": "one"})
    with Project(config.load(folder.root), Impatient(), SerialExecutor()) as project:
        with pytest.raises(KeyboardInterrupt):
            Urd(project.builder, BuildRecord("test")).build("reads")
        assert [row.state for row in project.index] == ["done"]


def test_a_job_may_remove_its_directory_before_anything_is_written_there(tmp_path: Path) -> None:
    folder = Folder(tmp_path, METHODS)
    jobs = folder.root / ".acc/jobs"
    with Project(
        config.load(folder.root), Meddling(lambda label: (jobs / label).rmdir()), SerialExecutor()
    ) as project:
        job = Urd(project.builder, BuildRecord("test")).build("number")
    assert (jobs / job / "setup.json").is_file()


# ---- undeclared reads, and what cannot be followed

STRICT = Policy(strict=True)
PEEKS = """
    options = dict(n=1)

    def synthesis(job):
        with job.open_input("data.txt") as fh:
            return fh.read()
    """


def test_undeclared_reads_are_warned_about_once_for_a_method_and_its_files(builds: Builds) -> None:
    builds.folder.write("mine/a_peeks.py", PEEKS)
    builds.build("peeks")
    assert builds.heard.warnings == ["'peeks' (dev-1) reads 'input/data.txt' without declaring it"]
    builds.build("peeks", n=2)
    builds.folder.write("input/data.txt", "two")
    builds.build("peeks")
    assert len(builds.heard.warnings) == 1
    builds.folder.write("mine/a_peeks.py", PEEKS.replace("data.txt", "other.txt"))
    builds.folder.write("input/other.txt", "other")
    builds.build("peeks")
    assert builds.heard.warnings[1:] == ["'peeks' (dev-4) reads 'input/other.txt' without declaring it"]


def test_a_strict_build_fails_a_job_that_reads_what_it_does_not_declare(builds: Builds) -> None:
    builds.folder.write("mine/a_peeks.py", PEEKS)
    with pytest.raises(JobFailed, match=r"it reads 'input/data\.txt' without declaring it") as caught:
        builds.build_by(STRICT, "peeks")
    assert "InputFile" in caught.value.hint
    with pytest.raises(NoSuchJob, match="failed"):
        Job("dev-1").load()
    assert builds.build("peeks").load() == "one"
    assert builds.how() == "built"


def test_a_strict_build_refuses_a_job_that_read_what_it_did_not_declare(builds: Builds) -> None:
    builds.folder.write("mine/a_peeks.py", PEEKS)
    job = builds.build("peeks")
    with pytest.raises(UndeclaredReads, match=rf"job '{job.label}' \(peeks\) reads 'input/data\.txt'"):
        builds.build_by(STRICT, "peeks")
    assert len(list(builds.project.index)) == 1


def test_a_strict_build_holds_for_subjobs(builds: Builds) -> None:
    builds.folder.write("mine/a_peeks.py", PEEKS)
    builds.folder.write("mine/a_above.py", "from acc import build\n\ndef synthesis():\n    build('peeks')\n")
    for _ in range(2):
        with pytest.raises(JobFailed, match="without declaring it"):
            builds.build_by(STRICT, "above")
        builds.build("above")  # that it is there makes no difference


def test_a_strict_build_takes_all_that_is_declared(builds: Builds) -> None:
    code = """
        from acc import InputFile

        options = dict(f=InputFile("data.txt"))

        def synthesis(options):
            with options.f.open() as fh:
                return fh.read()
        """
    builds.folder.write("mine/a_declares.py", code)
    assert builds.build_by(STRICT, "declares").load() == b"one"
    assert builds.build_by(STRICT, "late").load() == 1  # a module that is found late is code, not a file
    builds.build_by(STRICT, "declares")
    assert builds.how() == "reused"


def test_imports_that_cannot_be_followed_are_said_once_a_build(builds: Builds) -> None:
    builds.folder.write(
        "mine/a_late.py", (builds.folder.root / "mine/a_late.py").read_text().replace('"mine.', '"" + "mine.')
    )
    builds.build("late")
    builds.build("late", force_build=True)
    cannot = "mine/a_late.py:4: imports a module whose name shows only when it runs"
    text = f"'late' imports what cannot be followed: {cannot}"
    assert builds.heard.warnings == [text, text]
    builds.build("late")
    assert builds.how() == "reused"
    assert len(builds.heard.warnings) == 2


def test_a_default_follows_the_package_that_it_comes_from(
    builds: Builds, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = builds.folder.root / "site-packages"
    builds.folder.write(
        "mine/a_given.py",
        "import madeup\n\noptions = dict(n=madeup.N)\n\ndef synthesis(options):\n    return options.n\n",
    )
    monkeypatch.syspath_prepend(site)
    for number in (1, 2):
        shutil.rmtree(site, ignore_errors=True)
        builds.folder.write("site-packages/madeup.py", f"N = {number}\n")
        builds.folder.write(f"site-packages/madeup-{number}.0.dist-info/RECORD", "madeup.py,,\n")
        importlib.invalidate_caches()
        sys.modules.pop("madeup", None)
        assert builds.build("given").load() == number
    sys.modules.pop("madeup", None)
