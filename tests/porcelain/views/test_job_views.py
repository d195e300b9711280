"""Jobs, logs and datasets as plain dicts."""

import datetime
import json

import pytest

from cas.oid import oid_of
from jobs.dataset.head import DatasetRef
from jobs.nodes.build import Build, BuiltJob
from jobs.nodes.run import Failure
from porcelain.buildlog import BuildLog, BuildRecord
from porcelain.views import build_views, dataset_views, job_views


def test_a_job_is_shown_with_all_that_it_is_made_of(project):
    made = project.job("make", files={"plot.png": b"png"}, made={"movies": project.dataset()})
    helper = project.job("help")
    row = project.job(
        "use",
        options={"n": 3, "day": datetime.date(2026, 3, 2), "some": {"b", "a"}, "x": float("inf")},
        jobs={"before": made},
        datasets={"source": (made, "movies")},
        files={"b.txt": b"bb", "a.txt": b"a"},
        made={"default": project.dataset()},
        output={"synthesis": b"end\n", "10": b"ten", "2": b"two", "prepare": b"begin\n"},
        subjobs=[helper],
        caption="the third",
    )
    view = job_views.job(project.resolver, row)
    assert json.loads(json.dumps(view, allow_nan=False)) == view
    assert view["options"] == {"n": 3, "day": "2026-03-02", "some": ["a", "b"], "x": "inf"}
    assert [(entry["path"], entry["spec"], entry["method"]) for entry in view["inputs"]] == [
        ("datasets.source", "dev-1/movies", "make"),
        ("jobs.before", "dev-1", "make"),
    ]
    assert [(entry["name"], entry["size"]) for entry in view["files"]] == [("a.txt", 1), ("b.txt", 2)]
    assert [(entry["name"], entry["columns"], entry["lines"]) for entry in view["datasets"]] == [
        ("default", 2, 5)
    ]
    assert view["output"] == ["prepare", "2", "10", "synthesis"]
    assert view["subjobs"] == [{"job": "dev-2", "method": "help", "built": True}]
    assert (view["label"], view["caption"], view["seconds"], view["slices"]) == (
        "dev-3",
        "the third",
        1.5,
        [0.9, 1.0],
    )
    assert view["path"] == str(project.root / ".acc/jobs/dev-3")
    assert view["failure"] is None
    assert "".join(job_views.output(project.resolver, row).values()) == "begin\ntwotenend\n"
    assert job_views.source(project.resolver, row) == {"mine/a_use.py": "# use\n"}


def test_a_file_among_the_options_is_shown_as_its_spec(project):
    made = project.job("make", files={"a.txt": b"a"})
    blob = project.resolver.resolve("make:a.txt").oid
    reference = {"$withfile": {"name": "a.txt", "blobs": [blob], "sliced": False, "extra": None}}
    row = project.job("use", option_references={"thefile": reference})
    view = job_views.job(project.resolver, row)
    assert view["options"] == {"thefile": "dev-1:a.txt"}
    assert view["inputs"] == [
        {
            "path": "options.thefile",
            "kind": "withfile",
            "spec": "dev-1:a.txt",
            "job": made.label,
            "method": "make",
        }
    ]


def test_a_failed_job_is_shown_with_its_failure_and_what_setup_json_says(project):
    made = project.job("make")
    failure = Failure("ValueError: no", "analysis", 1, "Traceback ...")
    row = project.job("use", jobs={"before": made}, failure=failure)
    assert job_views.job(project.resolver, row)["options"] == {}
    folder = project.root / ".acc/jobs/dev-2"
    folder.mkdir(parents=True)
    (folder / "setup.json").write_text('{"options": {"n": 3}}')
    view = job_views.job(project.resolver, row)
    assert (view["state"], view["job"], view["options"], view["files"]) == ("failed", None, {"n": 3}, [])
    assert view["failure"] == failure.to_json()
    assert [entry["spec"] for entry in view["inputs"]] == ["dev-1"]


def test_a_sound_job_has_no_problems(project):
    row = project.job("make", files={"a.txt": b"a"}, made={"default": project.dataset()})
    assert job_views.remains(project.resolver, row) == job_views.job(project.resolver, row) | {"problems": []}


def test_of_a_job_with_a_missing_node_the_rest_is_shown(project):
    made = project.job("make")
    row = project.job(
        "use", jobs={"before": made}, files={"a.txt": b"a"}, made={"default": project.dataset()}
    )
    whole = job_views.job(project.resolver, row)
    head = project.resolver.outcome(row).datasets["default"]
    project.store.delete(head)
    view = job_views.remains(project.resolver, row)
    assert view.pop("problems") == [f"no object '{head}' in '{project.store.name}'"]
    assert view == whole | {"datasets": []}
    project.store.delete(row.run)
    view = job_views.remains(project.resolver, row)
    assert len(view["problems"]) == 2
    assert (view["files"], view["label"], view["host"]) == (whole["files"], row.label, "")
    assert view.keys() - {"problems"} == whole.keys()


