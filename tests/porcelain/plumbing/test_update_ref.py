"""`acc update-ref`: refs by hand, all changes of stdin or none, and refs that come back when they were lost."""

import shutil
import sqlite3
import subprocess
from dataclasses import replace

import pytest

from cas.formats.node import get_node, put_node
from cas.local import pins
from cas.oid import oid_of
from jobs.nodes.build import Build
from jobs.nodes.run import Failure
from jobs.reuse.index import TABLES
from porcelain import storage
from porcelain.buildlog import BuildLog
from tests.porcelain.test_cli import RUN
from tests.projects import Folder

BROKEN = Failure("ValueError: no", "analysis", 1, "Traceback ...")


@pytest.fixture
def refs(project):
    return project.index.refs


@pytest.fixture
def nodes(project):
    """Two nodes, which any ref may name that stands for nothing of acc's."""
    return [put_node(project.store, Build("main", "done", 1, end)) for end in (2, 3)]


def everything(project):
    """Return all that refs and listings hold, but for the log."""
    refs = storage.open_refs(project.resolver.config)
    try:
        return dict(refs.names()), *(refs.select(table.name) for table in TABLES)
    finally:
        refs.close()


# one ref


def test_a_ref_is_set_and_moved_and_removed(acc, refs, nodes):
    one, two = nodes
    assert acc("update-ref", "tags/a", one) == (0, "", "")
    assert refs.find("tags/a") == one
    assert acc("update-ref", "-m", "by hand", "tags/a", two[:12], one[:4]) == (0, "", "")
    assert refs.find("tags/a") == two
    assert acc("update-ref", "-d", "tags/a", two) == (0, "", "")
    assert refs.find("tags/a") is None
    assert [entry.why for entry in refs.log("tags/a")] == ["update-ref", "by hand", "update-ref"]


def test_a_ref_that_is_elsewhere_is_left_there_and_its_place_is_told(acc, refs, nodes):
    one, two = nodes
    acc("update-ref", "tags/a", one, "0")
    for command, expected in {
        ("tags/a", two, two): f"ref 'tags/a' is at '{one}', expected '{two}'",
        ("tags/a", two, "0" * 64): f"ref 'tags/a' is at '{one}', expected none",
        ("tags/a", two, ""): f"ref 'tags/a' is at '{one}', expected none",
        ("-d", "tags/a", two[:8]): f"ref 'tags/a' is at '{one}', expected '{two[:8]}'",
        ("tags/b", two, one): f"ref 'tags/b' is not there, expected '{one}'",
        ("-d", "tags/b"): "no ref 'tags/b'",
    }.items():
        code, out, err = acc("update-ref", *command)
        assert (code, out) == (1, "")
        assert err.splitlines()[0] == f"acc: {expected}"
    assert dict(refs.names("tags/")) == {"tags/a": one}


def test_what_no_ref_can_name_is_refused(acc, project, refs, nodes):
    row = project.job("make", files={"a": b"some file"})
    source = project.resolver.run(row).source
    before = dict(refs.names())
    for name, new, message in (
        ("tags/a", oid_of(b"never"), f"no object '{oid_of(b'never')}'"),
        ("tags/a", oid_of(b"never")[:9], f"no object '{oid_of(b'never')[:9]}'"),
        (
            "tags/a",
            oid_of(b"some file"),
            f"object '{oid_of(b'some file')}' is a blob, and a ref names a node",
        ),
        ("tags/a", "dev-1", "'dev-1' is no object id"),
        ("tags/../a", nodes[0], "name 'tags/../a' is not relative or leaves its folder"),
        ("jobs/dev/2", source, "ref 'jobs/dev/2' names a run, and the object is a source"),
        ("jobs/dev/x", row.run, "ref 'jobs/dev/x' is for no label"),
        ("builds/x", nodes[0], "ref 'builds/x' is for no build"),
        ("results/a", row.run, "ref 'results/a' names a result, and the object is a run"),
        (
            f"actions/{oid_of(b'key')}",
            row.run,
            f"ref 'actions/{oid_of(b'key')}' names a run with that action key, and the object has another",
        ),
    ):
        code, out, err = acc("update-ref", name, new)
        assert (code, out) == (1, "")
        assert err.splitlines()[0] == f"acc: {message}"
    assert acc("update-ref", "tags/a", nodes[0], "xyz")[2].startswith("acc: 'xyz' is no object id\n")
    assert dict(refs.names()) == before


