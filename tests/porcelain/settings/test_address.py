"""Where a remote is: one form for each place, and what is none."""

import pytest

from porcelain.settings.address import canonical_url, is_relative_folder
from porcelain.settings.place import ConfigError, Place

SECRET = "hunter2SEKRET"


@pytest.fixture
def place(tmp_path):
    return Place(tmp_path / "p" / "acc.toml", "remotes.origin.url", secretive=True)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("s3://bucket/a/b", "s3://bucket/a/b"),
        ("s3://bucket/a//", "s3://bucket/a"),
        (" s3://bucket ", "s3://bucket"),
        ("s3a://Bucket/A", "s3://Bucket/A"),
        ("gcs://bucket/a", "gs://bucket/a"),
        ("az://container/a", "abfs://container/a"),
        ("abfss://c@account.dfs.core.windows.net/a", "abfs://c@account.dfs.core.windows.net/a"),
        ("SSH://anna@Host.Example.org:22/Data", "sftp://anna@host.example.org:22/Data"),
        ("https://Host:8443/a@b", "https://host:8443/a@b"),
        ("http://[::1]:80/a", "http://[::1]:80/a"),
        (
            "s3://arn:aws:s3:eu-north-1:123456789012:accesspoint/a",
            "s3://arn:aws:s3:eu-north-1:123456789012:accesspoint/a",
        ),
        ("memory://team", "memory://team"),
        ("odd+scheme://x/y", "odd+scheme://x/y"),
    ],
)
def test_a_place_has_one_url(place, said, meant):
    assert canonical_url(place, said) == meant
    assert canonical_url(place, meant) == meant


@pytest.mark.parametrize(
    "said",
    [
        "../shared",
        "../shared/",
        "./../shared",
        "file:../shared",
        "file://../shared",
        "LOCAL://../shared",
        "../p/../shared",
    ],
)
def test_a_folder_is_relative_to_the_file_and_becomes_a_url(place, tmp_path, said):
    assert canonical_url(place, said) == f"file://{tmp_path}/shared"


@pytest.mark.parametrize(
    "said", ["/a b/c#d@e", "file:/a b/c#d@e", "file:///a b/c#d@e", "file://localhost/a b/c#d@e"]
)
def test_an_absolute_folder_is_itself(place, said):
    assert canonical_url(place, said) == "file:///a b/c#d@e"


def test_the_home_folder_may_be_named(place, monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    assert canonical_url(place, "~/acc") == "file:///home/anna/acc"


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (7, "must be a URL or a folder"),
        ("", "must be a URL or a folder"),
        ("  ", "must be a URL or a folder"),
        ("a\nb", "must be a URL or a folder"),
        ("s3://a\0b", "must be a URL or a folder"),
        ("s3://a/\udcff", "must be a URL or a folder"),
        ("s3://a/*", "has '*' in it"),
        ("../a[1]", "has '[' in it"),
        ("file:///a?b", "has '?' in it"),
        ("../a::b", "has '::' in it"),
        ("~nobody-has-this-name/x", "is in the home folder of nobody"),
        (".", "is the project itself"),
        ("file:", "is the project itself"),
        (".acc/objects", "is the project itself"),
        ("s3://", "names no server and no bucket: 's3://'"),
        ("s3:///a", "names no server and no bucket"),
        ("sftp://host:port/a", "has no server's name before its folder"),
        ("s3://a/../b", "must go down only"),
        ("https://a/./b", "must go down only"),
        ("https://host/a?b=c", "has a '?' in it"),
        ("s3://bucket/a#b", "has a '#' in it"),
        ("simplecache::s3://a/b", "puts one filesystem over another"),
        ("zip://a::https://host/b", "puts one filesystem over another"),
    ],
)
def test_what_can_be_no_remote_is_one_clear_line(place, said, reason):
    with pytest.raises(ConfigError) as caught:
        canonical_url(place, said)
    assert str(caught.value).startswith(f"{place.path}: 'remotes.origin.url' {reason}")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("anna@server:/data", "sftp://anna@server/data"),
        ("server.example.org:data", "sftp://server.example.org/data"),
        ("nas:/srv", "sftp://nas/srv"),
        ("s3:/bucket/a", "s3://bucket/a"),
        ("gcs:bucket", "gcs://bucket"),
    ],
)
def test_what_is_nearly_a_url_is_no_folder_but_an_error_with_a_guess(place, said, meant):
    with pytest.raises(ConfigError, match="is no URL") as caught:
        canonical_url(place, said)
    assert f"'{meant}'" in caught.value.hint


@pytest.mark.parametrize(
    "said",
    [
        f"sftp://anna:{SECRET}@host/a",
        f"sftp://anna:{SECRET}/with/slashes@host/a",
        f"sftp://anna:with?{SECRET}#@host/a",
        f"SSH://anna:{SECRET}@host/a",
        f"s3://key:{SECRET}@bucket/a",
        f"s3://{SECRET}@bucket/a",
        f"https://{SECRET}@host/a",
        f"https://host/a?sig={SECRET}",
        f"https://host/a?x=1&X-Amz-Signature={SECRET}",
        f"https://host/a?access_token={SECRET}",
        f"https://host/a#token={SECRET}",
        f"anna:{SECRET}@host:/a",
        f"simplecache::https://anna:{SECRET}@host/a",
        f"sftp://anna:{SECRET}@host:port/../a",
        "s3://bucket/AKIAIOSFODNN7EXAMPLE",
    ],
)
def test_a_secret_in_a_url_is_refused_and_not_repeated(place, said):
    with pytest.raises(ConfigError) as caught:
        canonical_url(place, said)
    told = f"{caught.value} {caught.value.hint}"
    assert SECRET not in told
    assert "AKIA" not in told
    assert caught.value.hint


@pytest.mark.parametrize(
    ("text", "is_relative"),
    [
        ("a", True),
        ("../a", True),
        ("a/b:c", True),
        ("/a", False),
        ("~/a", False),
        ("s3://a", False),
        ("file:a", False),
    ],
)
def test_only_a_relative_folder_depends_on_where_it_is_said(text, is_relative):
    assert is_relative_folder(text) is is_relative
