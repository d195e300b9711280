"""Whatever is done to a project between builds, a build gets what one in an empty store gets."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from jobs.execution.executors import Executor
from jobs.execution.executors.processes import ProcessExecutor
from jobs.execution.executors.serial import SerialExecutor
from jobs.execution.plan import Plan, Silent
from porcelain import config
from porcelain.project import Project
from porcelain.script import find_scripts, get_script, run_script
from porcelain.stored import StoredProject
from tests.projects import Folder

# a project whose every part is edited: options and what is built, methods, helpers found in any way, input files
FILES = {
    "input/a.txt": "0",
    "input/b.txt": "0",
    "mine/one.py": "from . import two\n\nVALUE = 0\n",
    "mine/two.py": "VALUE = 0\n",
    "mine/late.py": "VALUE = 0\n",
    "mine/extra.txt": "0",
    "mine/a_read.py": """
        from acc import InputFile

        options = dict(filename=InputFile(), x=0)

        def synthesis(options):
            with options.filename.open() as stream:
                return [stream.read(), options.x]
        """,
    "mine/a_peek.py": """
        import os

        def synthesis(job):
            files = {}
            for name in sorted(os.listdir(job.input_directory)):
                with job.open_input(name) as stream:
                    files[name] = stream.read()
            return [files]
        """,
    "mine/a_code.py": """
        import importlib
        from pathlib import Path

        from . import one

        depend_extra = ["extra.txt"]

        def prepare():
            try:
                return importlib.import_module("mine." + "late").VALUE
            except ImportError:
                return None

        def analysis(sliceno, prepare_res):
            return sliceno, prepare_res

        def synthesis(analysis_res):
            return [one.VALUE, one.two.VALUE, Path(__file__).with_name("extra.txt").read_text(), list(analysis_res)]
        """,
    "mine/a_join.py": """
        from acc import build

        jobs = (["sources"],)
        options = dict(x=0)

        def synthesis(jobs, options):
            return [[job.load() for job in jobs.sources], build("read", filename="b.txt", x=options.x).load()]
        """,
    "mine/build.py": """
        X = 0

        def main(urd):
            read = urd.build("read", filename="a.txt", x=X)
            sources = [read, urd.build("peek"), urd.build("code")]
            joined = urd.build("join", sources=sources, x=X)
            urd.build("join", sources=[joined, read])
        """,
}
# a file that is edited, and its text for a number; all texts of a file have one size
TEXTS = {
    "input/a.txt": "{}",
    "input/b.txt": "{}",
    "mine/one.py": FILES["mine/one.py"].replace("0", "{}"),
    "mine/two.py": "VALUE = {}\n",
    "mine/late.py": "VALUE = {}\n",
    "mine/extra.txt": "{}",
}
METHODS = ("read", "peek", "code", "join")
MAY_BE_GONE = ("input/extra.txt", "mine/late.py")
numbers = st.integers(0, 2)


class Killed(BaseException):
    """The build ends here, with nothing tidied up."""


class Fuse(Silent):
    """Ends the build at its nth event."""

    def __init__(self, events: int | None = None) -> None:
        self.left = events

    def _burn(self) -> None:
        if self.left is not None:
            self.left -= 1
            if self.left < 0:
                raise Killed

    def began(self, plan: Plan, label: str) -> None:
        self._burn()

    def event(self, label: str, event: object) -> None:
        self._burn()

    def reused(self, row: object, caption: str, origin: str) -> None:
        self._burn()


class ProjectMachine(RuleBasedStateMachine):
    """Edits a project, builds it now and then, and kills builds."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="machine-"))
        self.project = Folder(self.folder / "project", FILES)
        self.changed = True

    def executor(self) -> Executor:
        return SerialExecutor()

    def teardown(self) -> None:
        shutil.rmtree(self.folder)

    # -- changes

    @initialize()
    def build_first(self) -> None:
        self.build(self.project.root)

    @rule(name=st.sampled_from(sorted(TEXTS)), number=numbers, keep_time=st.booleans())
    def edit(self, name: str, number: int, keep_time: bool) -> None:
        path = self.project.root / name
        before = path.stat() if path.exists() else None
        path.write_text(TEXTS[name].format(number))
        if keep_time and before is not None:
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
        self.changed = True

    @rule(name=st.sampled_from(MAY_BE_GONE))
    def remove(self, name: str) -> None:
        (self.project.root / name).unlink(missing_ok=True)
        self.changed = True

    @rule(number=numbers)
    def add_an_input_file(self, number: int) -> None:
        self.project.write("input/extra.txt", str(number))
        self.changed = True

    @rule(number=numbers)
    def change_an_option(self, number: int) -> None:
        self.project.write("mine/build.py", FILES["mine/build.py"].replace("X = 0", f"X = {number}"))
        self.changed = True

    @rule(method=st.sampled_from(METHODS), comment=st.sampled_from(["", "# one", "# two"]))
    def comment_on_a_method(self, method: str, comment: str) -> None:
        self.project.write(f"mine/a_{method}.py", FILES[f"mine/a_{method}.py"] + comment)
        self.changed = True

    @rule(method=st.sampled_from(METHODS), number=numbers)
    def let_a_method_give_something_else(self, method: str, number: int) -> None:
        text = FILES[f"mine/a_{method}.py"].replace("return [", f"return [{number}, ", 1)
        self.project.write(f"mine/a_{method}.py", text)
        self.changed = True

    @rule()
    def let_a_late_module_become_a_package(self) -> None:
        self.project.write("mine/late/__init__.py", "VALUE = 'package'\n")
        self.changed = True

    @rule()
    def let_a_late_module_be_no_package(self) -> None:
        shutil.rmtree(self.project.root / "mine/late", ignore_errors=True)
        self.changed = True

    @rule(events=st.integers(0, 25))
    def kill_a_build(self, events: int) -> None:
        try:
            self.build(self.project.root, Fuse(events))
        except Killed:
            self.changed = True

    # -- what holds

    @precondition(lambda self: self.changed)
    @invariant()
    def a_build_gets_what_one_in_an_empty_store_gets(self) -> None:
        self.changed = False
        fresh = self.folder / "fresh"
        shutil.copytree(self.project.root, fresh, ignore=shutil.ignore_patterns(".acc", "results"))
        try:
            assert self.build(self.project.root) == self.build(fresh)
        finally:
            shutil.rmtree(fresh)

    def build(self, root: Path, listener: Silent | None = None) -> Mapping[int, object]:
        """Return the outcome of each job of the build script."""
        executor = self.executor()
        try:
            with Project(config.load(root), listener or Silent(), executor) as project:
                script = get_script(find_scripts(root, project.catalog.packages), "", root)
                run_script(project, script)
                return _outcomes(project)
        finally:
            executor.close()