@pytest.mark.parametrize(
    "words",
    [(), ("a",), ("a", "b", "c", "d"), ("-d",), ("-d", "a", "b", "c"), ("--stdin", "a"), ("--rebuild", "a"),
     ("--stdin", "--rebuild"), ("-d", "--stdin")],
)  # fmt: skip
def test_a_wrong_command_line_is_exit_code_2(acc, project, words):
    code, out, err = acc("update-ref", *words)
    assert (code, out) == (2, "")
    assert err.endswith("hint: 'acc update-ref --help' says what it takes\n")


def test_a_label_that_is_set_or_removed_is_listed_or_not(acc, project):
    one = project.job("make", made={"default": project.dataset()})
    two = project.job("use")
    assert acc("update-ref", "jobs/old/7", one.run)[0] == 0
    moved = project.index.find_label("old-7")
    assert (moved.run, moved.method, moved.outcome) == (one.run, "make", one.outcome)
    assert project.index.last_number("old") == 7
    assert acc("update-ref", "jobs/old/7", two.run)[0] == 0
    assert project.index.find_label("old-7").method == "use"
    assert acc("update-ref", "-d", "jobs/dev/1")[0] == 0
    assert project.index.find_label("dev-1") is None
    assert project.index.refs.select("datasets") == []
    assert project.index.last_number("dev") == 2


def pinned(project):
    return {oid for ids in (project.root / ".acc/pins").glob("*/ids") for oid in ids.read_text().split()}


def test_gc_is_told_of_a_node_before_a_ref_relies_on_it(acc, project, nodes):
    pins.release_all()
    assert pinned(project) == set()
    acc("update-ref", "tags/a", nodes[0])
    assert pinned(project) == {nodes[0]}


def test_gc_is_told_of_all_that_is_made_again(acc, busy):
    before = everything(busy)
    pins.release_all()
    lose(busy)
    acc("update-ref", "--rebuild")
    assert pinned(busy) == set(before[0].values())


def test_a_damaged_ref_can_be_set_again_and_removed(acc, project, refs, nodes):
    one, two = nodes
    for name in ("tags/a", "tags/b"):
        acc("update-ref", name, one)
    with sqlite3.connect(refs.path) as connection:
        connection.execute("UPDATE refs SET id = ? WHERE name LIKE 'tags/%'", (two,))
    connection.close()
    assert acc("update-ref", "tags/a", two, one)[2].startswith("acc: ref 'tags/a' is corrupt")
    assert acc("update-ref", "tags/a", two)[0] == acc("update-ref", "-d", "tags/b")[0] == 0
    assert dict(refs.names("tags/")) == {"tags/a": two}


# many refs


def test_stdin_takes_verbs_with_tabs_or_spaces_between(acc, refs, nodes, feed):
    one, two = nodes
    feed(
        f"create tags/a {one}\n"
        f"update\ttags/with space\t{two}\n"
        f"verify tags/a {one[:8]}\n"
        f"verify tags/none\n"
        f"update tags/a {two} {one}\n"
        f"create tags/gone {one}\n"
        f"delete tags/gone {one}\n"
        f"{one}\ttags/b\n"
        f"{two} tags/c d".encode()
    )
    assert acc("update-ref", "--stdin", "-m", "many") == (0, "", "")
    assert dict(refs.names()) == {"tags/a": two, "tags/b": one, "tags/c d": two, "tags/with space": two}
    assert {entry.why for entry in refs.log()} == {"many"}


