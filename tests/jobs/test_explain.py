"""Why a job ran, would run, or would be reused: what differs is told by name and value."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.errors import JobFailed
from jobs.execution.executors.serial import SerialExecutor
from jobs.explain import Explanation, explain
from jobs.job import Job
from jobs.method.arguments import Arguments
from jobs.nodes.run import FORCED
from jobs.reuse.difference import Side, code_diff, differences
from jobs.reuse.key import action_key
from porcelain import config
from porcelain.project import Project
from tests.jobs.test_builder import Builds

MORE = {
    "input/data.csv": "a\n1\n",
    "mine/shared.py": "VALUE = 1\n",
    "mine/a_many.py": """
        from acc import InputFile, JobWithFile
        from mine import shared

        options = dict(n=1, table={}, words=[], file=InputFile(), note=JobWithFile())
        jobs = ("source", ["others"])

        def synthesis(options):
            return options.n
        """,
    "mine/a_table.py": """
        options = dict(n=2)

        def synthesis(job, options):
            writer = job.datasetwriter(columns={"x": "int64"})
            write = writer.get_split_write()
            for x in range(options.n):
                write(x)
        """,
    "mine/a_reads.py": "datasets = ('source',)\n\ndef synthesis(datasets):\n    return sum(datasets.source.lines)\n",
    "mine/a_peeks.py": """
        def synthesis(job):
            with job.open_input("data.csv") as fh:
                return fh.read()
        """,
    "mine/a_later.py": """
        def synthesis():
            import importlib
            name = "dynamic"
            return importlib.import_module(f"mine.{name}").VALUE
        """,
    "mine/a_fails.py": "def synthesis():\n    raise ValueError('no')\n",
    "mine/a_parent.py": "from acc import build\n\ndef synthesis():\n    return build('number', n=7).load()\n",
}


class Explained(Builds):
    """A project in which it is asked why."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        for name, text in MORE.items():
            self.folder.write(name, text)

    def ask(self, method: str, **arguments: object) -> Explanation:
        self.forget()
        builder = self.project.builder
        return explain(builder, builder.request(method, Arguments({}, {}, {}), arguments))

    def now(self, job: Job) -> Explanation:
        self.forget()
        return self.project.explainer.now(job.row)

    def forget(self) -> None:
        for name in ("catalog", "builder", "explainer"):
            self.project.__dict__.pop(name, None)


@pytest.fixture
def asked(tmp_path: Path) -> Iterator[Explained]:
    builds = Explained(tmp_path)
    with builds.project:
        yield builds


def told(found: Explanation) -> list[str]:
    """Return what differs from the nearest job, in words."""
    assert found.nearest is not None
    return list(map(str, found.nearest.differences))


# -- what differs ----------------------------------------------------------------------------------------------


def test_options_are_told_by_the_place_in_their_value(asked: Explained) -> None:
    asked.build("many", n=3, table={"a": [1, {"b": True}]}, words=["x", "y"])
    found = asked.ask("many", n=4, table={"a": [1, {"b": 1}]}, words=["x", "z", "y"])
    assert found.hit.row is None
    assert told(found) == [
        "option 'n': 3 -> 4",
        "option 'table' at ['a'][1]['b']: True -> 1",
        "option 'words' at [1:1]: nothing -> ['z']",
    ]
    assert found.reason == "; ".join(told(found))


def test_inputs_are_told_by_the_jobs_that_they_come_from(asked: Explained) -> None:
    one, two = asked.build("number", n=1), asked.build("number", n=2)
    asked.build("many", source=one, others=[one, two], note=one.withfile("result.pickle"))
    found = asked.ask("many", source=two, others=[one, one], note=two.withfile("result.pickle"))
    assert told(found) == [
        "option 'note': dev-1:result.pickle -> dev-2:result.pickle",
        "job 'others' at [1]: dev-2 -> dev-1",
        "job 'source': dev-1 -> dev-2",
    ]


def test_a_dataset_is_told_with_its_job(asked: Explained) -> None:
    before, after = asked.build("table", n=2), asked.build("table", n=3)
    asked.build("reads", source=before)
    assert told(asked.ask("reads", source=after)) == ["dataset 'source': dev-1/default -> dev-2/default"]


def test_the_content_of_an_input_file_is_told_by_its_ids(asked: Explained) -> None:
    asked.build("many", file="data.csv")
    path = asked.folder.write("input/data.csv", "a\n1\n2\n")
    found = asked.ask("many", file="data.csv")
    assert told(found) == ["option 'file': content of 'data.csv' changed"]
    assert found.nearest is not None
    changed = found.nearest.differences[0]
    assert changed.before.id != changed.after.id
    assert found.sizes == {changed.after.id: path.stat().st_size}


