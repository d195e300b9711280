"""URLs: their parts, the secrets in them, and how they are shown."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cas.url import find_url, holds_secret, without_secrets

SECRET = "hunter2SEKRET"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("s3://bucket/a/b", ("s3", "", None, "bucket", "/a/b", "")),
        ("S3://bucket", ("s3", "", None, "bucket", "", "")),
        ("sftp://anna@host:22/a@b", ("sftp", "anna", None, "host:22", "/a@b", "")),
        ("sftp://anna:p/w@host/a", ("sftp", "anna", "p/w", "host", "/a", "")),
        ("sftp://anna:p@w@host/a", ("sftp", "anna", "p@w", "host", "/a", "")),
        ("sftp://anna:1234@host/a", ("sftp", "anna", "1234", "host", "/a", "")),
        ("http://host:8080/a@b", ("http", "", None, "host:8080", "/a@b", "")),
        ("http://[::1]:80/a@b", ("http", "", None, "[::1]:80", "/a@b", "")),
        ("s3://bucket/a:b@c", ("s3", "", None, "bucket", "/a:b@c", "")),
        ("https://host/a?b=c#d", ("https", "", None, "host", "/a", "?b=c#d")),
        ("file:///a?b#c:d@e", ("file", "", None, "", "/a?b#c:d@e", "")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_url_has_its_parts(text, parts):
    assert find_url(text) == parts


@pytest.mark.parametrize("text", ["", "a/b", "../a", "file:a", "anna@host:/a", "1://a", "://a"])
def test_other_texts_are_no_urls(text):
    assert find_url(text) is None


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("s3://bucket/a", "s3://bucket/a"),
        ("../shared data", "../shared data"),
        ("sftp://anna@host/a", "sftp://anna@host/a"),
        (
            "abfs://container@account.dfs.core.windows.net/a",
            "abfs://container@account.dfs.core.windows.net/a",
        ),
        ("file:///a?b", "file:///a?b"),
        (f"sftp://anna:{SECRET}@host/a", "sftp://anna:***@host/a"),
        (f"sftp://anna:a {SECRET}@host/a", "sftp://anna:***@host/a"),
        (f"s3://{SECRET}@bucket/a", "s3://***@bucket/a"),
        (f"s3://key:{SECRET}@bucket/a", "s3://***:***@bucket/a"),
        (f"https://host/a?sig={SECRET}", "https://host/a?***"),
        (f"https://host/a#{SECRET}", "https://host/a#***"),
        (f"simplecache::https://u:{SECRET}@host/a", "simplecache::https://***:***@host/a"),
        (f"zip://a::https://u:{SECRET}@host/a", "zip://***:***@host/a"),
        (f"anna:{SECRET}@host:/a", "***@host:/a"),
        (f"no answer of 'https://u:{SECRET}@host/a': 403", "no answer of 'https://***:***@host/a': 403"),
        (f"403 of s3://b/a?X-Amz-Signature={SECRET} twice", "403 of s3://b/a?*** twice"),
        (f"Authorization: Bearer {SECRET}", "Authorization: ***"),
        ("s3://AKIAIOSFODNN7EXAMPLE/a", "s3://***/a"),
    ],
)
def test_a_url_is_shown_without_what_is_secret_in_it(text, shown):
    assert without_secrets(text) == shown
    assert SECRET not in without_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        "AKIAIOSFODNN7EXAMPLE",
        "-----BEGIN OPENSSH PRIVATE KEY-----\nabc",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
        "DefaultEndpointsProtocol=https;AccountName=a;AccountKey=abc;",
        "sv=2024-01-01&sr=c&sig=abc",
        "ghp_0123456789abcdefghijABCDEFGHIJ012345",
        "ya29.a0AfH6SMB",
        "x" * 86 + "==",
        "http://anna:pw@proxy:3128",
        "by way of http://anna:pw@proxy:3128",
        "Basic YW5uYTpwdw==",
    ],
)
def test_what_looks_like_a_secret_is_told(text):
    assert holds_secret(text)
    assert "***" in without_secrets(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "eu-north-1",
        "https://host:9000",
        "alias/team",
        "/home/anna/.ssh/id_ed25519",
        "anna@example.org",
        "AKIA",
        "a" * 64,
    ],
)
def test_what_is_no_secret_is_not_taken_for_one(text):
    assert not holds_secret(text)
    assert without_secrets(text) == text


@given(st.text(), st.text())
def test_a_password_is_never_shown_whatever_is_in_it(before, after):
    # that is a port, to everybody who reads URLs
    assume(not re.match(r"\d+/", before))
    url = f"sftp://anna:{before}{SECRET}{after}@host/a"
    assert SECRET not in without_secrets(url)


@given(st.text())
def test_what_is_fit_to_be_shown_stays_as_it_is(text):
    shown = without_secrets(text)
    assert without_secrets(shown) == shown
