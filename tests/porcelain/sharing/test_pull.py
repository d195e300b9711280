"""What a pull makes of what came: labels, urd sessions, result links; what both have changed is said."""

import json
import subprocess
import sys

import pytest

from cas.formats.node import put_node
from jobs.nodes.facts import Fact
from jobs.nodes.result import Result
from jobs.reuse.refnames import ACTIONS, RESULTS


def link(member, name, row, data):
    """Make a result link of a file with these bytes."""
    oid = put_node(member.store, Result(row.run, name, member.store.put(data)))
    with member.refs.transaction("link") as transaction:
        transaction.set(RESULTS + name, oid)
    return oid


# -- labels ------------------------------------------------------------------------------------------------------


def test_jobs_have_the_labels_here_that_they_have_there_if_these_are_free(member):
    ann, bo = member("ann"), member("bo")
    ann.job("one")
    ann.job("two", workdir="old")
    ann.does("push")
    bo.does("pull")
    assert bo.labels() == ann.labels()
    assert bo.acc("fsck")[0] == 0


def test_a_label_that_is_taken_here_is_the_next_free_one_and_the_mapping_is_shown(member):
    ann, bo = member("ann"), member("bo")
    theirs, mine = ann.job("one"), bo.job("mine")
    ann.does("push")
    assert bo.does("pull").splitlines()[:2] == ["there         job    method", "dev-1@origin  dev-2  one"]
    assert bo.labels() == {"dev-1": mine.run, "dev-2": theirs.run}


def test_what_has_been_pulled_is_reused_and_is_not_pulled_again(member):
    ann, bo = member("ann"), member("bo")
    row = ann.job("one")
    ann.does("push")
    bo.does("pull")
    assert bo.refs.find(ACTIONS + row.key) == row.run
    assert bo.does("pull").startswith("nothing new at origin\n")


def test_a_private_job_is_listed_and_not_reused(member):
    ann, bo = member("ann"), member("bo")
    row = ann.job("one", facts=[Fact("read", "/home/ann/secret.csv", "")])
    ann.does("push")
    bo.does("pull")
    assert bo.labels() == {"dev-1": row.run}
    assert bo.refs.find(ACTIONS + row.key) is None


def test_what_was_dropped_here_comes_back_only_when_it_is_named(member):
    ann, bo = member("ann"), member("bo")
    row = ann.job("one")
    ann.does("push")
    bo.does("pull")
    bo.index.drop([bo.index.find_label("dev-1")], "test")
    assert "1 dropped here and left out" in bo.does("pull")
    assert bo.labels() == {}
    bo.does("pull", "dev-1")
    assert [*bo.labels().values()] == [row.run]


def test_a_job_that_is_named_comes_with_those_that_it_was_made_from(member):
    ann, bo = member("ann"), member("bo")
    first = ann.job("one")
    ann.job("unrelated")
    ann.job("last", jobs={"source": first})
    ann.does("push")
    bo.does("pull", "origin", "last")
    assert {row.method for row in bo.index.rows()} == {"one", "last"}


def test_a_fetch_gives_no_labels_and_a_pull_behind_it_does(member):
    ann, bo = member("ann"), member("bo")
    row = ann.job("one")
    ann.does("push")
    assert bo.does("fetch").startswith("from origin: 1 new of 1 ref\n")
    assert bo.labels() == {}
    assert dict(bo.refs.names("remotes/")) == {"remotes/origin/jobs/dev/1": row.run}
    bo.does("pull")
    assert bo.labels() == {"dev-1": row.run}


def test_files_come_when_they_are_read_or_all_at_once(member):
    ann, bo, cat = member("ann"), member("bo"), member("cat")
    row = ann.job("one", files={"a.txt": b"abc"})
    blob = ann.resolver.outcome(row).files["a.txt"].blob
    ann.does("push")
    bo.does("pull")
    assert not bo.store.has(blob)
    assert bo.does("show", "dev-1:a.txt") == "abc"
    assert bo.store.has(blob)
    cat.does("fetch", "--all-objects")
    assert cat.store.has(blob)


