"""What every executor does: a job's stages and slices, its events, its failures, its subjobs."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from jobs.errors import JobFailed, OptionError
from jobs.execution.events import Event, StageBegan, StageEnded, StatusBegan
from jobs.execution.executors import Executor
from jobs.execution.executors.serial import SerialExecutor
from jobs.execution.plan import Silent
from jobs.job import Job
from jobs.nodes.parts import ANALYSIS
from porcelain import config
from porcelain.buildlog import BuildRecord
from porcelain.project import Project
from porcelain.urd import Urd
from tests.projects import Folder

METHODS = {
    "mine/a_stages.py": """
        import os, random

        options = dict(n=1)

        def prepare(job, options):
            print("in prepare")
            job.save("from prepare", "shared.pickle")
            return options.n

        def analysis(sliceno, prepare_res, job):
            print("in slice", sliceno)
            job.save(sliceno, "part", sliceno=sliceno)
            return prepare_res + sliceno, random.random()

        def synthesis(job, analysis_res, slices):
            assert os.getcwd() == job.path
            assert job.load("shared.pickle") == "from prepare"
            numbers, draws = zip(*analysis_res)
            assert len(set(draws)) == slices
            return list(numbers), draws, [job.load("part", sliceno=n) for n in range(slices)]
        """,
    "mine/a_fails.py": """
        def analysis(sliceno):
            if sliceno == 1:
                raise RuntimeError("slice one")
        """,
    "mine/a_tells.py": """
        from acc import status

        datasets = ("source",)
        options = dict(sub=False)

        def prepare(options):
            if options.sub:
                from acc import build
                build("fails")

        def analysis(sliceno, datasets):
            with status("outer") as update:
                update("outer, further")
                for n in datasets.source.iterate(sliceno, "n"):
                    1 / (n - 11)
        """,
    "mine/a_unloadable.py": "import there_is_no_such_module\n\ndef synthesis():\n    pass\n",
    "mine/a_sub.py": "options = dict(n=0)\n\ndef synthesis(options):\n    return options.n * 10\n",
    "mine/a_parent.py": """
        from acc import OptionError, build

        def synthesis():
            try:
                build("sub", m=1)
            except OptionError as err:
                refused = str(err)
            return build("sub", n=4).load(), refused
        """,
    "mine/a_dataset.py": """
        def prepare(job):
            return job.datasetwriter(columns={"n": "int64", "text": "unicode"})

        def analysis(sliceno, prepare_res):
            for n in range(3):
                prepare_res.write(sliceno * 10 + n, f"number {n}")
        """,
    "mine/a_pieces.py": """
        def broken():
            yield b"half"
            raise RuntimeError

        def analysis(job, sliceno):
            job.save_pieces([b"%d" % sliceno] * sliceno, "slice", sliceno=sliceno)

        def synthesis(job, slices):
            job.save_pieces((b"abcdefg" * 100_000 for _ in range(10)), "large.bin")
            try:
                job.save_pieces(broken(), "half.bin")
            except RuntimeError:
                pass
            with job.open("large.bin", "rb") as file:
                return len(file.read())
        """,
}


class Heard(Silent):
    """Listens to a build and keeps what it heard."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.printed = ""

    def event(self, label: str, event: Event) -> None:
        self.events.append(event)

    def said(self, label: str, part: str, text: str) -> None:
        self.printed += f"{part}: {text}"


