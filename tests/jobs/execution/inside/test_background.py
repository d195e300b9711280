"""Saves in the background: as good as others, only that the stage does not wait for them before its end."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.errors import JobFailed
from jobs.execution.executors import Executor
from jobs.execution.executors.serial import SerialExecutor
from jobs.job import Job
from porcelain import config
from porcelain.buildlog import BuildRecord
from porcelain.project import Project
from porcelain.urd import Urd
from tests.projects import Folder

EXECUTORS = {"processes": lambda: None, "serial": SerialExecutor}

# pickled only once the file `gate` is there: a slow value without a clock
GATED = """
    import os, select, time

    class Gated:
        def __init__(self, text, gate):
            self.text, self.gate = text, gate

        def __reduce__(self):
            deadline = time.monotonic() + 20
            while self.gate and not os.path.exists(self.gate):
                assert time.monotonic() < deadline
                select.select([], [], [], 0.01)
            return str, (self.text,)

    """


@pytest.fixture(params=EXECUTORS)
def executor(request: pytest.FixtureRequest) -> Executor | None:
    return EXECUTORS[request.param]()


@pytest.fixture
def project(tmp_path: Path, executor: Executor | None) -> Iterator[Project]:
    folder = Folder(tmp_path, {})
    with Project(config.load(folder.root), executor=executor) as project:
        yield project


def build(project: Project, code: str) -> Job:
    Folder(project.config.root, {"mine/a_m.py": code})
    return Urd(project.builder, BuildRecord("test")).build("m")


def test_what_each_stage_saves_in_the_background_is_read_in_the_later_ones_and_kept(project: Project) -> None:
    job = build(
        project,
        """
        from pathlib import Path

        def save(job, stage, sliceno=None):
            return (
                job.save([stage, sliceno], stage, sliceno, background=True),
                job.json_save({stage: sliceno}, stage + ".json", sliceno, background=True),
            )

        def check(saved, stage, sliceno=None):
            for file in saved:
                file.wait()
            assert saved[0].load() == [stage, sliceno]
            assert saved[1].load() == {stage: sliceno}
            assert saved[0].filename == (stage if sliceno is None else f"{stage}.{sliceno}")
            assert saved[1].path == saved[1].jobwithfile().filename(sliceno)
            assert Path(saved[1].path).read_text()

        def prepare(job):
            return save(job, "prepare")

        def analysis(job, sliceno, prepare_res):
            check(prepare_res, "prepare")
            return save(job, "analysis", sliceno)

        def synthesis(job, prepare_res, analysis_res):
            check(prepare_res, "prepare")
            for sliceno, saved in enumerate(analysis_res):
                check(saved, "analysis", sliceno)
            saved = save(job, "synthesis")
            assert "synthesis" in job.files()
            check(saved, "synthesis")
            save(job, "unseen")
        """,
    )
    assert job.files() == {
        *(f"{name}{end}" for name in ("prepare", "synthesis", "unseen") for end in ("", ".json")),
        *(f"analysis{end}.{sliceno}" for end in ("", ".json") for sliceno in range(2)),
    }
    assert job.load("unseen") == ["unseen", None]
    assert job.load("analysis", 1) == ["analysis", 1]


def test_a_removed_file_is_not_kept(project: Project) -> None:
    job = build(
        project,
        """
        def prepare(job):
            return job.save(1, "a", background=True), job.save(2, "b")

        def analysis(prepare_res, sliceno):
            if sliceno == 1:
                prepare_res[0].remove()

        def synthesis(job, prepare_res):
            prepare_res[1].remove()
            job.save(3, "c", background=True).remove()
            assert job.files() == set()
            return 4
        """,
    )
    assert job.files() == {"result.pickle"}


def test_a_name_saved_again_holds_what_was_saved_last(project: Project) -> None:
    job = build(
        project,
        """
        def synthesis(job):
            for number in range(6):
                job.save(number, "a", background=number != 3)
                job.save(number, f"b{number}", background=True)
        """,
    )
    assert job.load("a") == 5
    assert [job.load(f"b{number}") for number in range(6)] == list(range(6))


@pytest.mark.parametrize("stage", ["prepare", "analysis", "synthesis"])
@pytest.mark.parametrize(
    ("value", "words"),
    [("lambda: 0", "cannot save "), ("Raises()", "ValueError: no")],
    ids=["unpicklable", "raises"],
)
def test_what_cannot_be_saved_fails_the_stage(project: Project, stage: str, value: str, words: str) -> None:
    arguments = "job, sliceno" if stage == "analysis" else "job"
    code = f"""
        class Raises:
            def __reduce__(self):
                raise ValueError("no")

        def {stage}({arguments}):
            job.save({value}, "f.pickle", background=True)
        """
    with pytest.raises(JobFailed, match=words) as failed:
        build(project, code)
    assert failed.value.stage == stage


def test_the_method_goes_on_while_its_value_is_saved_as_it_was(tmp_path: Path) -> None:
    code = f"""{GATED}
    def synthesis(job):
        value = [Gated("a", "gate"), "before"]
        saved = job.save(value, "f", background=True)
        value[1] = "after"
        open("gate", "w").close()
        return saved.load()
    """
    folder = Folder(tmp_path, {})
    with Project(config.load(folder.root)) as project:
        assert build(project, code).load() == ["a", "before"]


def test_a_saving_process_that_dies_fails_the_stage(tmp_path: Path) -> None:
    code = """
        import os

        class Dies:
            def __reduce__(self):
                os._exit(3)

        def synthesis(job):
            job.save(Dies(), "f", background=True)
        """
    folder = Folder(tmp_path, {})
    with (
        Project(config.load(folder.root)) as project,
        pytest.raises(JobFailed, match=r"cannot save 'f': .* status 3"),
    ):
        build(project, code)


def test_what_a_saving_process_looks_at_is_a_fact_as_elsewhere(tmp_path: Path) -> None:
    code = """
        from pathlib import Path

        jobs = ("source",)

        class Label:
            def __init__(self, job):
                self.job = job

            def __reduce__(self):
                return str, (self.job.path + Path(self.job.input_directory, "x").read_text(),)

        def synthesis(job, jobs):
            job.save(Label(jobs.source), "f", background=True)
        """
    folder = Folder(
        tmp_path, {"mine/a_m.py": code, "mine/a_n.py": "def synthesis():\n    return 1\n", "input/x": "x"}
    )
    with Project(config.load(folder.root)) as project:
        urd = Urd(project.builder, BuildRecord("test"))
        job = urd.build("m", source=urd.build("n"))
        assert {fact.kind for fact in job.run.facts} == {"aside", "read"}


def test_the_handle_of_a_saved_file_is_none_to_be_kept(project: Project) -> None:
    with pytest.raises(JobFailed, match="cannot itself be saved"):
        build(project, "def synthesis(job):\n    return job.save(1, 'a')\n")
