"""`acc show-ref`: refs as they are read, and which of them are there."""

import sqlite3

from cas.oid import oid_of


def test_refs_are_printed_sorted_and_the_action_index_when_asked(acc, project):
    assert acc("show-ref") == (1, "", "")
    row = project.job("make")
    assert acc("show-ref") == (0, f"{row.run}\tjobs/dev/1\n", "")
    assert acc("show-ref", "--all")[1] == f"{row.run}\tactions/{row.key}\n{row.run}\tjobs/dev/1\n"
    assert acc("show-ref", "-z", "jobs/")[1] == f"{row.run}\tjobs/dev/1\0"
    assert acc("show-ref", "actions/")[1] == f"{row.run}\tactions/{row.key}\n"
    assert acc("show-ref", "urd/")[0] == 1


def test_whole_names_are_verified(acc, project):
    rows = [project.job("make"), project.job("make")]
    both = "".join(f"{row.run}\tjobs/dev/{row.number}\n" for row in rows)
    assert acc("show-ref", "--verify", "jobs/dev/1", "jobs/dev/2") == (0, both, "")
    assert acc("show-ref", "--verify", "-z", "jobs/dev/2")[1] == f"{rows[1].run}\tjobs/dev/2\0"
    code, out, err = acc("show-ref", "--verify", "jobs/dev/")
    assert (code, out) == (1, "")
    assert err == "acc: no ref 'jobs/dev/'\nhint: 'acc show-ref' lists the refs\n"
    assert acc("show-ref", "--verify")[0] == 2


def test_a_damaged_ref_is_named_and_the_others_are_printed(acc, project):
    rows = [project.job("make"), project.job("make"), project.job("make")]
    connection = sqlite3.connect(project.index.refs.path)
    with connection:
        connection.execute("UPDATE refs SET id = ? WHERE name = 'jobs/dev/2'", (oid_of(b"another"),))
    connection.close()
    code, out, err = acc("show-ref")
    assert code == 1
    assert out.splitlines() == [f"{row.run}\tjobs/dev/{row.number}" for row in rows if row.number != 2]
    assert err.splitlines()[0] == "acc: ref 'jobs/dev/2' is corrupt: its checksum does not fit"