def test_from_an_untrusted_remote_nothing_gets_a_label(member):
    ann, bo = member("ann"), member("bo", trusted=False)
    ann.job("one")
    ann.does("push")
    code, _, err = bo.acc("pull")
    assert code == 1
    assert err.startswith(
        "acc: remote 'origin' is not trusted, and jobs that have labels here are taken for one's own\n"
    )
    assert dict(bo.refs.names()) == {}
    bo.does("fetch")
    assert "dev-1@origin  one" in bo.does("log", "--remote", "origin")


def test_pulls_at_once_give_each_job_one_label(member):
    ann, bo = member("ann"), member("bo")
    for number in range(5):
        ann.job(f"job_{number}")
    ann.does("push")
    command = [sys.executable, "-m", "acc", "pull", "-q"]
    pulls = [subprocess.Popen(command, cwd=bo.root) for _ in range(3)]
    assert [running.wait() for running in pulls] == [0, 0, 0]
    bo.look_again()
    assert sorted(bo.labels().values()) == sorted(ann.labels().values())


def test_a_run_from_elsewhere_that_has_got_a_label_meanwhile_keeps_that(member):
    ann = member("ann")
    row = ann.job("one")
    late = row._replace(number=9, origin="origin")
    assert ann.index.publish(late, {}) == row
    assert ann.labels() == {"dev-1": row.run}


def test_a_dry_run_says_what_would_come(member):
    ann, bo = member("ann"), member("bo")
    ann.job("one")
    ann.does("push")
    assert bo.does("pull", "-n") == "would come from origin: 1 job\n"
    assert dict(bo.refs.names()) == {}


# -- urd ---------------------------------------------------------------------------------------------------------


def test_urd_lists_find_what_another_one_has_finished(member):
    ann, bo = member("ann"), member("bo")
    ann.session("2019-11", ann.job("one"))
    ann.session("2019-12", ann.job("two"))
    assert "2 urd sessions" in ann.does("push")
    assert "2 urd sessions" in bo.does("pull")
    assert bo.urd.listed(bo.urd.lists()[0]) == ann.urd.listed(ann.urd.lists()[0])
    assert bo.does("rev-parse", "--label", ":anna/import:it") == "dev-2\n"
    assert bo.acc("fsck")[0] == 0


def test_a_session_that_was_replaced_there_replaces_the_one_here(member):
    ann, bo = member("ann"), member("bo")
    ann.session("2019-12", ann.job("one"))
    ann.does("push")
    bo.does("pull")
    ann.session("2019-12", ann.job("better"))
    ann.does("push")
    bo.does("pull")
    assert bo.does("rev-parse", "--label", ":anna/import:it") == "dev-2\n"


def test_two_sessions_at_one_timestamp_are_a_conflict_that_is_said_and_nothing_is_lost(member):
    ann, bo = member("ann"), member("bo")
    ann.session("2019-12", ann.job("one"))
    ann.does("push")
    bo.session("2019-12", bo.job("mine"))
    mine = bo.refs.find("urd/anna/import/2019-12")
    code, _, err = bo.acc("pull")
    assert code == 1
    assert "'urd/anna/import/2019-12' is another one at 'origin', and stays as it is here" in err
    assert bo.refs.find("urd/anna/import/2019-12") == mine
    code, _, err = bo.acc("push")
    assert code == 1
    assert "'urd/anna/import/2019-12' is another one at 'origin', and was not replaced" in err
    assert bo.does("rev-parse", ":anna/import:it@origin") == ann.does("rev-parse", ":anna/import:it")