def test_a_log_is_newest_first_and_a_chain_oldest_first(project):
    one = project.job("step", options={"n": 1})
    two = project.job("step", options={"n": 2}, jobs={"previous": one})
    project.job("other")
    three = project.job("step", options={"n": 3}, jobs={"previous": two})
    labels = [view["label"] for view in job_views.log(project.resolver, project.index.rows())]
    assert labels == ["dev-4", "dev-3", "dev-2", "dev-1"]
    assert job_views.chain(project.resolver, three) == [one, two, three]
    assert job_views.chain(project.resolver, three, length=2) == [two, three]
    assert job_views.ancestry(project.resolver, three) == [three, two, one]


def test_a_dataset_is_shown_with_its_columns_and_chain(project):
    one = project.job("grow", made={"default": project.dataset(filename="jan.csv", hashlabel="year")})
    first = DatasetRef(project.resolver.outcome(one).datasets["default"], "default")
    project.job("grow", made={"default": project.dataset(first)})
    view = dataset_views.dataset(project.resolver, project.resolver.dataset("grow"))
    assert json.loads(json.dumps(view)) == view
    assert (view["dataset"], view["lines"], view["slices"], view["chain"]) == ("dev-2/default", 5, [3, 2], 2)
    assert view["previous"] == "dev-1/default"
    assert view["columns"][0] == {
        "name": "year",
        "type": "int32",
        "none_support": False,
        "min": 2013,
        "max": 2014,
        "raw_bytes": 16,
        "stored_bytes": project.store.sizes_of(oid_of(b"no slice")).stored_bytes,
    }
    chain = dataset_views.dataset_chain(project.resolver, project.resolver.dataset("grow"))
    assert [(link["dataset"], link["filename"]) for link in chain] == [
        ("dev-1/default", "jan.csv"),
        ("dev-2/default", None),
    ]


def test_a_build_is_shown_with_what_it_got(project):
    row = project.job("make")
    record = BuildRecord("build")
    record.add(BuiltJob("make", row.run, "built", row.run, "make", "a try"))
    record.add(BuiltJob("again", row.run, "reused", method="make", origin="team"))
    log = BuildLog(project.store, project.index.refs)
    assert log.write(record.to_node("done", {})) == 1
    target = project.resolver.resolve("build-1")
    view = build_views.build(project.resolver, target.name, target.oid)
    assert (view["build"], view["script"], view["status"]) == ("build-1", "build", "done")
    assert view["jobs"] == [
        {
            "name": "make",
            "job": "dev-1",
            "how": "built",
            "method": "make",
            "caption": "a try",
            "ran": "dev-1",
            "origin": None,
        },
        {
            "name": "again",
            "job": "dev-1",
            "how": "reused",
            "method": "make",
            "caption": "",
            "ran": None,
            "origin": "team",
        },
    ]


def test_builds_are_numbered_and_listed_newest_first(project):
    log = BuildLog(project.store, project.index.refs)
    builds = [Build(f"s{number}", "done", number, number, results={}) for number in range(12)]
    assert [log.write(build) for build in builds] == list(range(1, 13))
    assert log.get(10) == builds[9]
    assert log.newest(2) == [(12, builds[11]), (11, builds[10])]
    with pytest.raises(LookupError):
        log.get(13)


def test_workdirs_say_where_new_jobs_go(project):
    project.job("make")
    listed = {view["name"]: view for view in job_views.workdirs(project.resolver)}
    assert (listed["dev"]["target"], listed["dev"]["jobs"], listed["dev"]["newest"]) == (True, 1, "dev-1")
    assert (listed["old"]["target"], listed["old"]["jobs"], listed["old"]["newest"]) == (False, 0, None)


def test_a_build_record_holds_jobs_in_order(project):
    row = project.job("make")
    record = BuildRecord("walk", start=5)
    record.add(BuiltJob("one", row.run, "built", row.run))
    record.add(BuiltJob("two", row.run, "reused"))
    node = record.to_node("done", {"x": row.run})
    assert node.jobs == (BuiltJob("one", row.run, "built", row.run), BuiltJob("two", row.run, "reused"))
    assert (node.script, node.start, dict(node.results)) == ("walk", 5, {"x": row.run})
    assert node.end > node.start


def test_a_build_record_keeps_the_order_of_asking(project):
    row = project.job("make")
    record = BuildRecord("walk")
    places = [record.ask() for _ in range(3)]
    record.add(BuiltJob("last", row.run, "reused"), places[2])
    record.add(BuiltJob("first", row.run, "reused"), places[0])
    assert [entry.name for entry in record.to_node("done", {}).jobs] == ["first", "last"]
