"""`acc remote`: what it edits, what it leaves, and what it refuses."""

import json
import subprocess
import sys

import pytest

from porcelain import config

SECRET = "hunter2SEKRET"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A project that the tests stand in."""
    root = tmp_path / "p"
    (root / "below").mkdir(parents=True)
    (root / "acc.toml").write_text("# ours\n[project]\nslices = 2 # two\n")
    monkeypatch.chdir(root)
    return root


def test_a_remote_is_added_shown_and_removed(acc, folder):
    before = (folder / "acc.toml").read_bytes()
    assert acc(
        "remote", "add", "origin", "../team", "--read", "--write", "--trusted", "-o", "auto_mkdir=true"
    ) == (
        0,
        f"added origin: file://{folder.parent}/team\n",
        "",
    )
    assert (folder / "acc.toml").read_text() == before.decode() + (
        '\n[remotes.origin]\nurl = "../team"\nread = true\nwrite = true\ntrusted = true\n'
        "\n[remotes.origin.options]\nauto_mkdir = true\n"
    )
    code, out, _ = acc("remote", "show", "origin")
    assert (code, out.splitlines()) == (
        0,
        [
            "origin",
            f"url      file://{folder.parent}/team",
            "read     yes",
            "write    yes",
            "trusted  yes",
            "",
            "options",
            "  auto_mkdir  true",
        ],
    )
    assert acc("remote", "remove", "origin")[:2] == (0, f"removed origin: file://{folder.parent}/team\n")
    assert (folder / "acc.toml").read_bytes() == before


def test_remotes_are_listed_in_their_order(acc, folder):
    assert acc("remote") == (0, "", "no remotes yet; 'acc remote add NAME URL' adds one\n")
    acc("remote", "add", "team", "s3://bucket/a/", "--trusted", "--read")
    acc("remote", "add", "backup", "memory://b")
    code, out, _ = acc("remote")
    assert code == 0
    assert out.splitlines() == [
        "name    url            flags",
        "team    s3://bucket/a  read trusted",
        "backup  memory://b",
    ]
    assert acc("remote", "list")[1] == out


def test_programs_get_the_same_as_json(acc, folder):
    acc("remote", "add", "team", "s3://bucket", "-o", "client_kwargs.region_name=eu-north-1")
    view = {
        "name": "team",
        "url": "s3://bucket",
        "read": False,
        "write": False,
        "trusted": False,
        "options": {"client_kwargs": {"region_name": "eu-north-1"}},
    }
    assert json.loads(acc("remote", "show", "team", "--json")[1]) == view
    assert json.loads(acc("remote", "--json")[1]) == [view]
    assert json.loads(acc("remote", "list", "--json")[1]) == [view]


def test_a_relative_folder_is_one_where_the_user_stands(acc, folder, monkeypatch):
    monkeypatch.chdir(folder / "below")
    assert acc("remote", "add", "team", "../../team")[0] == 0
    assert 'url = "../team"' in (folder / "acc.toml").read_text()
    assert config.load(folder).remotes["team"].url == f"file://{folder.parent}/team"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("20", 20),
        ("2.5", 2.5),
        ("text", "text"),
        ("", ""),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000"),
        ('"20"', "20"),
        ("[1, 2]", [1, 2]),
        ('{ a.b = "c" }', {"a": {"b": "c"}}),
        ("2026-01-01", "2026-01-01"),
        ("1\nother = 2", "1\nother = 2"),
    ],
)
def test_an_option_is_a_value_of_toml_or_a_text(acc, folder, text, value):
    assert acc("remote", "add", "team", "s3://bucket", "-o", f"x.y={text}")[0] == 0
    assert config.load(folder).remotes["team"].options == {"x": {"y": value}}


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["add", "there", "s3://bucket"], "acc: remote 'there' is there already"),
        (["add", "dev-12", "s3://bucket"], "acc: 'dev-12' cannot name a remote"),
        (["add", "a b", "s3://bucket"], "acc: 'a b' cannot name a remote"),
        (["add", "new", ""], "acc: 'url' must be a URL or a folder"),
        (["add", "new", "s3:bucket"], "acc: 'url' is no URL: 's3:bucket'"),
        (["add", "new", "."], "acc: 'url' is the project itself"),
        (["add", "new", "frob://bucket"], "acc: no filesystem for 'frob' URLs"),
        (["add", "new", "https://host", "--write"], "acc: 'write' cannot be true: https URLs are only read"),
        (["add", "new", "s3://bucket", "--read"], "acc: 'read' needs 'trusted = true'"),
        (["add", "new", f"s3://k:{SECRET}@bucket"], "acc: 'url' has a password in it"),
        (["add", f"s3://k:{SECRET}@bucket", "new"], "acc: 's3://***:***@bucket' cannot name a remote"),
        (["add", "new", "s3://b", "-o", f"secret={SECRET}"], "acc: 'options.secret' is a secret"),
        (
            ["add", "new", "s3://b", "-o", f"client_kwargs.key={SECRET}"],
            "acc: 'options.client_kwargs.key' is",
        ),
        (["add", "new", "s3://b", "-o", f"x=https://a:{SECRET}@b"], "acc: 'options.x' looks like a secret"),
        (["show", "missing"], "acc: no remote 'missing'"),
        (["remove", "missing"], "acc: no remote 'missing'"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_one_clear_line_and_changes_nothing(acc, folder, words, reason):
    acc("remote", "add", "there", "s3://bucket")
    before = (folder / "acc.toml").read_bytes()
    code, out, err = acc("remote", *words)
    assert (code, out) == (1, "")
    assert err.startswith(reason)
    assert [line.partition(" ")[0] for line in err.splitlines()] in (["acc:"], ["acc:", "hint:"])
    assert SECRET not in err
    assert (folder / "acc.toml").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["frob", SECRET], "acc remote: unrecognized arguments"),
        (["add", "new"], "acc remote add: the following arguments are required: URL"),
        (["add", "new", "s3://b", SECRET], "acc remote add: unrecognized arguments"),
        (["add", "new", "s3://b", "-o", SECRET], "acc remote add: --option takes KEY=VALUE, a text of UTF-8"),
        (
            ["add", "new", "s3://b", "-o", f"a..b={SECRET}"],
            "acc remote add: --option takes KEY=VALUE, a text of UTF-8",
        ),
        (
            ["add", "new", "s3://b", "-o", "a=\udcff"],
            "acc remote add: --option takes KEY=VALUE, a text of UTF-8",
        ),
        (["add", "new", "s3://b", "-o", "a=1", "-o", "a=2"], "acc remote add: option 'a' is given twice"),
        (
            ["add", "new", "s3://b", "-o", "a=1", "-o", "a.b.c=2"],
            "acc remote add: option 'a.b.c' is given twice",
        ),
        (["add", "new", "s3://b", f"--read={SECRET}"], "acc remote add: argument --read"),
    ],
    ids=lambda value: ascii(" ".join(value)) if isinstance(value, list) else "",
)
def test_a_wrong_command_line_is_told_without_its_words(acc, folder, words, reason):
    code, out, err = acc("remote", *words)
    assert (code, out) == (2, "")
    assert err.splitlines()[0] == reason
    assert SECRET not in err


def test_what_is_not_installed_is_told_before_anything_is_written(acc, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    code, _, err = acc("remote", "add", "origin", "s3://bucket")
    assert (code, err) == (
        1,
        "acc: 's3' URLs need s3fs, which is not installed\nhint: pip install 'acc[s3]'\n",
    )
    assert "remotes" not in (folder / "acc.toml").read_text()


def test_a_file_that_is_wrong_already_is_told_and_left(acc, folder):
    (folder / "acc.toml").write_text(f"[remotes.origin]\nurl = 's3://key:{SECRET}@bucket'\n")
    for words in (["list"], ["show", "origin"], ["remove", "origin"], ["add", "new", "s3://b"]):
        code, _, err = acc("remote", *words)
        assert code == 1
        assert err.startswith(f"acc: {folder / 'acc.toml'}: 'remotes.origin.url' has a password in it")
        assert SECRET not in err


def test_two_who_add_at_once_both_add(folder):
    program = [sys.executable, "-m", "acc", "remote", "add"]
    started = [subprocess.Popen([*program, name, "../team"], stdout=subprocess.DEVNULL) for name in "abc"]
    assert [process.wait() for process in started] == [0, 0, 0]
    assert sorted(config.load(folder).remotes) == ["a", "b", "c"]


def test_two_who_add_one_name_at_once_are_told_apart(folder):
    program = [sys.executable, "-m", "acc", "remote", "add", "origin"]
    started = [
        subprocess.Popen(
            [*program, f"../{name}"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for name in "abc"
    ]
    told = [process.communicate()[1] for process in started]
    assert sorted(process.returncode for process in started) == [0, 1, 1]
    assert sum("remote 'origin' is there already" in text for text in told) == 2
    assert list(config.load(folder).remotes) == ["origin"]


def test_a_remote_is_added_where_there_is_no_store_yet(acc, folder):
    assert acc("remote", "add", "origin", "../team")[0] == 0
    assert acc("log")[0] == 0
    assert acc("fsck")[0] == 0
