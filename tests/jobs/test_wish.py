"""How many slices run at a time: the nearest word counts, wherever a job is asked for."""

from pathlib import Path

import pytest

from jobs.execution.executors.serial import SerialExecutor
from jobs.execution.plan import Plan, Silent
from jobs.wish import Policy, Wish
from porcelain import config
from porcelain.buildlog import BuildRecord
from porcelain.project import Project
from porcelain.urd import Urd
from tests.projects import Folder

# what the call says, `-c METHOD=N`, `-c N`, what the method declares
CASES = {
    "nobody": ((None, None, None, None), None),
    "declared": ((None, None, None, 2), 2),
    "all": ((None, None, 3, None), 3),
    "all-and-fewer-declared": ((None, None, 5, 2), 2),
    "all-and-more-declared": ((None, None, 3, 6), 3),
    "method": ((None, 4, None, None), 4),
    "method-before-all": ((None, 4, 3, None), 4),
    "method-before-declared": ((None, 4, None, 2), 4),
    "method-before-both": ((None, 4, 3, 2), 4),
    "call": ((5, None, None, None), 5),
    "call-before-all": ((5, None, 3, None), 5),
    "call-before-method": ((5, 4, None, None), 5),
    "call-before-declared": ((5, None, None, 2), 5),
    "call-before-everything": ((5, 4, 3, 2), 5),
}


class Plans(Silent):
    def __init__(self) -> None:
        self.concurrency: dict[str, int] = {}

    def began(self, plan: Plan, label: str) -> None:
        self.concurrency[plan.method.name] = plan.concurrency


@pytest.mark.parametrize(("said", "slices"), CASES.values(), ids=CASES)
def test_the_nearest_word_counts(said: tuple[int | None, ...], slices: int | None) -> None:
    call, of_method, of_all, declared = said
    policy = Policy(concurrency=of_all, concurrency_of={"m": of_method} if of_method else {})
    assert Wish(policy, concurrency=call).concurrency_for("m", declared) == slices


def test_subjobs_are_asked_for_in_the_same_way(tmp_path: Path) -> None:
    leaf = "def analysis(sliceno):\n    pass\n"
    parent = """
        from acc import build

        concurrency = 2

        def synthesis():
            build("named")
            build("called", concurrency=4)
            build("declares")
            build("plain")
        """
    names = ("named", "called", "plain")
    files = {f"mine/a_{name}.py": leaf for name in names}
    folder = Folder(
        tmp_path,
        {**files, "mine/a_declares.py": "concurrency = 1\n" + leaf, "mine/a_parent.py": parent},
        slices=8,
    )
    plans = Plans()
    with Project(config.load(folder.root), plans, SerialExecutor()) as project:
        policy = Policy(concurrency=3, concurrency_of={"named": 5})
        Urd(project.builder, BuildRecord("test"), policy).build("parent", concurrency=6)
    assert plans.concurrency == {"parent": 6, "named": 5, "called": 4, "declares": 1, "plain": 3}
