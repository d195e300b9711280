"""What a job tells of itself, and what an unset one does."""

import pickle
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.errors import JobFailed, NoSuchDataset, NoSuchFile, NoSuchJob, UsageError
from jobs.execution.executors.serial import SerialExecutor
from jobs.job import Job, NoJob
from jobs.withfile import JobWithFile
from porcelain import config
from porcelain.buildlog import BuildRecord
from porcelain.project import Project
from porcelain.urd import Urd
from tests.projects import Folder

METHODS = {
    "mine/a_link.py": """
        jobs = ("previous", "stop")
        options = dict(n=0)

        def synthesis(job, options, jobs):
            return [before.load() for before in jobs.previous.chain(stop_job={jobs.stop: "previous"})]
        """,
    "mine/a_files.py": """
        def synthesis(job):
            with job.open("text.txt", "w", encoding="latin-1") as file:
                file.write("\\xe4")
            job.json_save({"a": 1}, "a.json")
            job.save(b"old", "b.pickle")
            with open("registered one.log", "w"), open("registered two.log", "w"), open("other", "w"):
                pass
            assert job.register_files("registered*.log") == {"registered one.log", "registered two.log"}
            assert job.register_files("registered*") == set()
        """,
    "mine/a_asks.py": """
        options = dict(what="")

        def synthesis(job, options):
            return getattr(job, options.what)()
        """,
}


@pytest.fixture
def urd(tmp_path: Path) -> Iterator[Urd]:
    folder = Folder(tmp_path, METHODS)
    with Project(config.load(folder.root), executor=SerialExecutor()) as project:
        yield Urd(project.builder, BuildRecord("test"))


def test_a_job_knows_where_it_is(urd: Urd, tmp_path: Path) -> None:
    job = urd.build("files")
    assert (job.workdir, job.number, job.method, job.is_build) == ("dev", 1, "files", False)
    assert job.version == job.params.version == 1
    assert job.input_directory == job.params.input_directory == str(tmp_path / "input")
    assert job.path == str(tmp_path / ".acc/jobs/dev-1")


def test_files_are_found_and_read_in_each_way(urd: Urd) -> None:
    job = urd.build("files")
    registered = {"registered one.log", "registered two.log"}
    assert job.files() == {"text.txt", "a.json", "b.pickle"} | registered
    assert job.files("*.log") == registered
    with job.open("text.txt", encoding="latin-1") as file:
        assert file.read() == "\xe4"
    with job.open("text.txt", errors="replace") as file:
        assert file.read() == "\ufffd"
    with job.withfile("text.txt").open("r", None, "latin-1") as file:
        assert file.read() == "\xe4"
    assert job.load("missing", default=5) == job.json_load("missing", default=5) == 5
    assert job.withfile("b.pickle").load(default=5) == b"old"
    with pytest.raises(NoSuchFile):
        job.load("missing")
    with pytest.raises(UsageError, match="open with 'r' or 'rb', not 'w'"):
        job.open("text.txt", "w")
    with pytest.raises(UsageError, match="linked into a running job"):
        job.link_to_here("text.txt")


def test_a_chain_ends_before_a_job_or_before_what_a_job_was_given(urd: Urd) -> None:
    first = urd.build("link")
    second = urd.build("link", previous=first)
    third = urd.build("link", previous=second)
    last = urd.build("link", previous=third, stop=second)
    assert last.chain() == [first, second, third, last]
    assert last.chain(2) == [third, last]
    assert last.chain(reverse=True, stop_job=first) == [last, third, second]
    assert last.chain(stop_job={third: "previous"}) == [third, last]
    assert last.chain(stop_job={first: "previous"}) == [first, second, third, last]
    assert last.chain(stop_job={NoJob: "previous"}) == [first, second, third, last]
    # the same inside a job: those before third, from what second was given on
    assert last.load() == [second.load(), third.load()]


@pytest.mark.parametrize(
    ("stop", "error", "words"),
    [
        ({"dev-1": "other"}, UsageError, "no job parameter 'other'"),
        ({"dev-9": "previous"}, NoSuchJob, "dev-9"),
        ({}, UsageError, "dict of one job"),
    ],
    ids=["parameter", "job", "empty"],
)
def test_a_chain_that_ends_nowhere_is_refused(
    urd: Urd, stop: dict[str, str], error: type[Exception], words: str
) -> None:
    job = urd.build("link")
    with pytest.raises(error, match=words):
        job.chain(stop_job=stop)


@pytest.mark.parametrize("what", ["chain", "output", "post"])
def test_what_a_running_job_cannot_tell_is_refused(urd: Urd, what: str) -> None:
    with pytest.raises(JobFailed, match="running job"):
        urd.build("asks", what=what)


def test_a_withfile_of_a_text_is_refused_where_it_is_made() -> None:
    with pytest.raises(UsageError, match="takes a Job, not the text 'dev-1'"):
        JobWithFile("dev-1", "a.txt")  # type: ignore[arg-type]  # what users do


def test_an_unset_job_is_false_and_has_nothing(urd: Urd) -> None:
    del urd  # the project is open
    assert not NoJob
    assert (NoJob.method, NoJob.workdir, NoJob.number, NoJob.version) == ("", "", -1, -1)
    assert NoJob.load() is NoJob.json_load() is NoJob.load_json() is None
    assert NoJob.load(default=3) == 3
    assert NoJob.files() == set()
    assert NoJob.chain() == list(NoJob.datasets) == []
    assert pickle.loads(pickle.dumps(NoJob)) is NoJob
    for ask in (
        lambda: NoJob.load("x"),
        lambda: NoJob.params,
        lambda: NoJob.open("x"),
        NoJob.output,
    ):
        with pytest.raises(NoSuchJob, match="no job was given"):
            ask()
    with pytest.raises(NoSuchDataset):
        NoJob.dataset()


def test_a_file_that_is_written_outside_of_a_block_is_refused_clearly(urd: Urd) -> None:
    code = "def synthesis(job):\n    job.open('a', 'w').write('x')\n"
    Folder(Path(urd.build("files").path).parents[2], {"mine/a_writes.py": code})
    with pytest.raises(JobFailed, match="has no 'write' before its block begins"):
        urd.build("writes")


@pytest.mark.parametrize("slices", [0, -1, "2", 1.5, True])
def test_a_number_of_slices_that_is_none_is_refused(urd: Urd, slices: object) -> None:
    with pytest.raises(UsageError, match="concurrency is a number of slices"):
        urd.build("files", concurrency=slices)
    with pytest.raises(NoSuchJob):
        Job("dev-1")
