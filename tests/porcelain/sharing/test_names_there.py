"""Names of what a remote has, in every command that takes a name; what it has, listed."""

import pytest

from cas.remote.transaction import Change
from porcelain.storage import open_remote
from tests.porcelain.sharing.conftest import Member


@pytest.fixture
def pair(member) -> tuple[Member, Member]:
    """Two members; the first has pushed three jobs, the second has one of its own."""
    ann, bo = member("ann"), member("bo")
    first = ann.job("csvimport", files={"a.txt": b"1"}, made={"default": ann.dataset()})
    ann.job("plot", jobs={"source": first}, files={"plot.png": b"png"})
    ann.job("csvimport", files={"a.txt": b"2"})
    ann.does("push")
    bo.job("mine", files={"a.txt": b"of bo"})
    return ann, bo


@pytest.mark.parametrize(
    ("spec", "label"),
    [
        ("dev-1@origin", "dev-1"),
        ("dev-LATEST@origin", "dev-3"),
        ("csvimport@origin", "dev-3"),
        ("csvimport@origin~", "dev-1"),
        ("dev-2@origin.source", "dev-1"),
        ("dev-1@origin/default", "dev-1"),
        ("plot@origin:plot.png", "dev-2"),
    ],
)
def test_every_form_of_a_name_finds_what_the_remote_calls_so(pair, spec, label):
    ann, bo = pair
    assert bo.does("rev-parse", "--run", spec) == ann.does("rev-parse", "--run", label)
    assert bo.does("rev-parse", "--label", spec) == f"{label}@origin\n"


def test_a_job_there_is_not_taken_for_the_one_here_with_its_number(pair):
    ann, bo = pair
    assert bo.does("show", "dev-1:a.txt") == "of bo"
    assert bo.does("show", "dev-1@origin:a.txt") == "1"
    bo.does("checkout", "dev-1@origin")
    bo.does("checkout", "dev-1")
    assert (bo.root / ".acc/jobs/dev-1/a.txt").read_bytes() == b"of bo"
    run = ann.labels()["dev-1"]
    assert (bo.root / f".acc/jobs/@{run[:12]}/a.txt").read_bytes() == b"1"


def test_a_link_to_a_file_of_a_job_there_leads_back_to_it(pair):
    ann, bo = pair
    bo.does("link", "dev-1@origin:a.txt")
    assert (bo.root / "results/a.txt").read_bytes() == b"1"
    assert bo.does("rev-parse", "--run", "./results/a.txt").strip() == ann.labels()["dev-1"]


def test_a_job_that_has_a_label_here_too_goes_by_that(pair):
    _, bo = pair
    bo.does("pull")
    assert bo.does("rev-parse", "--label", "dev-1@origin") == "dev-2\n"


def test_a_job_there_is_shown_with_what_it_was_made_from(pair):
    _, bo = pair
    shown = bo.does("job", "plot@origin")
    assert shown.startswith("dev-2@origin  plot\n")
    assert "dev-1@origin" in shown


def test_jobs_here_and_there_are_compared(pair):
    _, bo = pair
    assert "dev-1 -> dev-1@origin" in bo.acc("diff", "dev-1", "dev-1@origin")[1]


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        ("dev-9@origin", "no job 'dev-9@origin'"),
        ("nothing@origin", "no job 'nothing@origin'"),
        ("build-3@origin", "no build 'build-3@origin'"),
        ("dev-1@nowhere", "no remote 'nowhere'"),
    ],
)
def test_what_is_not_there_is_said_with_the_remote(pair, spec, error):
    _, bo = pair
    code, _, err = bo.acc("job", spec)
    assert (code, err.splitlines()[0]) == (1, f"acc: {error}")


def test_the_log_of_a_remote_takes_what_the_log_takes(pair):
    _, bo = pair
    assert [line.split()[:2] for line in bo.does("log", "--remote", "origin").splitlines()[1:]] == [
        ["dev-3@origin", "csvimport"],
        ["dev-2@origin", "plot"],
        ["dev-1@origin", "csvimport"],
    ]
    assert len(bo.does("log", "--remote", "origin", "-m", "plot").splitlines()) == 2
    assert len(bo.does("log", "--remote", "origin", "plot").splitlines()) == 3
    assert bo.does("log", "--remote", "origin", "--graph", "-n", "2").splitlines()[3].split()[1:] == [
        "source",
        "dev-1@origin",
    ]


def test_a_remote_that_does_not_answer_is_listed_as_it_was(pair, tmp_path):
    _, bo = pair
    shown = bo.does("log", "--remote", "origin")
    (tmp_path / "bucket").rename(tmp_path / "away")
    (tmp_path / "bucket").write_text("in the way")
    code, out, err = bo.acc("log", "--remote", "origin")
    assert (code, out) == (0, shown)
    assert "; this is what it had 20" in err


def test_what_has_no_label_here_is_named_by_its_run(member):
    ann, bo = member("ann"), member("bo")
    first = ann.job("one", files={"a": b"1"})
    ann.session("2019-12", ann.job("two", jobs={"source": first}))
    ann.does("push")
    bo.does("pull", "urd/anna")
    assert bo.does("rev-parse", "--run", ":anna/import:it.source").strip() == first.run
    assert bo.does("job", ":anna/import:it.source").startswith(f"@{first.run[:12]}  one\n")


def test_the_refs_of_a_remote_are_records(pair, tmp_path):
    ann, bo = pair
    labels = ann.labels()
    expected = "".join(f"{labels[f'dev-{n}']}\tjobs/dev/{n}\n" for n in (1, 2, 3))
    assert bo.does("ls-remote") == expected
    assert bo.does("ls-remote", str(tmp_path / "bucket"), "jobs/") == expected
    assert len(bo.does("ls-remote", "--all").splitlines()) == 6
    assert bo.acc("ls-remote", "origin", "urd/")[0] == 1


def test_the_usual_remote_is_listed_when_none_is_named(pair):
    _, bo = pair
    assert bo.does("log", "--remote") == bo.does("log", "--remote", "origin")


def test_names_that_are_none_are_one_warning_and_nothing_of_them_steers_the_terminal(member):
    ann, bo = member("ann"), member("bo")
    first = ann.job("csvimport", files={"a.csv": b"1"})
    ann.does("push")
    remote = open_remote(ann.resolver.config, "origin")
    remote.look()
    names = [
        "jobs/\x1b[31mred/1",
        "jobs/dev\n/2",
        "jobs/dev-1/1",
        "jobs/a@b/3",
        "jobs/dev/007",
        "jobs/" + "x" * 250 + "/1",
        "builds/99999999999999999999",
        "results/\x1b]0;title\x07",
        "urd/ann/\x1b[2J/1",
    ]
    remote.commit(lambda: Change("hostile", refs=dict.fromkeys(names, first.run)))
    for words in (["fetch"], ["log", "--remote", "origin"], ["pull"]):
        code, out, err = bo.acc(*words)
        assert code == 0, err
        assert err.count("\n") == 1, err
        assert err.startswith("acc: warning: not all refs of remote 'origin' are what their names say: ")
        assert not {*"\x1b\x07"}.intersection(out + err)
    assert bo.labels() == {"dev-1": first.run}