class ExecutorSuite:
    """A subclass gives the fixture `executor`."""

    @pytest.fixture
    def heard(self) -> Heard:
        return Heard()

    @pytest.fixture
    def build(self, executor: Executor, heard: Heard, tmp_path: Path) -> Iterator[Callable[..., Job]]:
        folder = Folder(tmp_path, METHODS, slices=3)
        with Project(config.load(folder.root), heard, executor) as project:
            yield Urd(project.builder, BuildRecord("test")).build

    def test_stages_run_in_order_with_what_they_are_given(self, build: Callable[..., Job]) -> None:
        numbers, _, parts = build("stages", n=5).load()
        assert numbers == [5, 6, 7]
        assert parts == [0, 1, 2]

    def test_a_program_with_many_open_files_can_build(self, build: Callable[..., Job]) -> None:
        with ExitStack() as stack:
            for _ in range(1024):
                stack.enter_context(open(os.devnull, "rb"))
            assert build("sub", n=4).load() == 40

    def test_random_numbers_come_from_the_key(self, build: Callable[..., Job]) -> None:
        first = build("stages")
        again = build("stages", force_build=True)
        assert again != first
        assert again.load() == first.load()
        assert build("stages", n=2).load()[1] != first.load()[1]

    def test_events_tell_of_each_stage_and_slice(self, build: Callable[..., Job], heard: Heard) -> None:
        build("stages")
        begun = [(event.stage, event.sliceno) for event in heard.events if isinstance(event, StageBegan)]
        ended = [(event.stage, event.sliceno) for event in heard.events if isinstance(event, StageEnded)]
        slices = [("analysis", n) for n in range(3)]
        assert sorted(begun, key=str) == sorted(ended, key=str)
        assert [each for each in begun if each[1] is None] == [
            ("prepare", None),
            ("analysis", None),
            ("synthesis", None),
        ]
        assert sorted(each for each in begun if each[1] is not None) == slices
        assert begun[0] == ("prepare", None)
        assert ended[-1] == ("synthesis", None)

    def test_what_is_printed_is_kept_by_part_and_heard(self, build: Callable[..., Job], heard: Heard) -> None:
        job = build("stages")
        assert job.output("parts") == {
            "prepare": "in prepare\n",
            0: "in slice 0\n",
            1: "in slice 1\n",
            2: "in slice 2\n",
        }
        assert "prepare: in prepare\n" in heard.printed
        assert "1: in slice 1\n" in heard.printed

    def test_a_failure_names_stage_and_slice(self, build: Callable[..., Job]) -> None:
        with pytest.raises(JobFailed) as caught:
            build("fails")
        assert (caught.value.stage, caught.value.sliceno, caught.value.method) == ("analysis", 1, "fails")
        assert "slice one" in str(caught.value)
        assert "a_fails.py" in caught.value.traceback

    def test_a_failure_tells_the_status_and_the_row(self, build: Callable[..., Job], heard: Heard) -> None:
        source = build("dataset")
        with pytest.raises(JobFailed) as caught:
            build("tells", source=source)
        expected = [
            "ZeroDivisionError: division by zero",
            "Status when it was raised:",
            "  outer, further",
            f"  iterating {source}/default, slice 1: row 2 of 3",
        ]
        assert caught.value.traceback.splitlines()[-4:] == expected
        assert str(caught.value).endswith("ZeroDivisionError: division by zero")
        told = [event for event in heard.events if isinstance(event, StatusBegan)]
        assert {(event.stage, event.sliceno) for event in told} >= {(ANALYSIS, 1)}
        assert not any(event.path.exists() for event in told)

    def test_a_failed_subjob_is_part_of_the_status(self, build: Callable[..., Job]) -> None:
        with pytest.raises(JobFailed) as caught:
            build("tells", source=build("dataset"), sub=True)
        assert "building 'fails'" in caught.value.traceback

    def test_times_tell_when_stages_and_slices_began(self, build: Callable[..., Job]) -> None:
        times = build("stages").run.times
        assert set(times.stages_begun) == set(times.stages) == {"prepare", "analysis", "synthesis"}
        begun, ends = times.stages_begun, {n: t + times.stages_begun[n] for n, t in times.stages.items()}
        assert (
            begun["prepare"] <= ends["prepare"] <= begun["analysis"] <= ends["analysis"] <= begun["synthesis"]
        )
        assert len(times.slices_begun) == 3
        assert all(begun["analysis"] <= each <= ends["analysis"] for each in times.slices_begun)

    def test_a_subjob_is_built_and_its_errors_reach_the_method(self, build: Callable[..., Job]) -> None:
        value, refused = build("parent").load()
        assert value == 40
        assert "'m'" in refused

    def test_a_dataset_of_analysis_is_whole(self, build: Callable[..., Job]) -> None:
        ds = build("dataset").dataset()
        assert list(ds.iterate(None, "n")) == [0, 1, 2, 10, 11, 12, 20, 21, 22]
        assert list(ds.iterate(1, "text")) == ["number 0", "number 1", "number 2"]

    def test_files_that_come_piece_by_piece_are_whole_or_not_there(self, build: Callable[..., Job]) -> None:
        job = build("pieces")
        assert job.load() == 7_000_000
        assert job.files() == {"large.bin", "result.pickle", "slice.0", "slice.1", "slice.2"}
        with job.open("large.bin", "rb") as large, job.open("slice", "rb", 2) as part:
            assert (large.read(), part.read()) == (b"abcdefg" * 1_000_000, b"22")

    def test_wrong_arguments_are_refused_before_anything_runs(
        self, build: Callable[..., Job], heard: Heard
    ) -> None:
        with pytest.raises(OptionError):
            build("stages", nothing=1)
        assert heard.events == []

    def test_the_outcome_is_that_of_the_serial_executor(
        self, build: Callable[..., Job], tmp_path: Path
    ) -> None:
        outcomes = [build(method).row.outcome for method in ("stages", "dataset")]
        folder = Folder(tmp_path / "again", METHODS, slices=3)
        with Project(config.load(folder.root), executor=SerialExecutor()) as project:
            build_again = Urd(project.builder, BuildRecord("test")).build
            assert [build_again(method).row.outcome for method in ("stages", "dataset")] == outcomes
