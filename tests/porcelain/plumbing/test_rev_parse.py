"""`acc rev-parse`: whole ids, short ids, and what a name that is none, or several, says."""

import re

import pytest

from cas.oid import oid_of
from tests.porcelain.conftest import twins


def test_it_prints_the_id_of_whatever_is_named(acc, project):
    row = project.job("make", files={"a": b"a"}, made={"default": project.dataset()})
    node = project.resolver.outcome(row).datasets["default"]
    code, out, _ = acc("rev-parse", "make", "dev-1:a", "dev-1/default", row.job[:9])
    assert (code, out.split()) == (0, [row.job, oid_of(b"a"), node, row.job])
    assert acc("rev-parse", "--outcome", "make")[1] == f"{row.outcome}\n"
    assert acc("rev-parse", "--label", "make")[1] == "dev-1\n"
    assert acc("rev-parse", "-z", "--run", "dev-1", "make")[1] == f"{row.run}\0" * 2
    assert acc("rev-parse", "--run", oid_of(b"a"))[0] == 1


def test_a_short_id_is_as_long_as_it_must_be(acc, project):
    one, two = project.store.put_many(twins())
    shared = next(i for i in range(64) if one[i] != two[i])
    assert acc("rev-parse", "--short", one, two) == (0, f"{one[: shared + 1]}\n{two[: shared + 1]}\n", "")
    assert acc("rev-parse", "--short=12", one)[1] == one[:12] + "\n"
    assert acc("rev-parse", "--short=64", one)[1] == one + "\n"
    alone = project.store.put(b"alone")
    assert acc("rev-parse", "--short", alone)[1] == alone[:4] + "\n"
    assert acc("rev-parse", alone[:4])[1] == alone + "\n"


def test_a_prefix_of_several_objects_lists_them_with_their_kinds(acc, project):
    row = project.job("make")
    like_the_run = next(
        data for data in (b"%d" % number for number in range(1_000_000)) if oid_of(data)[:4] == row.run[:4]
    )
    twin = project.store.put(like_the_run)
    code, out, err = acc("rev-parse", "@" + row.run[:4])
    assert (code, out) == (1, "")
    candidates = sorted([f"{row.run[:12]} (run)", f"{twin[:12]} (blob)"])
    assert err == f"acc: id '{row.run[:4]}' is ambiguous\nhint: it could be {', '.join(candidates)}\n"


def test_no_more_than_twenty_candidates_are_listed(acc, project):
    datas = twins(23)
    oids = sorted(project.store.put_many(datas))
    _, _, err = acc("rev-parse", "@" + oids[0][:4])
    assert re.findall("[0-9a-f]{12}", err) == [oid[:12] for oid in oids[:20]]
    assert err.endswith("(blob) and 3 more\n")


def test_a_corrupt_candidate_is_listed_as_such(acc, project):
    one, two = map(project.store.put, twins())
    path = project.root / ".acc/objects" / one[:2] / one
    path.chmod(0o644)
    path.write_bytes(b"no object")
    _, _, err = acc("rev-parse", "@" + one[:4])
    assert f"{one[:12]} (corrupt)" in err
    assert f"{two[:12]} (blob)" in err


NOTHING = ["dev-9", "nothing", "dev-1:b", "dev-1/none", "@abcd", "f" * 64, "%", "\udcff", "new\nline"]


@pytest.mark.parametrize("spec", NOTHING, ids=repr)
def test_what_names_nothing_is_one_line_and_exit_code_1(acc, project, spec):
    project.job("make", files={"a": b"a"})
    code, out, err = acc("rev-parse", "dev-1:a", spec, "dev-1:a")
    assert (code, out) == (1, oid_of(b"a") + "\n")
    assert err.startswith("acc: ")
    assert len([line for line in err.splitlines() if not line.startswith("hint: ")]) == 1
    assert acc("rev-parse", "-q", spec) == (1, "", "")


def test_quiet_says_nothing_of_what_is_ambiguous(acc, project):
    one, _ = project.store.put_many(twins())
    assert acc("rev-parse", "-q", "@" + one[:4]) == (1, "", "")


@pytest.mark.parametrize(
    "arguments", [(), ("--short",), ("--short=3", "x"), ("--short=x", "x"), ("--short", "--label", "x")]
)
def test_a_wrong_command_line_is_exit_code_2(acc, project, arguments):
    assert acc("rev-parse", *arguments)[:2] == (2, "")
