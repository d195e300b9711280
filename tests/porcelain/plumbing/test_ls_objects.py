"""`acc ls-objects`: all ids sorted, and what the objects are."""

import pytest

from cas.oid import oid_of


def damage(project, oid) -> None:
    path = project.root / ".acc/objects" / oid[:2] / oid
    path.chmod(0o644)
    path.write_bytes(b"no object")


def test_all_ids_are_listed_sorted(acc, project):
    oids = project.store.put_many(b"%d" % number for number in range(300))
    assert acc("ls-objects") == (0, "".join(f"{oid}\n" for oid in sorted(oids)), "")
    assert acc("ls-objects", "-z")[1] == "".join(f"{oid}\0" for oid in sorted(oids))


def test_prefixes_list_what_begins_so_each_once(acc, project):
    oids = sorted(project.store.put_many(b"%d" % number for number in range(300)))
    code, out, _ = acc("ls-objects", "f", "3", "f0", oids[0], "f")
    assert (code, out.split()) == (0, [oid for oid in oids if oid[0] in "3f" or oid == oids[0]])


def test_an_empty_store_lists_nothing(acc, project):
    assert acc("ls-objects") == (0, "", "")
    assert acc("ls-objects", "-l", "abc") == (0, "", "")


def test_long_lines_tell_kind_and_sizes(acc, project):
    row = project.job("make", files={"a": b"a" * 100_000})
    code, out, _ = acc("ls-objects", "-l")
    found = {oid: rest for oid, *rest in (line.split("\t") for line in out.splitlines())}
    assert code == 0
    assert found.keys() == set(project.store.ids())
    assert found[row.run][0] == "run"
    assert found[row.outcome][0] == "outcome"
    kind, raw_bytes, stored_bytes = found[oid_of(b"a" * 100_000)]
    assert (kind, raw_bytes) == ("blob", "100000")
    assert int(stored_bytes) < 1000


def test_only_the_kinds_that_are_asked_for_are_listed(acc, project):
    row = project.job("make", files={"a": b"a"})
    assert acc("ls-objects", "--kind", "job")[1] == f"{row.job}\n"
    assert acc("ls-objects", "--kind", "run", "--kind", "job")[1].split() == sorted([row.run, row.job])
    assert acc("ls-objects", "--kind", "build") == (0, "", "")


def test_a_corrupt_object_is_listed_as_such(acc, project):
    good, bad = (project.store.put(data) for data in (b"good", b"bad"))
    damage(project, bad)
    assert acc("ls-objects")[0] == 0
    code, out, err = acc("ls-objects", "-l")
    assert code == 1
    assert f"{bad}\tcorrupt\t-\t-\n" in out
    assert f"{good}\tblob\t4\t" in out
    assert err.startswith(f"acc: object '{bad}' is corrupt")
    assert acc("ls-objects", "--kind", "blob")[:2] == (1, f"{good}\n")


@pytest.mark.parametrize("prefix", ["g", "AB", "", "0" * 65, "a\n"], ids=repr)
def test_what_no_id_begins_with_is_a_wrong_command_line(acc, project, prefix):
    code, out, err = acc("ls-objects", prefix)
    assert (code, out) == (2, "")
    assert err.startswith("acc ls-objects: argument PREFIX: ")
