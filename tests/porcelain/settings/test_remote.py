"""`[remotes.NAME]` of acc.toml."""

import re
import tomllib
from datetime import date
from pathlib import Path

import pytest

from porcelain import config
from porcelain.config import ConfigError, NoSuchRemote
from porcelain.settings.remote import Remote

HOWTO = Path(__file__).parents[3] / "docs/howto/share-with-your-team.md"
SECRET = "hunter2SEKRET"


def load(root, text):
    (root / "acc.toml").write_text(text)
    return config.load(root)


def test_a_project_has_no_remotes_unless_it_names_some(tmp_path):
    assert dict(load(tmp_path, "").remotes) == {}
    assert dict(load(tmp_path, "[remotes]\n").remotes) == {}


def test_a_remote_is_neither_read_nor_written_nor_trusted_by_default(tmp_path):
    found = load(tmp_path, '[remotes.origin]\nurl = "s3://bucket"\n')
    assert found.get_remote("origin") == Remote("origin", "s3://bucket", {}, False, False, False)


def test_what_the_file_says_counts_in_its_order(tmp_path):
    text = """
        [remotes.origin]
        url = "s3a://bucket/a/"
        read = true
        write = true
        trusted = true
        [remotes.origin.options]
        endpoint_url = "http://127.0.0.1:9000"
        since = 2026-01-01
        client_kwargs = { region_name = "eu-north-1", ports = [1, 2] }
        [remotes.backup]
        url = "../backup"
    """
    found = load(tmp_path, text)
    options = {
        "endpoint_url": "http://127.0.0.1:9000",
        "since": date(2026, 1, 1),
        "client_kwargs": {"region_name": "eu-north-1", "ports": [1, 2]},
    }
    assert list(found.remotes) == ["origin", "backup"]
    assert found.remotes["origin"] == Remote("origin", "s3://bucket/a", options, True, True, True)
    assert found.remotes["origin"].scheme == "s3"
    assert found.remotes["backup"].url == f"file://{tmp_path.parent}/backup"


def test_a_remote_cannot_be_assigned(tmp_path):
    found = load(tmp_path, '[remotes.origin]\nurl = "s3://bucket"\n')
    with pytest.raises(AttributeError):
        found.remotes["origin"].trusted = True
    with pytest.raises(TypeError):
        found.remotes["origin"].options["anon"] = True
    with pytest.raises(TypeError):
        found.remotes["other"] = found.remotes["origin"]


@pytest.mark.parametrize("name", ["origin", "team-a", "_x", "backup2", "dev", "a-1b", "LATEST"])
def test_a_remote_may_be_called(tmp_path, name):
    assert list(load(tmp_path, f'[remotes.{name}]\nurl = "s3://bucket"\n').remotes) == [name]


@pytest.mark.parametrize(
    "name", ["", "a b", "a@b", "a:b", "a/b", "a.b", "1a", "-a", "a-", "dev-12", "build-7", "dev-LATEST", "å"]
)
def test_a_remote_may_not_be_called(tmp_path, name):
    with pytest.raises(ConfigError, match=f"'{re.escape(name)}' cannot name a remote"):
        load(tmp_path, f'[remotes."{name}"]\nurl = "s3://bucket"\n')


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("remotes = 3", "'remotes' must be a table, [remotes]"),
        ("remotes.origin = 's3://b'", "'remotes.origin' must be a table, [remotes.origin]"),
        ("[remotes.origin]", "'remotes.origin' has no 'url'"),
        ("[remotes.origin]\nurl = 7", "'remotes.origin.url' must be a URL or a folder"),
        ("[remotes.origin]\nurl = 's3://'", "'remotes.origin.url' names no server and no bucket"),
        ("[remotes.origin]\nurl = 's3://b'\nread = 1", "'remotes.origin.read' must be true or false"),
        ("[remotes.origin]\nurl = 's3://b'\nwrite = 'yes'", "'remotes.origin.write' must be true or false"),
        ("[remotes.origin]\nurl = 's3://b'\ntrusted = []", "'remotes.origin.trusted' must be true or false"),
        ("[remotes.origin]\nurl = 's3://b'\nread = true", "'remotes.origin.read' needs 'trusted = true'"),
        ("[remotes.origin]\nurl = 's3://b'\noptions = 1", "'remotes.origin.options' must be a table"),
        ("[remotes.origin]\nurl = 's3://b'\nanon = true", "unknown key 'remotes.origin.anon'"),
        (
            "[remotes.origin]\nurl = 'http://b'\nwrite = true",
            "'remotes.origin.write' cannot be true: http URLs",
        ),
        (
            "[remotes.origin]\nurl = 'https://b'\nwrite = true",
            "'remotes.origin.write' cannot be true: https URLs",
        ),
    ],
)
def test_a_wrong_remote_is_one_clear_line(tmp_path, text, reason):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, text)
    assert str(caught.value).startswith(f"{tmp_path / 'acc.toml'}: {reason}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "line",
    [
        f"url = 'sftp://anna:{SECRET}@host/a'",
        f"url = ['{SECRET}']",
        f"url = 's3://b'\nsecret = '{SECRET}'",
        f"url = 's3://b'\nread = '{SECRET}'",
        f"url = 's3://b'\noptions = '{SECRET}'",
        f"url = 's3://b'\noptions.secret = '{SECRET}'",
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(tmp_path, line):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, f"[remotes.origin]\n{line}\n")
    assert SECRET not in f"{caught.value} {caught.value.hint}"


def test_a_remote_that_is_not_there_is_an_error_that_names_those_that_are(tmp_path):
    with pytest.raises(NoSuchRemote, match="no remote 'origin'") as caught:
        load(tmp_path, "").get_remote("origin")
    assert "acc remote add" in caught.value.hint
    found = load(tmp_path, '[remotes.a]\nurl = "s3://b"\n[remotes.b]\nurl = "s3://c"\n')
    with pytest.raises(NoSuchRemote) as caught:
        found.get_remote(f"s3://key:{SECRET}@b")
    assert caught.value.hint == "there are: a, b"
    assert SECRET not in str(caught.value)


def examples():
    """Yield the title of each section of the how-to with all that it says of acc.toml."""
    for section in HOWTO.read_text(encoding="utf-8").split("\n## ")[1:]:
        if blocks := re.findall(r"^```toml\n(.*?)^```", section, re.DOTALL | re.MULTILINE):
            yield pytest.param("".join(blocks), id=section.partition("\n")[0])


@pytest.mark.parametrize("text", list(examples()))
def test_what_the_guide_shows_is_read(tmp_path, text):
    assert list(load(tmp_path, text).remotes) == list(tomllib.loads(text)["remotes"])