def test_sessions_that_say_the_same_are_no_conflict(member):
    ann, bo = member("ann"), member("bo")
    ann.session("2019-12", ann.job("one"))
    ann.does("push")
    bo.does("pull", "dev-1")
    row = bo.index.find_label("dev-1")
    bo.session("2019-12", row._replace(ended=row.ended + 5))
    assert bo.acc("pull")[0] == 0
    assert bo.acc("push")[0] == 0


def test_a_session_comes_behind_those_that_it_depends_on(member):
    ann, bo = member("ann"), member("bo")
    ann.session("2019-12", ann.job("one"))
    ann.session("2019-12", ann.job("two"), name="a_later_list", on="2019-12")
    ann.does("push")
    shown = json.loads(bo.does("pull", "--json"))
    assert (len(shown["names"]), shown["ghosts"]) == (2, 0)
    assert len(bo.urd.lists()) == 2


def test_a_session_that_depends_on_what_is_another_one_here_becomes_a_ghost(member):
    ann, bo = member("ann"), member("bo")
    ann.session("2019-12", ann.job("one"))
    ann.session("2019-12", ann.job("two"), name="later", on="2019-12")
    ann.does("push")
    bo.session("2019-12", bo.job("mine"))
    code, out, _ = bo.acc("pull")
    assert code == 1
    assert "1 kept as ghosts" in out
    assert [str(path) for path in bo.urd.lists()] == ["anna/import"]


def test_what_was_truncated_here_does_not_come_back(member):
    ann, bo = member("ann"), member("bo")
    ann.session("2019-12", ann.job("one"))
    ann.does("push")
    bo.does("pull")
    (path,) = bo.urd.lists()
    bo.urd.truncate(path, next(iter(bo.urd.listed(path))))
    bo.does("pull")
    assert bo.urd.lists() == []
    bo.does("push")
    assert "urd/anna/import/2019-12" in bo.does("ls-remote")


# -- results and builds ------------------------------------------------------------------------------------------


def test_result_links_come_and_their_files_when_they_are_asked_for(member):
    ann, bo = member("ann"), member("bo")
    link(ann, "a.txt", ann.job("one", files={"a.txt": b"abc"}), b"abc")
    ann.does("push")
    assert "1 result link" in bo.does("pull")
    assert not (bo.root / "results").exists()
    bo.does("pull", "--results")
    assert (bo.root / "results/a.txt").read_bytes() == b"abc"


def test_a_result_that_was_made_again_there_replaces_the_one_here_and_not_one_that_is_newer(member):
    ann, bo = member("ann"), member("bo")
    link(ann, "a.txt", ann.job("one"), b"1")
    ann.does("push")
    bo.does("pull")
    newer = link(bo, "a.txt", bo.job("two"), b"2")
    bo.does("pull")
    assert bo.refs.find("results/a.txt") == newer
    bo.does("push")
    ann.does("pull")
    assert ann.refs.find("results/a.txt") == newer


@pytest.mark.parametrize("word", ["results/a.txt", "urd/anna"])
def test_a_ref_can_be_named(member, word):
    ann, bo = member("ann"), member("bo")
    row = ann.job("one")
    link(ann, "a.txt", row, b"1")
    ann.session("2019-12", row)
    ann.does("push")
    bo.does("pull", word)
    (name,) = json.loads(ann.does("ls-remote", "origin", word, "--json"))
    assert bo.refs.find(name["name"]) == name["id"]
    assert bo.labels() == {}


def test_what_was_pulled_has_its_label_and_its_origin_again_when_refs_are_made_again(member):
    ann, bo = member("ann"), member("bo")
    ann.job("csvimport")
    bo.job("import")  # both are dev-1 at home
    ann.does("push")
    bo.does("pull")
    before = [(row.label, row.run, row.origin) for row in bo.index.rows()]
    assert [row[::2] for row in before] == [("dev-2", "origin"), ("dev-1", "")]
    (bo.root / ".acc/refs.sqlite").unlink()
    bo.does("update-ref", "--rebuild")
    assert [(row.label, row.run, row.origin) for row in bo.index.rows()] == before
