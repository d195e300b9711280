"""The page of one job."""

import json
import re

import pytest

from cas.errors import AccError
from jobs.nodes.facts import Fact
from jobs.nodes.run import Failure
from porcelain.board.pages import explained, job
from porcelain.objects import SpecError
from porcelain.views import job_views

HOSTILE = "<script>alert(1)</script>\"'&"


def texts_of(html: str) -> str:
    """Return what stands between the tags of a page."""
    return re.sub(r"\s+", " ", re.sub("<[^>]*>", " ", html))


def test_all_that_acc_job_shows_is_there(project, look):
    made = project.job("make", files={"a.txt": b"a"}, made={"movies": project.dataset()})
    helper = project.job("help")
    row = project.job(
        "use",
        options={"n": 3, "path": "x"},
        jobs={"before": made},
        datasets={"source": (made, "movies")},
        files={"b.txt": b"bb"},
        made={"default": project.dataset()},
        output={"synthesis": b"end\n"},
        subjobs=[helper],
        caption="the third",
        facts=[Fact("read", "input/a.csv", "")],
    )
    shown = look(job.job, row.label)
    known = job_views.job(project.resolver, row)
    assert shown.view.items() >= known.items()
    assert json.loads(json.dumps(shown.view, allow_nan=False)) == shown.view
    text = texts_of(shown.html)
    for word in (
        "the third",
        "b.txt",
        "synthesis",
        "help",
        "input/a.csv",
        "anna",
        "tester",
        row.run,
        "first run",
    ):
        assert word in text
    for address in (
        "/job/dev-1",
        "/dataset/dev-1/movies",
        "/file/dev-3/b.txt",
        "/dataset/dev-3/default",
        "/job/dev-2",
    ):
        assert f'href="{address}"' in shown.html


def test_a_failed_job_shows_its_traceback_before_anything_else(project, look):
    failure = Failure(f"ValueError: {HOSTILE}", "analysis", 3, f"Traceback\n  {HOSTILE}")
    row = project.job("fails", failure=failure, output={str(number): b"begin" for number in range(40)})
    shown = look(job.job, row.label)
    text = texts_of(shown.html)
    assert text.index("Failed in analysis, slice 3") < text.index("Traceback") < text.index("why it ran")
    # of all the slices the one that failed is seen at once
    assert [each["part"] for each in shown.drawn["printed"].parts] == ["3"]
    assert len(shown.drawn["printed"].slices) == 39


def test_names_of_all_kinds_stay_text(project, look):
    row = project.job(
        "make",
        files={f"{HOSTILE}.png": b"a"},
        options={HOSTILE: HOSTILE, "long": HOSTILE * 100},
        output={HOSTILE: HOSTILE.encode(), "²": b"no number", "9" * 5000: b"too long a number"},
        caption=HOSTILE,
        why=HOSTILE,
        facts=[Fact("read", HOSTILE, ""), Fact("lookup", {"odd": HOSTILE}, HOSTILE)],
    )
    html = look(job.job, row.label).html
    assert "<script>" not in html
    assert re.sub('<script src="/static/[^"<>]*" type="module"></script>', "", html).count("<script") == 0
    assert "onerror" not in html
    assert " style=" not in html


@pytest.mark.parametrize(
    ("kind", "about"),
    [
        ("read", None),
        ("lookup", 3),
        ("aside", {}),
        ("subjob", {"method": "m", "arguments": {"x": {"$dataset": {"x": 1}}, "y": {"$withfile": 1}}}),
        ("subjob", {"method": "m", "arguments": {"x": {"$later": 1}}}),
    ],
)
def test_a_fact_that_says_nothing_hides_no_job(project, look, kind, about):
    row = project.job("make", facts=[Fact(kind, about, "")])
    assert "first run" in look(job.job, row.label).html
    assert look(explained.why, row.label).view["fate"]


@pytest.mark.parametrize("what", ["run", "outcome", "source", "dataset"])
def test_of_a_job_with_a_node_missing_the_rest_is_shown(project, look, what):
    row = project.job(
        "make", files={"a.txt": b"a"}, made={"default": project.dataset()}, output={"prepare": b"x"}
    )
    nodes = {"run": row.run, "outcome": row.outcome, "source": project.resolver.run(row).source}
    nodes["dataset"] = project.resolver.outcome(row).datasets["default"]
    project.store.delete(nodes[what])
    shown = look(job.job, row.label)
    assert len(shown.view["problems"]) == (what != "source")
    assert "first run" in shown.html
    assert ("/file/dev-1/a.txt" in shown.html) == (what != "outcome")


def test_what_was_printed_and_cannot_be_read_says_so(project, look):
    row = project.job("make", output={"prepare": b"here", "synthesis": b"gone"})
    project.store.delete(project.resolver.run(row).output["synthesis"])
    prepare, synthesis = look(job.job, row.label).drawn["printed"].parts
    assert (prepare["html"], prepare["problem"]) == (["here"], None)
    assert (synthesis["html"], synthesis["problem"]) == (None, "it cannot be read")


def test_long_lists_come_by_pages(project, look):
    row = project.job("make", files={f"{number:03}.txt": b"x" for number in range(120)})
    first, last = look(job.job, row.label), look(job.job, row.label, files="3")
    assert [each["name"] for each in first.drawn["files"]][-1] == "049.txt"
    assert [each["name"] for each in last.drawn["files"]] == [f"{number}.txt" for number in range(100, 120)]
    assert "page 1 of 3" in texts_of(first.html)
    assert 'href="/here?files=2#files"' in first.html


def test_a_huge_option_is_cut(project, look):
    row = project.job("make", options={"short": [1, 2], "lines": "a\nb", "huge": "x" * 1_000_000})
    shown = look(job.job, row.label)
    assert [len(value.long) for _, value in shown.drawn["options"]] == [20_000, 3, 0]
    assert len(shown.html) < 50_000
    assert "980,002 more characters" in texts_of(shown.html)


def test_the_jobs_beside_a_job_are_those_of_its_method_and_of_its_chain(project, look):
    one = project.job("step")
    project.job("other")
    two = project.job("step", jobs={"previous": one})
    project.job("step")
    four = project.job("step", jobs={"previous": two})
    view = look(job.job, two.label).view
    assert (view["earlier_job"], view["later_job"]) == ("dev-1", "dev-4")
    assert (view["previous"], view["next"]) == (one.label, four.label)
    view = look(job.job, one.label).view
    assert (view["earlier_job"], view["previous"], view["next"]) == (None, None, two.label)


def test_commands_can_be_typed_as_they_are(project, look):
    row = project.job("make", made={"it's": project.dataset()})
    commands = [command for _, command in look(job.job, row.label).drawn["commands"]]
    assert "acc job dev-1" in commands
    assert "acc ds -r 10 'dev-1/it'\"'\"'s'" in commands


def test_what_is_no_job_is_said(project, look):
    with pytest.raises(LookupError):
        look(job.job, "dev-9")
    with pytest.raises(SpecError):
        look(job.job, "\0")
    project.job("make")
    with pytest.raises(AccError, match="whole number"):
        look(job.job, "dev-1", files="x")
