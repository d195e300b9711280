"""One parser of names: every form finds what it names, and what names nothing says so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cas.errors import AccError, AmbiguousId, ObjectNotFound
from cas.formats.node import put_node
from cas.oid import oid_of
from jobs.dataset.head import DatasetRef
from jobs.errors import NoSuchDataset, NoSuchFile, NoSuchJob
from jobs.nodes.build import Build, BuiltJob
from jobs.nodes.run import Failure
from jobs.nodes.session import ListedRun, Session
from porcelain.buildlog import BuildLog
from porcelain.objects import SpecError
from porcelain.sessions.urdlog import UrdLog
from porcelain.sessions.urdpath import UrdPath
from porcelain.specgrammar import parse
from tests.porcelain.conftest import Project, twins

BROKEN = Failure("ValueError: no", "analysis", 1, "Traceback ...")


@pytest.mark.parametrize(
    ("text", "base", "steps", "file", "dataset"),
    [
        ("dev-12", "dev-12", "", None, None),
        ("my-dev-12", "my-dev-12", "", None, None),
        ("dev-LATEST", "dev-LATEST", "", None, None),
        ("csvimport", "csvimport", "", None, None),
        ("dev-12~", "dev-12", "~1", None, None),
        ("dev-12~2^", "dev-12", "~2^1", None, None),
        ("dev-12^^", "dev-12", "^1^1", None, None),
        ("dev-12.source", "dev-12", ".source", None, None),
        ("dev-12.datasets.source.0~3", "dev-12", ".datasets.source.0~3", None, None),
        ("dev-12:plot.png", "dev-12", "", "plot.png", None),
        ("dev-12:a/b:c~2", "dev-12", "", "a/b:c~2", None),
        ("dev-12~2.source:plot.png", "dev-12", "~2.source", "plot.png", None),
        ("dev-12/movies", "dev-12", "", None, "movies"),
        ("dev-12/odd name.x", "dev-12", "", None, "odd name.x"),
        ("dev-12/", "dev-12", "", None, "default"),
    ],
)
def test_a_spec_has_parts(text, base, steps, file, dataset):
    spec = parse(text)
    shown = "".join(step.sign + (step.path or str(step.times)) for step in spec.steps)
    assert (spec.base, shown, spec.file, spec.dataset) == (base, steps, file, dataset)


@pytest.mark.parametrize(
    "text", ["", "~2", "dev-1:", ":", ":^", "a b", "dev-1..x", "@", "dev-12@", "dev-12@~"]
)
def test_a_text_that_can_name_nothing_is_refused(text):
    with pytest.raises(SpecError):
        parse(text)


@given(st.text())
def test_no_text_breaks_the_parser(text):
    try:
        spec = parse(text)
    except SpecError:
        return
    assert text.removeprefix("@").startswith(spec.base)


def test_a_label_a_method_and_ids_name_a_job(project):
    first = project.job("csvimport", files={"result.pickle": b"x"})
    newest = project.job("csvimport", options={"filename": "b"})
    find = project.resolver.job
    assert find("dev-1") == first
    assert find("dev-LATEST") == newest
    assert find("csvimport") == newest
    assert find(first.job[:8]) == first
    assert find("@" + first.job[:8]) == first
    assert find(first.run) == first


def test_a_label_goes_before_a_method_and_a_method_before_an_id(project):
    project.job("first")
    named_like_an_id = project.resolver.resolve("dev-1").row.job[:6]
    # an id that begins with a digit can be no method's name, so look for one that can
    if named_like_an_id[0].isdigit():
        named_like_an_id = "abcd"
    job = project.job(named_like_an_id)
    assert project.resolver.job(named_like_an_id) == job


def test_steps_lead_from_job_to_job(project):
    one = project.job("step", options={"n": 1})
    two = project.job("step", options={"n": 2}, jobs={"previous": one})
    project.job("other", options={"n": 0})
    three = project.job("step", options={"n": 3}, jobs={"previous": two})
    user = project.job("use", jobs={"base": three, "b": one})
    find = project.resolver.job
    assert find("step~") == two
    assert find("step~2") == one
    assert find("step~0") == three
    assert find("dev-4^") == two
    assert find("dev-4^2") == find("dev-4^^") == one
    assert find("use.base") == find("use.jobs.base") == three
    assert find("use.base^.previous") == one
    assert find("dev-5.b") == one
    assert find("dev-5") == user


def test_a_step_that_leads_nowhere_says_why(project):
    project.job("step")
    for text, part in [
        ("dev-1~", "no job 'dev-1~1'"),
        ("dev-1^", "has no previous"),
        ("dev-1.source", "has no input 'source'"),
    ]:
        with pytest.raises(NoSuchJob, match=part):
            project.resolver.job(text)


def test_the_previous_of_a_job_may_be_that_of_its_dataset(project):
    one = project.job("grow", made={"default": project.dataset()})
    project.job("grow", datasets={"previous": (one, "default")}, options={"n": 2})
    assert project.resolver.job("grow^") == one


def test_files_and_datasets_of_a_job(project):
    head = project.dataset()
    row = project.job("make", files={"a/plot.png": b"png"}, made={"default": head, "movies": head})
    resolve = project.resolver.resolve
    file = resolve("make:a/plot.png")
    assert (file.kind, file.oid, file.row, file.name) == ("file", oid_of(b"png"), row, "a/plot.png")
    movies = resolve("dev-1/movies")
    assert (movies.kind, movies.row, movies.name) == ("dataset", row, "movies")
    assert project.resolver.dataset("make").name == "default"
    with pytest.raises(NoSuchFile) as caught:
        resolve("make:plot.png")
    assert "a/plot.png" in caught.value.hint
    with pytest.raises(NoSuchDataset):
        resolve("make/film")
    with pytest.raises(NoSuchDataset):
        project.resolver.dataset("make:a/plot.png")


def test_steps_lead_from_dataset_to_dataset(project):
    oldest = project.job("make", made={"default": project.dataset(caption="oldest")})
    older = project.job("make", made={"films": project.dataset(previous=_ref(project, oldest, "default"))})
    parents = (_ref(project, oldest, "default"), _ref(project, older, "films"))
    newest = project.dataset(previous=_ref(project, older, "films"), parents=parents)
    project.job("make", made={"default": newest, "odd~2": project.dataset(caption="odd")})
    find = project.resolver.dataset
    for text, row, name in [
        ("make/~", older, "films"),
        ("make/default~", older, "films"),
        ("make/default~2", oldest, "default"),
        ("dev-2/films~1", oldest, "default"),
        ("make/^", oldest, "default"),
        ("make~/films~", oldest, "default"),
    ]:
        target = find(text)
        assert (target.kind, target.row, target.name) == ("dataset", row, name)
    assert find("make/odd~2").name == "odd~2"
    for text, part in [
        ("make/default~3", "no dataset 'dev-3/default~3': one on the way has no previous"),
        ("dev-2/films^", "one on the way has no parent"),
        ("make/film~", "job 'dev-3' has no dataset 'film~'"),
    ]:
        with pytest.raises(NoSuchDataset, match=part):
            find(text)


def _ref(project, row, name):
    return DatasetRef(project.resolver.outcome(row).datasets[name], name)


def test_an_input_stands_for_the_dataset_that_was_given(project):
    made = project.job(
        "make", made={"default": project.dataset(), "movies": project.dataset(caption="films")}
    )
    project.job("use", datasets={"source": (made, "movies")})
    target = project.resolver.dataset("use.source")
    assert (target.row, target.name) == (made, "movies")
    assert project.resolver.dataset("use.datasets.source").name == "movies"


def test_a_dataset_has_an_id_too(project):
    row = project.job("make", made={"movies": project.dataset()})
    node = project.resolver.outcome(row).datasets["movies"]
    target = project.resolver.resolve(node[:10])
    assert (target.kind, target.row, target.name) == ("dataset", row, "movies")


def test_a_failed_job_has_a_label_and_nothing_else(project):
    row = project.job("make", failure=BROKEN)
    target = project.resolver.resolve("dev-1")
    assert (target.row, target.oid) == (row, None)
    with pytest.raises(NoSuchJob, match="'dev-1' failed"):
        project.resolver.resolve("dev-1:result.pickle")
    with pytest.raises(NoSuchJob):
        project.resolver.job("make")


def test_a_build_has_a_number(project):
    log = BuildLog(project.store, project.index.refs)
    assert log.write(Build("build", "done", 1, 2)) == 1
    target = project.resolver.resolve("build-1")
    assert (target.kind, target.name) == ("build", "build-1")
    with pytest.raises(NoSuchJob):
        project.resolver.resolve("build-2")


def test_any_object_has_an_id(project):
    oid = project.store.put(b"some bytes")
    assert project.resolver.resolve(oid[:12]).kind == "object"
    assert project.resolver.resolve(oid).oid == oid
    node = put_node(project.store, Build("x", "done", 1, 2))
    assert project.resolver.envelope(node).kind == "build"
    assert project.resolver.envelope(oid) is None


def test_a_method_whose_jobs_all_failed_says_so(project):
    project.job("make", failure=Failure("no", "analysis", 0, ""))
    with pytest.raises(NoSuchJob) as caught:
        project.resolver.job("make")
    assert caught.value.hint == "every job of this method failed; the newest is 'dev-1'"


def test_what_names_nothing_says_what_there_is(project):
    with pytest.raises(NoSuchJob) as caught:
        project.resolver.resolve("dev-99")
    assert caught.value.hint == "nothing was built here yet"
    project.job("make")
    for text, hint in [
        ("dev-99", "the newest is 'dev-1'"),
        ("prod-1", "dev, old"),
        ("makes", "did you mean 'make'?"),
        ("other", "the newest is 'dev-1'"),
    ]:
        with pytest.raises(NoSuchJob) as caught:
            project.resolver.resolve(text)
        assert str(caught.value) == f"no job '{text}'"
        assert hint in caught.value.hint
    with pytest.raises(ObjectNotFound):
        project.resolver.resolve("@abcdef")
    with pytest.raises(NoSuchJob):
        project.resolver.job("build-1")


def test_an_ambiguous_id_names_candidates(project):
    oids = sorted(project.store.put_many(twins()))
    with pytest.raises(AmbiguousId) as caught:
        project.resolver.resolve("@" + oids[0][:4])
    assert caught.value.candidates == tuple(f"{oid[:12]} (blob)" for oid in oids)


def test_a_path_into_a_job_directory_names_the_job(project):
    row = project.job("make", files={"a/plot.png": b"png"})
    folder = project.root / ".acc/jobs/dev-1"
    link = project.root / "results" / "p.png"
    link.parent.mkdir()
    link.symlink_to("../.acc/jobs/dev-1/a/plot.png")
    assert project.resolver.job(str(folder)) == row
    assert project.resolver.job(".acc/jobs/dev-1") == row
    assert project.resolver.resolve("./results/p.png").oid == oid_of(b"png")
    with pytest.raises(NoSuchJob):
        project.resolver.job("/etc/passwd")


def test_find_job_takes_what_names_no_job_as_none(project):
    assert project.resolver.find_job("dev-1") is None
    assert project.resolver.find_job("no spec at all!") is None
    assert project.resolver.find_job("abcdef") is None
    row = project.job("make")
    assert project.resolver.find_job("make") == row


def test_the_chain_of_a_dataset_is_found(project):
    one = project.job("grow", made={"default": project.dataset()})
    first = DatasetRef(project.resolver.outcome(one).datasets["default"], "default")
    two = project.job("grow", made={"default": project.dataset(first)})
    assert project.resolver.dataset("grow").row == two


def test_every_refusal_is_an_error_of_ours(project):
    for text in ["", "x", "dev-1", "@zz", "a:b", "a/b", "a~1", "build-1", "/x", "0000"]:
        with pytest.raises(AccError):
            project.resolver.resolve(text)


@pytest.fixture
def sessions(project_of_sessions, monkeypatch):
    """A project with jobs in sessions and in a build, whose user is anna."""
    monkeypatch.setenv("USER", "anna")
    monkeypatch.delenv("URD_AUTH", raising=False)
    return project_of_sessions


@pytest.fixture(scope="module")
def project_of_sessions(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("sessions"))
    raw = project.job("raw")
    rows = [project.job("parse", files={"a.txt": b"a"}, jobs={"source": raw}) for _ in range(3)]
    log = UrdLog(project.store, project.index.refs)
    for row, timestamp in zip(rows, ("2019-11", "2019-12-09T12:19:04", "2020-01+3"), strict=True):
        jobs = [ListedRun("raw", raw.run), ListedRun("par se", row.run)]
        session = Session("anna", "im.port", timestamp, jobs, 1)
        log.add(session, lambda: "", seen=log.listed(UrdPath("anna", "im.port")), update=False)
    jobs = [
        BuiltJob(name, row.run, "reused")
        for name, row in (("one", rows[0]), ("two", rows[1]), ("one", rows[2]))
    ]
    BuildLog(project.store, project.index.refs).write(Build("main", "done", 1, 2, jobs))
    return project


@pytest.mark.parametrize(
    ("spec", "label"),
    [
        (":im.port:", "dev-4"),
        (":im.port", "dev-4"),
        (":anna/im.port:", "dev-4"),
        (":anna/im.port/latest:", "dev-4"),
        (":im.port:raw", "dev-1"),
        (":im.port:0", "dev-1"),
        (":im.port:-2", "dev-1"),
        (":im.port/first:par se", "dev-2"),
        (":im.port/2019-11:", "dev-2"),
        (":im.port/2019-12-09T12:19:04:", "dev-3"),
        (":im.port/2019-12-09T12:19:04", "dev-3"),
        (":im.port/2019-12-09T12:19:04:raw", "dev-1"),
        (":im.port/<=2019-12:", "dev-3"),
        (":im.port/>2019-11:", "dev-3"),
        (":im.port/2020-01+3:", "dev-4"),
        (":im.port^:", "dev-3"),
        (":im.port^2:", "dev-2"),
        (":im.port^^:", "dev-2"),
        (":im.port/first~:", "dev-3"),
        (":im.port/first~2^:raw", "dev-1"),
        (":im.port:.source", "dev-1"),
        (":im.port:par se~2", "dev-2"),
        ("build-1:one", "dev-4"),
        ("build-1:0", "dev-2"),
        ("build-LATEST:one", "dev-4"),
        ("build-1:two.source", "dev-1"),
        ("build-1:two:a.txt", "dev-3"),
        (":im.port^:par se:a.txt", "dev-3"),
    ],
)
def test_a_job_of_a_session_or_build_is_named(sessions, spec, label):
    assert sessions.resolver.job(spec).label == label
    assert (sessions.resolver.resolve(spec).kind == "file") == spec.endswith("a.txt")


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        (":nolist:", "no urd session 'nolist'"),
        (":im.port/2018-01:", "no urd session 'im.port/2018-01'"),
        (":im.port^3:", "no urd session 'im.port^3'"),
        (":im.port~:", "no urd session 'im.port~'"),
        (":im.port:nobody", "urd session 'anna/im.port/2020-01+3' has no job 'nobody'"),
        (":im.port:7", "urd session 'anna/im.port/2020-01+3' has no job '7'"),
        ("build-1:nobody", "build 'build-1' has no job 'nobody'"),
        ("build-9:one", "no build 'build-9'"),
    ],
)
def test_a_job_that_is_in_no_session_and_build_is_said_so(sessions, spec, message):
    with pytest.raises(NoSuchJob) as caught:
        sessions.resolver.job(spec)
    assert str(caught.value) == message


@pytest.mark.parametrize("spec", [":", "::", ":/", ":a/b/c/d:", "build-1:"])
def test_what_can_name_no_session_is_refused(sessions, spec):
    with pytest.raises(AccError):
        sessions.resolver.job(spec)