def test_stdin_with_nul_takes_any_name(acc, refs, nodes, feed):
    feed(f"{nodes[0]}\ttags/a\nb\tc\\n\0update\ttags/d\t{nodes[1]}\0".encode())
    assert acc("update-ref", "-z", "--stdin") == (0, "", "")
    assert dict(refs.names()) == {"tags/a\nb\tc\\n": nodes[0], "tags/d": nodes[1]}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("create tags/a ONE", "line 2: ref 'tags/a' is at 'ONE', expected none"),
        ("verify tags/a TWO", "line 2: ref 'tags/a' is at 'ONE', expected 'TWO'"),
        ("verify tags/a", "line 2: ref 'tags/a' is at 'ONE', expected none"),
        ("delete tags/b", "line 2: no ref 'tags/b'"),
        ("update tags/b " + "0" * 64, "line 2: no object '" + "0" * 64 + "'"),
        ("rename tags/a tags/b", "line 2 is no change of a ref: 'rename tags/a tags/b'"),
        ("update tags/a", "line 2 is no change of a ref: 'update tags/a'"),
        ("create tags/b ONE TWO", "line 2 is no change of a ref: 'create tags/b ONE TWO'"),
        ("", "line 2 is no change of a ref: ''"),
        ("ONE\ttags/a\\n", "line 2 holds a '\\', which may stand for another character"),
        ("ONE\ttags/\udcff", "line 2 is no UTF-8 text"),
    ],
)
def test_one_line_that_cannot_be_done_undoes_all(acc, refs, nodes, feed, line, message):
    def filled(text):
        return text.replace("ONE", nodes[0]).replace("TWO", nodes[1])

    feed(filled(f"{nodes[0]}\ttags/a\n{line}\n").encode(errors="surrogateescape"))
    code, out, err = acc("update-ref", "--stdin")
    assert (code, out) == (1, "")
    assert err.splitlines()[0] == f"acc: {filled(message)}"
    assert list(refs.names()) == list(refs.log()) == []


def test_nothing_on_stdin_changes_nothing(acc, refs, feed):
    feed(b"")
    assert acc("update-ref", "--stdin") == (0, "", "")
    assert list(refs.names()) == []


def test_of_two_processes_that_make_one_ref_one_succeeds(project, nodes):
    command = [*RUN, "update-ref", "tags/a"]
    children = [
        subprocess.Popen([*command, node, "0"], cwd=project.root, stderr=subprocess.PIPE, text=True)
        for node in nodes
    ]
    said = {child.communicate()[1]: child.returncode for child in children}
    assert sorted(said.values()) == [0, 1]
    assert next(text for text, code in said.items() if code).startswith("acc: ref 'tags/a' is at '")


# refs that were lost


@pytest.fixture
def busy(project, nodes):
    """A project with some of everything that a store tells of."""
    one = project.job("make", files={"a": b"a"}, made={"default": project.dataset()}, caption="ä")
    project.job("make", failure=BROKEN)
    project.job("use", "old", datasets={"source": (one, "default")})
    for node in nodes:
        BuildLog(project.store, project.index.refs).write(get_node(project.store, node, Build))
    project.index.refs.close()
    return project


def lose(project):
    for path in (project.root / ".acc").glob("refs.sqlite*"):
        path.unlink()


@pytest.mark.parametrize("options", [(), ("-z",)], ids=["lines", "nul"])
def test_a_dump_brings_back_all_refs_and_listings(acc, busy, feed, options):
    before = everything(busy)
    dump = acc("show-ref", "--all", *options)[1]
    log = acc("log")[1]
    lose(busy)
    assert acc("log")[0] == 1
    feed(dump.encode())
    assert acc("update-ref", "--stdin", *options) == (0, "", "")
    assert acc("show-ref", "--all", *options) == (0, dump, "")
    assert acc("log")[1] == log
    assert everything(busy) == before
    feed(dump.encode())
    acc("update-ref", "--stdin", *options)
    assert everything(busy) == before
    assert len(list(storage.open_refs(busy.resolver.config).log())) == len(before[0])