def test_the_source_is_told_file_by_file_as_a_diff(asked: Explained) -> None:
    asked.build("many")
    asked.folder.write("mine/shared.py", "VALUE = 2\n")
    found = asked.ask("many")
    assert told(found) == ["source mine/shared.py changed"]
    assert found.nearest is not None
    lines = code_diff(found.nearest.side, found.request.side(), "mine/shared.py", ("dev-1", "now"))
    assert lines[2:] == ["@@ -1 +1 @@", "-VALUE = 1", "+VALUE = 2"]


def test_slices_and_environment_are_told(asked: Explained) -> None:
    job = asked.build("number")
    asked.folder.write("acc.toml", '[project]\nslices = 3\nmethods = ["mine"]\nenvironment = "exact"\n')
    with Project(config.load(asked.folder.root), executor=SerialExecutor()) as other:
        found = other.explainer.now(job.row)
    assert "slices: 2 -> 3" in told(found)
    assert any(each.startswith("python: ") for each in told(found))


def test_the_nearest_job_is_the_one_with_the_fewest_differences(asked: Explained) -> None:
    near = asked.build("many", n=1, words=["a"])
    asked.build("many", n=9, words=["b"], table={"k": 1})
    found = asked.ask("many", n=2, words=["a"])
    assert found.nearest is not None
    assert found.nearest.row.label == near.label


def test_of_equally_many_the_smallest_is_nearest_and_then_the_newest(asked: Explained) -> None:
    asked.build("many", table={"a": 1, "b": 1, "c": 1})
    small = asked.build("many", table={"a": 2, "b": 2, "c": 1})
    asked.build("many", table={"a": 1, "b": 1, "c": 2})
    found = asked.ask("many", table={"a": 2, "b": 2, "c": 2})
    assert found.nearest is not None
    assert found.nearest.row.label == small.label
    asked.build("number", n=1)
    newest = asked.build("number", n=2)
    found = asked.ask("number", n=3)
    assert found.nearest is not None
    assert found.nearest.row.label == newest.label


def test_a_first_run_has_nothing_to_differ_from(asked: Explained) -> None:
    found = asked.ask("number")
    assert (found.nearest, found.reason) == (None, "first run of 'number'")


def test_a_run_after_failed_ones_is_not_the_first(asked: Explained) -> None:
    for _ in range(2):
        with pytest.raises(JobFailed):
            asked.build("fails")
    assert [row.why for row in asked.project.index.rows()] == [
        "every earlier run of 'fails' failed",
        "first run of 'fails'",
    ]
    assert asked.ask("fails").reason == "every earlier run of 'fails' failed"


def test_asking_runs_nothing(asked: Explained) -> None:
    asked.build("parent")
    asked.folder.write("mine/a_number.py", "options = dict(n=1)\n\ndef synthesis(options):\n    return 0\n")
    before = asked.project.index.count()
    assert asked.ask("parent").hit.row is None
    assert asked.project.index.count() == before


# -- what is reused --------------------------------------------------------------------------------------------


def test_a_reused_job_has_the_key(asked: Explained) -> None:
    job = asked.build("number", n=3)
    hit = asked.ask("number", n=3).hit
    assert (hit.row, hit.ran, hit.equivalent) == (job.row, job.row, False)


def test_after_an_early_cutoff_the_run_with_the_key_is_another(asked: Explained) -> None:
    first = asked.build("number")
    path = asked.folder.root / "mine/a_number.py"
    path.write_text(path.read_text() + "# a comment\n")
    asked.build("number")
    hit = asked.ask("number").hit
    assert hit.row == first.row
    assert hit.ran is not None
    assert hit.ran.label == "dev-2"
    assert hit.ran.earlier == first.label


def test_a_job_of_an_equivalent_source_is_told_as_such(asked: Explained) -> None:
    job = asked.build("number")
    text = "options = dict(n=1)\nequivalent_hashes = {}\n\ndef synthesis(options):\n    return options.n\n"
    asked.folder.write("mine/a_number.py", text)
    asked.forget()
    verifier = asked.project.catalog.get("number").verifier
    asked.folder.write("mine/a_number.py", text.replace("{}", repr({verifier: (job.run.source,)})))
    hit = asked.ask("number").hit
    assert (hit.row, hit.equivalent) == (job.row, True)


def test_facts_are_told_whether_they_hold(asked: Explained) -> None:
    asked.build("peeks")
    (holds,) = asked.ask("peeks").facts
    assert holds.answer.broken == ""
    asked.folder.write("input/data.csv", "changed")
    found = asked.ask("peeks")
    (broken,) = found.facts
    assert broken.answer.now not in ("", broken.fact.was)
    assert found.reason == broken.answer.broken == "'input/data.csv' was read and has changed"


