"""The pages of builds."""

import pytest

from cas.oid import ObjectId
from jobs.nodes.build import DONE, Build, BuiltJob
from jobs.nodes.run import Failure
from porcelain.board.page import NoSuchPage
from porcelain.board.pages import builds
from porcelain.buildlog import BuildLog
from tests.porcelain.conftest import START

HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def write(project):
    """A function that writes a build of some rows, each as (name, row, how), and returns its name."""
    log = BuildLog(project.store, project.index.refs)

    def run(*jobs, script="build", status=DONE, **more) -> str:
        entries = tuple(
            BuiltJob(name, row.run, how, row.run if how == "built" else None, row.method)
            for name, row, how in jobs
        )
        node = Build(script=script, status=status, start=START, end=START + 1_500_000, jobs=entries, **more)
        return f"build-{log.write(node)}"

    return run


def test_builds_are_listed_newest_first_with_how_they_ended(project, write, see):
    row = project.job("make")
    write(("a", row, "built"))
    write(("a", row, "reused"), status="job 'dev-7' failed: " + HOSTILE)
    shown = see(builds.builds)
    assert [each["build"] for each in shown.view["builds"]] == ["build-2", "build-1"]
    assert [(each["built"], each["reused"]) for each in shown.view["builds"]] == [(0, 1), (1, 0)]
    assert HOSTILE not in shown.html
    assert "job '<a href=\"/job/dev-7\">dev-7</a>' failed" in shown.html


def test_builds_of_one_script_can_be_chosen(project, write, see):
    row = project.job("make")
    write(("a", row, "built"), script="one")
    write(("a", row, "reused"), script="two")
    assert [each["script"] for each in see(builds.builds, script="one").view["builds"]] == ["one"]
    # what is known of a build without reading it is the same
    assert [each["script"] for each in see(builds.builds, script="one").view["builds"]] == ["one"]


def test_many_builds_come_in_pages(project, write, see):
    row = project.job("make")
    for _ in range(60):
        write(("a", row, "reused"))
    first, second = see(builds.builds), see(builds.builds, page="2")
    assert (len(first.view["builds"]), len(second.view["builds"])) == (50, 10)
    assert 'rel="next"' in first.html


def test_a_build_shows_which_jobs_are_other_ones_than_before(project, write, see):
    same, old, new, come, gone = (project.job(name) for name in ("same", "step", "step", "come", "gone"))
    write(("same", same, "built"), ("step", old, "built"), ("gone", gone, "built"))
    write(("x", same, "built"), script="another")
    name = write(("same", same, "reused"), ("step", new, "built"), ("come", come, "built"))
    shown = see(builds.build, {"name": name})
    changes = shown.view["changes"]
    assert (changes["before"], changes["same"]) == ("build-1", 1)
    assert changes["other"] == [{"name": "step", "before": old.label, "after": new.label}]
    assert [each["job"] for each in changes["come"]] == [come.label]
    assert [each["job"] for each in changes["gone"]] == [gone.label]
    assert f"/compare?a={old.label}&amp;b={new.label}" in shown.html


def test_what_a_script_said_is_shown_as_text(project, write, see):
    blob = project.store.put(f"\x1b[31mred\x1b[0m {HOSTILE}".encode())
    write(("a", project.job("make"), "built"), warnings=(HOSTILE,), output=blob)
    shown = see(builds.build, {"name": "build-LATEST"})
    assert HOSTILE not in shown.html
    assert '<span class="a-f1">red</span>' in shown.html
    assert shown.view["build"] == "build-1"


def test_a_build_of_many_jobs_is_shown_by_pages(project, write, see):
    row = project.job("make")
    name = write(*(("a", row, "reused") for _ in range(250)))
    assert [len(see(builds.build, {"name": name}, page=page).view["jobs"]) for page in "123"] == [
        100,
        100,
        50,
    ]


def test_a_job_is_no_build(project, see):
    row = project.job("make")
    with pytest.raises(NoSuchPage, match="is no build"):
        see(builds.build, {"name": row.label})


def test_a_build_whose_object_is_lost_hides_no_other(project, write, see):
    row = project.job("make")
    write(("a", row, "built"))
    write(("a", row, "reused"))
    with project.index.refs.transaction("hurt") as transaction:
        transaction.set("builds/1", ObjectId("0" * 64))
    shown = see(builds.builds)
    assert [each["build"] for each in shown.view["builds"]] == ["build-2", "build-1"]
    assert "no object" in shown.view["builds"][1]["status"]


def test_the_job_by_which_a_build_failed_is_a_link(project, write, see):
    good, bad = project.job("make"), project.job("step", failure=Failure("no luck", "synthesis", None, ""))
    name = write(("a", good, "built"), status=f"job '{bad.label}' of {good.label} failed: no luck")
    assert f'href="/job/{bad.label}"' in see(builds.build, {"name": name}).html