def _outcomes(project: StoredProject) -> Mapping[int, object]:
    ((_, build),) = project.buildlog.newest(1)  # type: ignore[attr-defined]
    rows = (project.index.of_run(job.run) for job in build.jobs)
    return {number: row and row.outcome for number, row in enumerate(rows)}


class ProcessMachine(ProjectMachine):
    """The same with jobs in processes of their own, and builds that are killed for good."""

    def executor(self) -> Executor:
        return ProcessExecutor(config.job_environment(), 2)

    @rule(lines=st.integers(0, 6))
    def kill_a_process(self, lines: int) -> None:
        build = subprocess.Popen(
            self.project.command("build"),
            cwd=self.project.root,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        with build:
            for _ in range(lines):
                build.stdout.readline()
            build.kill()
        self.changed = True


SLOW_TO_CHECK = [HealthCheck.too_slow, HealthCheck.filter_too_much]
# a failure of twelve steps is short enough, and to make it shorter takes minutes
QUICK = settings(
    max_examples=6,
    stateful_step_count=12,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=SLOW_TO_CHECK,
)
LONG = settings(max_examples=40, stateful_step_count=30, deadline=None, suppress_health_check=SLOW_TO_CHECK)
# a second a step
KILLING = settings(LONG, max_examples=10, stateful_step_count=20)

TestBuildMachine = ProjectMachine.TestCase
TestBuildMachine.settings = QUICK


@pytest.mark.slow
class TestLongBuildMachine(ProjectMachine.TestCase):
    settings = LONG


@pytest.mark.slow
class TestProcessMachine(ProcessMachine.TestCase):
    settings = KILLING