def test_each_kind_of_fact_is_told_in_words(asked: Explained) -> None:
    asked.build("parent")
    assert [fact.what for fact in asked.ask("parent").facts] == ["subjob 'number' (n=7)"]
    asked.build("lookup")
    assert [fact.what for fact in asked.ask("lookup").facts] == ["the job that 'number' names"]
    source = asked.build("number")
    asked.build("label", source=source)
    found = asked.ask("label", source=source).facts
    assert [fact.what for fact in found] == [f"the label of input '{source.label}'"]
    asked.build("later")
    assert "module 'project/mine/dynamic.py'" in [fact.what for fact in asked.ask("later").facts]


def test_what_broke_a_fact_is_told_of_the_run_that_has_the_key(asked: Explained) -> None:
    asked.build("parent")
    asked.folder.write("mine/a_number.py", "options = dict(n=1)\n\ndef synthesis(options):\n    return 0\n")
    found = asked.ask("parent")
    (subjob,) = found.facts
    assert found.hit.row is None
    assert found.hit.ran is not None
    assert (
        subjob.answer.broken
        == "subjob 'number' cannot be had: 'number' would run: source mine/a_number.py changed"
    )
    assert found.reason == subjob.answer.broken


# -- stored jobs -----------------------------------------------------------------------------------------------


def test_a_stored_job_is_compared_with_those_before_it_only(asked: Explained) -> None:
    first, second = asked.build("number", n=1), asked.build("number", n=2)
    third = asked.build("number", n=3)
    then = asked.project.explainer.then(second.row)
    assert then.why == "option 'n': 1 -> 2"
    assert then.nearest is not None
    assert then.nearest.row.label == first.label
    assert asked.project.explainer.then(first.row).nearest is None
    nearest = asked.project.explainer.then(third.row).nearest
    assert nearest is not None
    assert nearest.row.label == second.label


def test_what_a_run_learned_otherwise_is_told(asked: Explained) -> None:
    asked.build("peeks")
    asked.folder.write("input/data.csv", "changed")
    again = asked.build("peeks")
    (learned,) = asked.project.explainer.then(again.row).facts
    assert learned.what == "file 'input/data.csv'"
    assert learned.before != learned.after


def test_a_forced_job_differs_in_nothing(asked: Explained) -> None:
    first = asked.build("number")
    then = asked.project.explainer.then(asked.build("number", force_build=True).row)
    assert then.why == FORCED
    assert then.nearest is not None
    assert (then.nearest.row.label, then.nearest.differences) == (first.label, [])


def test_a_stored_job_would_be_reused_until_something_changes(asked: Explained) -> None:
    source = asked.build("number")
    job = asked.build("many", file="data.csv", source=source, others=[source], words=["a"])
    assert asked.now(job).hit.row == job.row
    asked.folder.write("input/data.csv", "other")
    assert told(asked.now(job)) == ["option 'file': content of 'data.csv' changed"]
    asked.folder.write("input/data.csv", "a\n1\n")
    assert asked.now(job).hit.row == job.row
    asked.folder.write("mine/shared.py", "VALUE = 5\n")
    assert told(asked.now(job)) == ["source mine/shared.py changed"]


def test_an_input_file_that_is_not_found_is_named(asked: Explained, tmp_path_factory) -> None:
    outside = tmp_path_factory.mktemp("outside") / "far.csv"
    outside.write_text("x")
    found = asked.now(asked.build("many", file=str(outside)))
    assert list(found.unseen) == ["far.csv"]
    assert found.hit.row is not None


def test_what_a_job_was_made_from_and_would_run_again_is_told(asked: Explained) -> None:
    base = asked.build("many", file="data.csv")
    user = asked.build("user", source=base)
    assert asked.project.explainer.find_stale(user.row, at_most=10) == []
    asked.folder.write("input/data.csv", "other")
    stale = asked.project.explainer.find_stale(user.row, at_most=10)
    assert stale == [(base.row, "option 'file': content of 'data.csv' changed")]
    assert asked.project.explainer.find_stale(user.row, at_most=0) == []


@pytest.mark.parametrize("numbers", [(1, 2), (3, 3)], ids=["another", "the same"])
def test_a_standard_method_differs_by_its_version(asked: Explained, numbers) -> None:
    request = asked.ask("number").request

    def side(version: int) -> Side:
        code = f"import os\nversion = {version}  # text {version}\n".encode()
        parts = replace(request.parts, version=version, source=f"{version:064x}")
        node = replace(request.method.source_node, files={request.method.source_node.main: parts.source})
        stored = replace(parts, version=None)
        return Side(
            stored,
            action_key(parts),
            read_source=lambda: node,
            read=lambda blob: code,
            find_origin=lambda tag, content: None,
        )

    found = list(map(str, differences(*map(side, numbers))))
    assert found == (["version of 'number': 1 -> 2"] if numbers == (1, 2) else [])
