"""Two jobs side by side in the board."""

import pytest

from jobs.comparison.outcomes import UNFINISHED
from jobs.errors import NoSuchJob
from jobs.nodes.run import Failure
from porcelain.board.page import Asked
from porcelain.board.pages import compare
from porcelain.views import sidebyside

HOSTILE = "<script>alert(1)</script>"


def test_without_two_jobs_there_is_a_form(project, see):
    assert '<input name="a"' in see(compare.compare).html
    row = project.job("make")
    other = project.job("make", caption=HOSTILE)
    shown = see(compare.compare, a=row.label)
    assert [each["label"] for each in shown.view["neighbours"]] == [other.label, row.label]
    assert HOSTILE not in shown.html
    assert f"/compare?a={row.label}&amp;b={other.label}" in shown.html


def test_json_is_what_acc_diff_says(project, shown_project):
    old, new = (project.job("make", options={"n": n}, files={"a.txt": b"%d\n" % n}) for n in (1, 2))
    asked = Asked("/compare", {}, {"a": old.label, "b": new.label}, wants_json=True)
    said = sidebyside.jobs(project.resolver, old, new)
    assert compare.compare(shown_project, asked).view.items() >= said.items()


def test_what_jobs_were_given_is_there_at_once_and_what_came_of_them_is_fetched(project, see):
    old, new = (
        project.job(
            "make",
            options={"n": word},
            files={"a.txt": word.encode() + b"\n", "p.png": word.encode()},
            output={"synthesis": word.encode() + b"\n"},
        )
        for word in (HOSTILE, "harmless")
    )
    shown = see(compare.compare, a=old.label, b=new.label)
    assert "<ins>&#39;harmless&#39;</ins>" in shown.html
    assert f'data-load="/compare/outcomes?a={old.label}&amp;b={new.label}"' in shown.html
    came = see(compare.outcomes, a=old.label, b=new.label)
    assert [each["name"] for each in came.view["came_out"]] == ["a.txt", "p.png"]
    assert '<span class="come">+harmless</span>' in came.html
    assert f'src="/raw/{new.label}/p.png"' in came.html
    assert HOSTILE not in shown.html + came.html


def test_columns_that_differ_are_named_with_their_first_row(project, see):
    old, new = (project.table({"n": ("int64", ([1, 2], [3, last]))}) for last in (4, 5))
    shown = see(compare.outcomes, a=old.label, b=new.label)
    found = shown.view["came_out"][0]["differences"]
    assert ("n", 1, 1) in [(each["column"], each["slice"], each["row"]) for each in found]
    assert '<td class="number">1</td>' in shown.html


def test_files_and_datasets_can_be_compared_by_themselves(project, see):
    old, new = (project.job("make", files={"a.txt": text}) for text in (b"one\n", b"two\n"))
    shown = see(compare.outcomes, a=f"{old.label}:a.txt", b=f"{new.label}:a.txt")
    assert '<span class="gone">-one</span>' in shown.html
    assert "What differs" in see(compare.compare, a=f"{old.label}:a.txt", b=f"{new.label}:a.txt").html


def test_a_failed_job_is_compared_by_what_is_known_of_it(project, see):
    good = project.job("make")
    bad = project.job("make", failure=Failure(HOSTILE, "synthesis", None, ""))
    shown = see(compare.compare, a=good.label, b=bad.label)
    assert f"{bad.label} failed: &lt;script&gt;" in shown.html
    assert see(compare.outcomes, a=good.label, b=bad.label).view["came_out"] == []


def test_long_differences_are_cut(project, see):
    old, new = (
        project.job("make", files={"a.txt": b"".join(b"%d\n" % (n + add) for n in range(5000))})
        for add in (0, 100_000)
    )
    assert "lines more" in see(compare.outcomes, a=old.label, b=new.label).html


def test_who_names_no_job_is_told(project, see):
    row = project.job("make")
    with pytest.raises(NoSuchJob):
        see(compare.compare, a=row.label, b="dev-77")


def test_what_takes_too_long_is_left_to_the_command_which_is_said(project, see, monkeypatch):
    old, new = (
        project.job(
            "make", files={"a.txt": text, "p.json": b'["%s"]' % text}, output={"synthesis": text * 20_000}
        )
        for text in (b"one\n", b"two\n")
    )
    assert "many to look through" in see(compare.compare, a=old.label, b=new.label).html
    monkeypatch.setattr(compare, "_PATIENCE_SECONDS", 0)
    shown = see(compare.outcomes, a=old.label, b=new.label)
    assert "<code>acc diff dev-1 dev-2</code>" in shown.html
    assert {each["what"] for each in shown.view["came_out"]} == {UNFINISHED}