@pytest.mark.parametrize("end", ["and so on\n", f"{oid_of(b'never')}\ttags/a\n", None])
def test_a_dump_that_cannot_be_put_back_leaves_refs_gone(acc, busy, feed, end):
    dump = acc("show-ref", "--all")[1]
    lose(busy)
    feed(b"" if end is None else (dump + end).encode())
    assert acc("update-ref", "--stdin")[0] == 1
    assert acc("log")[2].startswith(f"acc: refs '{busy.root}/.acc/refs.sqlite' are gone\nhint: ")
    assert [path.name for path in (busy.root / ".acc").glob("*refs*")] == []
    assert list((busy.root / ".acc").glob(".tmp-*")) == []


def test_refs_that_are_gone_are_not_begun_anew_by_setting_one(acc, busy, nodes):
    lose(busy)
    assert acc("update-ref", "tags/a", nodes[0])[0] == 1
    assert not (busy.root / ".acc/refs.sqlite").exists()


def test_rebuild_brings_back_what_the_store_tells(acc, busy):
    before, dump, log = everything(busy), acc("show-ref", "--all")[1], acc("log")[1]
    lose(busy)
    count = len(dump.splitlines())
    assert acc("update-ref", "--rebuild") == (0, dump, f"{count} refs made again\n")
    assert everything(busy) == before
    assert acc("log")[1] == log
    assert acc("update-ref", "--rebuild") == (0, "", "0 refs made again\n")
    assert acc("fsck")[0] == 0


def test_rebuild_remembers_links_that_no_build_made(acc, busy):
    row = busy.job("make", files={"a.txt": b"text"})
    assert acc("link", f"{row.label}:a.txt", "by/hand.txt")[0] == 0
    (busy.root / "results/none of ours").symlink_to("/etc")
    (busy.root / "results/lost").symlink_to("../.acc/jobs/dev-99/a.txt")
    before = everything(busy)
    shown = acc("results")[1]
    lose(busy)
    assert "\tresults/by/hand.txt\n" in acc("update-ref", "--rebuild")[1]
    assert everything(busy) == before
    assert acc("results")[1] == shown


def test_rebuild_gives_no_number_that_a_directory_has(acc, busy):
    (busy.root / ".acc/jobs/dev-9").mkdir(parents=True)
    lose(busy)
    acc("update-ref", "--rebuild")
    assert busy.index.last_number("dev") == 9


@pytest.mark.parametrize("bring_back", ["--stdin", "--rebuild"])
def test_a_number_of_a_build_is_not_given_again(acc, busy, feed, nodes, bring_back):
    acc("update-ref", "builds/7", nodes[0])
    dump = acc("show-ref", "--all")[1]
    lose(busy)
    feed(dump.encode())
    acc("update-ref", bring_back)
    log = BuildLog(busy.store, storage.open_refs(busy.resolver.config))
    assert log.write(Build("main", "done", 5, 6)) == {"--stdin": 8, "--rebuild": 3}[bring_back]
    log.drop([8, 3], "gc")
    assert log.write(Build("main", "done", 7, 8)) == {"--stdin": 9, "--rebuild": 4}[bring_back]


def test_rebuild_adds_what_sound_refs_lack_and_says_what_it_added(acc, busy):
    before = everything(busy)
    acc("update-ref", "-d", "jobs/dev/2")
    row = next(row for row in before[1] if row["state"] == "failed")
    code, out, _ = acc("update-ref", "-z", "--rebuild")
    assert (code, out) == (0, f"{row['run']}\tjobs/dev/2\0")
    assert everything(busy) == before
    assert not list((busy.root / ".acc").glob("*damaged*"))


def test_rebuild_says_which_job_got_another_label(acc, busy):
    put_node(busy.store, replace(busy.resolver.run(busy.index.find("dev", 1)), caption="another"))
    busy.index.refs.close()
    lose(busy)
    _, out, err = acc("update-ref", "--rebuild")
    assert "\tjobs/dev/3\n" in out
    assert err.splitlines()[0] == "more than one job was 'dev-1': an older one is 'dev-3' now"


DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "no database": lambda path: path.write_bytes(b"at all" * 1000),
    "half": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "a page": lambda path: path.write_bytes(
        path.read_bytes()[:4096] + bytes(4096) + path.read_bytes()[8192:]
    ),
    "a ref": lambda path: alter(path, "UPDATE refs SET checksum = 'x' WHERE name = 'jobs/dev/1'"),
    "a row": lambda path: alter(path, "UPDATE jobs SET facts = 7"),
    "a table": lambda path: alter(path, "DROP TABLE log"),
    "columns": lambda path: alter(path, "ALTER TABLE jobs RENAME COLUMN micros TO seconds"),
}


def alter(path, sql):
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(sql)
    connection.close()


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_refs_are_told_of_and_rebuild_brings_them_back(acc, busy, damage):
    before = everything(busy)
    path = busy.root / ".acc/refs.sqlite"
    DAMAGES[damage](path)
    damaged = path.read_bytes()
    said = [acc(*command) for command in (("log",), ("show-ref", "--all"))]
    first, hint = next(err.splitlines() for code, _, err in said if code == 1)
    assert first.startswith("acc: ")
    assert "'acc update-ref --rebuild'" in hint
    assert acc("update-ref", "--rebuild")[0] == 0
    assert everything(busy) == before
    assert (busy.root / ".acc/refs.sqlite.damaged-1").read_bytes() == damaged
    assert acc("log")[0] == acc("fsck")[0] == 0


def test_rebuild_saves_what_only_damaged_refs_tell(acc, busy, nodes):
    path = busy.root / ".acc/refs.sqlite"
    alter(path, "UPDATE refs SET checksum = 'x' WHERE name = 'jobs/dev/1'")
    acc("update-ref", "remotes/origin/a", nodes[0])
    busy.index.refs.close()
    _, out, err = acc("update-ref", "--rebuild")
    assert out.split()[1::2] == ["jobs/dev/1"]
    assert err.splitlines()[0] == f"the damaged refs are kept as '{path}.damaged-1'; 6 refs saved from them"
    assert busy.index.refs.find("remotes/origin/a") == nodes[0]


def test_refs_of_a_later_version_are_left_alone(acc, busy):
    path = busy.root / ".acc/refs.sqlite"
    alter(path, "PRAGMA user_version = 9")
    assert acc("update-ref", "--rebuild")[2].startswith(f"acc: refs '{path}' are of format 9")
    assert [file.name for file in path.parent.glob("*refs*")] == ["refs.sqlite"]


# a project that was built


FILES = {
    "mine/a_one.py": "def synthesis(job):\n    job.save('text', 'a.txt')\n    return 1\n",
    "mine/a_two.py": "jobs = ('source',)\n\ndef synthesis(jobs):\n    return jobs.source.load() + 1\n",
    "mine/build.py": """
        def main(urd):
            one = urd.build("one")
            urd.build("two", source=one)
            one.link_result("a.txt", "the text.txt")
        """,
}


def test_a_built_project_is_the_same_after_its_refs_were_lost(tmp_path):
    folder = Folder(tmp_path, FILES)
    folder.acc("build")
    folder.write("mine/a_one.py", FILES["mine/a_one.py"] + "# a comment\n")
    folder.acc("build")
    dump, log = folder.acc("show-ref", "--all"), folder.acc("log")
    assert "results/the text.txt" in dump
    shutil.copytree(tmp_path / ".acc", tmp_path / "before")
    for bring_back in (
        lambda: folder.acc("update-ref", "--stdin", stdin=dump),
        lambda: folder.acc("update-ref", "--rebuild"),
    ):
        (tmp_path / ".acc/refs.sqlite").unlink()
        assert "are gone" in folder.acc("log", code=1)
        bring_back()
        assert (folder.acc("show-ref", "--all"), folder.acc("log")) == (dump, log)
        assert folder.ran("build") == []
        folder.acc("fsck")
        shutil.rmtree(tmp_path / ".acc")
        shutil.copytree(tmp_path / "before", tmp_path / ".acc")
    (tmp_path / ".acc/refs.sqlite").unlink()
    folder.acc("update-ref", "--rebuild")
    folder.write("mine/a_two.py", FILES["mine/a_two.py"].replace("+ 1", "+ 2"))
    assert folder.ran("build") == ["two"]
    assert folder.acc("rev-parse", "--label", "two").strip() == "dev-4"
