"""What is found, in which order, and why."""

from porcelain.board.catalogue.search import MOST_COUNTED
from tests.porcelain.board.filled import fill


def found(shown, text, start=0, limit=100):
    jobs = shown.catalogue.search(text).jobs(start, limit)
    return [(f"{job.workdir}-{job.number}", [(fit.kind, fit.text) for fit in job.fits]) for job in jobs]


def test_a_job_is_found_by_all_that_it_is_made_of(project, shown):
    project.job(
        "train",
        caption="the weekly model",
        options={"region": "north", "depth": {"trees": 7}},
        files={"report.txt": b""},
        made={"scored": project.dataset(filename="sales.csv")},
    )
    fill(shown)
    assert found(shown, "train") == [("dev-1", [("method", "train")])]
    assert found(shown, "weekly") == [("dev-1", [("caption", "the weekly model")])]
    assert found(shown, "north") == [("dev-1", [("option", "region=north")])]
    assert found(shown, "trees 7") == [("dev-1", [("option", 'depth={"trees": 7}')])]
    assert found(shown, "report") == [("dev-1", [("file", "report.txt")])]
    assert found(shown, "scor") == [("dev-1", [("dataset", "scored")])]
    assert found(shown, "sales") == [("dev-1", [("dataset", "sales.csv")])]
    assert found(shown, "year") == [("dev-1", [("column", "year")])]
    assert found(shown, "year nowhere") == []


def test_a_column_says_of_which_dataset_it_is(project, shown):
    project.job("two", made={"default": project.dataset(), "other": project.dataset(caption="x")})
    fill(shown)
    (job,) = shown.catalogue.search("year").jobs(0, 10)
    assert sorted(fit.dataset for fit in job.fits) == ["default", "other"]


def test_names_come_before_captions_before_the_rest_and_new_before_old(project, shown):
    project.job("delays")
    project.job("a", options={"x": "delays"})
    project.job("b", caption="delays here")
    project.job("c", files={"delays.png": b""})
    project.job("plot_delays", caption="delays", options={"delays": "delays"})
    fill(shown)
    labels = [label for label, _ in found(shown, "delays")]
    assert labels == ["dev-5", "dev-1", "dev-3", "dev-4", "dev-2"]
    # pages of it are parts of the same
    assert [found(shown, "delays", start, 1)[0][0] for start in range(5)] == labels
    assert shown.catalogue.search("delays").count() == 5


def test_a_long_text_is_shown_where_it_fits(project, shown):
    project.job("long", options={"text": "a" * 5_000 + " needle " + "b" * 5_000})
    fill(shown)
    (job,) = shown.catalogue.search("needle").jobs(0, 1)
    (fit,) = job.fits
    assert [part.text for part in fit.parts if part.found] == ["needle"]
    assert len("".join(part.text for part in fit.parts)) == 160


def test_words_may_be_in_different_fields(project, shown):
    project.job("plot", caption="of delays", files={"a.png": b""})
    fill(shown)
    assert [label for label, _ in found(shown, "plot delays png")] == ["dev-1"]


def test_failures_are_found_by_what_they_said(project, shown):
    from jobs.nodes.run import Failure

    project.job("bad", failure=Failure("no such region: 'atlantis'", "synthesis", None, ""))
    fill(shown)
    assert found(shown, "atlantis") == [("dev-1", [("failure", "no such region: 'atlantis'")])]


def test_results_are_found_by_name_and_words(project, shown, acc):
    project.job("plot", files={"sales.png": b""})
    acc("link", "dev-1:sales.png", "quarter.png")
    fill(shown)
    search = shown.catalogue.search("quar")
    assert [thing.called for thing in search.things("result", 10)[0]] == ["quarter.png"]
    assert shown.catalogue.search("sales").things("result", 10)[1] == 1
    assert search.things("build", 10) == ([], 0)


def test_what_is_written_into_jobs_breaks_no_search(project, shown):
    hostile = 'a\x02b\x00c\n"NEAR(" <script>' + "é" * 50_000
    project.job("odd", caption=hostile[:5_000], options={hostile[:200]: [hostile, {"x": None}]})
    fill(shown)
    assert [label for label, _ in found(shown, "script")] == ["dev-1"]


def test_more_than_anybody_reads_is_not_counted(many_jobs):
    page = many_jobs.json("/search?q=week")
    assert page["total"] <= 4 * MOST_COUNTED
    assert page["jobs"][0]["found"]
