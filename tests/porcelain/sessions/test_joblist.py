"""Lists of jobs with the names that they have in a build."""

import pickle

import pytest

from jobs.job import Job
from porcelain.sessions.joblist import JobList


@pytest.fixture
def jobs(project) -> JobList:
    found = [Job.of(project.job(method)) for method in ("make", "use", "make")]
    return JobList([("first", found[0]), found[1], ("make", found[2])])


def test_a_job_is_found_by_index_slice_and_name(jobs):
    assert (jobs[0], jobs[-1], jobs["first"], jobs["use"], jobs["make"]) == (
        "dev-1",
        "dev-3",
        "dev-1",
        "dev-2",
        "dev-3",
    )
    assert isinstance(jobs[1:], JobList)
    assert jobs[1:].as_tuples == [("use", "dev-2"), ("make", "dev-3")]


def test_the_last_one_of_a_name_is_meant_and_find_gives_all(jobs):
    jobs.append(jobs["first"])
    assert jobs.find("first").as_tuples == [("first", "dev-1"), ("first", "dev-1")]
    assert isinstance(jobs.find("nobody"), JobList)


def test_what_is_not_there_is_an_index_error_or_the_default(jobs):
    for item in ("nobody", 9):
        assert jobs.get(item) is None
        assert jobs.get(item, 5) == 5
        with pytest.raises(IndexError):
            jobs[item]


def test_names_stay_when_lists_are_added_and_sorted(jobs):
    more = jobs[:1] + jobs[1:2]
    assert isinstance(more, JobList)
    more.reverse()
    assert more.as_tuples == [("use", "dev-2"), ("first", "dev-1")]


def test_pretty_has_a_line_for_each_job(jobs):
    assert jobs.pretty == "JobList(\n   [0]  first  dev-1\n   [1]  use    dev-2\n   [2]  make   dev-3\n)"
    assert JobList().pretty == "JobList([])"


def test_each_job_counts_once_in_the_times(jobs, capsys):
    jobs.append(jobs["first"])
    total, by_name = jobs.exectime
    assert (total, by_name) == (4.5, {"make": 1.5, "use": 1.5, "first": 1.5})
    jobs[:2].print_exectimes()
    assert capsys.readouterr().out.splitlines() == [
        "Time per method:",
        "   first  1.500  (50%)",
        "   use    1.500  (50%)",
        "Total time 3.000",
    ]
    jobs.print_exectimes(verbose=False)
    assert capsys.readouterr().out == "Total time 4.500\n"


def test_a_listed_job_is_saved_as_the_job_that_it_is(jobs):
    assert type(pickle.loads(pickle.dumps(jobs[0]))) is Job
