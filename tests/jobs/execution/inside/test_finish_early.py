"""`job.finish_early`: the job is done, and what it has so far is all there is of it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.errors import JobFailed
from jobs.execution.executors.serial import SerialExecutor
from jobs.job import Job
from porcelain import config
from porcelain.buildlog import BuildRecord
from porcelain.project import Project
from porcelain.urd import Urd
from tests.projects import Folder

METHOD = """
    options = dict(when="", result=None, slices=[int])

    def prepare(job, options):
        writer = job.datasetwriter(columns={"thing": "ascii"})
        job.save("kept", "kept.pickle")
        job.save("passing", "passing.pickle", temp=True)
        print("in prepare")
        if options.when == "prepare":
            writer.get_split_write()("prepare")
            try:
                job.finish_early(options.result)
            except Exception:
                pass
            assert False, "not reached"
        return writer

    def analysis(sliceno, prepare_res, job, options):
        prepare_res.write(f"analysis {sliceno}")
        print("in analysis")
        if options.when == "analysis" and (sliceno in options.slices or not options.slices):
            job.finish_early(*[options.result] * (options.result is not None))

    def synthesis(job, options, analysis_res):
        print("in synthesis")
        if options.when == "synthesis":
            job.finish_early(options.result)
        return "the end"
    """


@pytest.fixture(params=["processes", "serial"])
def urd(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Urd]:
    folder = Folder(tmp_path, {"mine/a_m.py": METHOD}, slices=3)
    executor = SerialExecutor() if request.param == "serial" else None
    with Project(config.load(folder.root), executor=executor) as project:
        yield Urd(project.builder, BuildRecord("test"))


def rows(job: Job) -> list[str]:
    return sorted(job.dataset().iterate(None, "thing"))


ANALYSED = ["analysis 0", "analysis 1", "analysis 2"]


@pytest.mark.parametrize(
    ("when", "result", "stages", "values"),
    [
        ("prepare", "early", ["prepare"], ["prepare"]),
        ("prepare", None, ["prepare"], ["prepare"]),
        ("analysis", None, ["prepare", "analysis"], ANALYSED),
        ("synthesis", {"a": 1}, ["prepare", "analysis", "synthesis"], ANALYSED),
        ("synthesis", None, ["prepare", "analysis", "synthesis"], ANALYSED),
        ("never", "the end", ["prepare", "analysis", "synthesis"], ANALYSED),
    ],
    ids=["prepare", "prepare-none", "analysis", "synthesis", "synthesis-none", "never"],
)
def test_later_stages_are_skipped_and_what_is_there_is_kept(
    urd: Urd, when: str, result: object, stages: list[str], values: list[str]
) -> None:
    job = urd.build("m", when=when, result=result)
    assert job.load(default=None) == result
    assert job.files() == {"kept.pickle"} | ({"result.pickle"} if result is not None else set())
    assert rows(job) == values
    assert set(job.run.times.stages) == set(stages)
    printed = [part if isinstance(part, str) else "analysis" for part in job.output("parts")]
    assert list(dict.fromkeys(printed)) == stages
    assert urd.build("m", when=when, result=result) == job


def test_all_slices_have_to_agree(urd: Urd) -> None:
    with pytest.raises(JobFailed, match="of 3 slices, only these finished early: 0, 2") as failed:
        urd.build("m", when="analysis", slices=[0, 2])
    assert failed.value.stage == "analysis"


def test_analysis_has_no_result(urd: Urd) -> None:
    with pytest.raises(JobFailed, match="finish_early in analysis takes no result"):
        urd.build("m", when="analysis", result="early")


def test_what_it_left_lying_about_is_registered_as_at_the_end(tmp_path: Path) -> None:
    code = """
        def prepare(job):
            open("a.txt", "w").close()
            job.finish_early()

        def synthesis():
            return 1
        """
    folder = Folder(tmp_path, {"mine/a_m.py": code})
    with Project(config.load(folder.root)) as project:
        assert Urd(project.builder, BuildRecord("test")).build("m").files() == {"a.txt"}


def test_the_handing_over_of_a_result_that_cannot_be_saved_fails_in_its_stage(tmp_path: Path) -> None:
    code = "def prepare(job):\n    job.finish_early(lambda: 0)\n\ndef synthesis():\n    return 1\n"
    folder = Folder(tmp_path, {"mine/a_m.py": code})
    with (
        Project(config.load(folder.root)) as project,
        pytest.raises(JobFailed, match="cannot save") as failed,
    ):
        Urd(project.builder, BuildRecord("test")).build("m")
    assert failed.value.stage == "prepare"
