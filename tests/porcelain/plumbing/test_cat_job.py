"""`acc cat-job`: a job as JSON, equal wherever the same work was done."""

import json

from cas.oid import oid_of
from jobs.nodes.run import Failure

BROKEN = Failure("ValueError: no", "analysis", 1, "Traceback ...")


def test_cat_job_is_equal_for_equal_work(acc, project):
    project.job("make", files={"a": b"a"}, caption="one")
    project.job("make", files={"a": b"a"}, caption="two", why="forced")
    (code, first, _), (_, second, _) = acc("cat-job", "dev-1"), acc("cat-job", "dev-2")
    assert (code, first) == (0, second)
    job = json.loads(first)
    assert job["files"] == {"a": {"blob": oid_of(b"a"), "size": 1}}
    assert job["source_files"] == {"mine/a_make.py": oid_of(b"# make\n")}
    assert "run" not in job
    assert json.loads(acc("cat-job", "--run", "dev-2")[1])["run"]["caption"] == "two"


def test_a_failed_job_has_a_run_only(acc, project):
    row = project.job("make", failure=BROKEN)
    for command in (("cat-job", "dev-1"), ("rev-parse", "dev-1"), ("rev-parse", "--outcome", "dev-1")):
        code, out, err = acc(*command)
        assert (code, out) == (1, "")
        assert err == "acc: job 'dev-1' failed, so it has a run only\nhint: ask with --run\n"
    assert json.loads(acc("cat-job", "--run", "dev-1")[1])["run"]["id"] == row.run
    assert acc("rev-parse", "--run", "dev-1")[1] == row.run + "\n"
