"""Input files at URLs: fetched once for what is there, noticed when they change, and told of without secrets."""

import sys
from collections.abc import Iterator
from pathlib import Path

import fsspec
import pytest
from fsspec.registry import _registry

from cas.oid import oid_of
from jobs.errors import NoSuchFile, OptionError
from jobs.method.cache import Cache
from jobs.reuse.urlfiles import UrlFiles
from tests.web import LONG_AGO, Web


@pytest.fixture
def web(tmp_path: Path) -> Iterator[Web]:
    (tmp_path / "web").mkdir()
    web = Web(tmp_path / "web")
    yield web
    web.close()


@pytest.fixture
def get(tmp_path: Path):
    """Return a function that gets a URL as a new build does."""

    def build(url: str):
        return UrlFiles(tmp_path / "remote", Cache(tmp_path / "known.sqlite")).get(url)

    return build


def test_a_file_is_had_under_its_url_by_its_content(web: Web, get) -> None:
    url = web.write("x.csv", b"a\n1\n")
    file = get(url)
    assert (file, file.content, file.path.read_bytes()) == (url, oid_of(b"a\n1\n"), b"a\n1\n")


@pytest.mark.parametrize(
    ("headers", "hidden", "seconds", "times"),
    [
        ({}, set(), LONG_AGO, 1),
        ({"ETag": '"1"'}, {"Last-Modified"}, LONG_AGO, 1),
        ({"ETag": '"1"'}, set(), 1 << 32, 1),
        ({}, set(), 1 << 32, 3),  # in the future: it may change within that second
        ({}, {"Last-Modified"}, LONG_AGO, 3),
        ({"ETag": 'W/"1"'}, {"Last-Modified"}, LONG_AGO, 3),
    ],
    ids=["time", "etag", "young-with-etag", "young", "nothing", "weak-etag"],
)
def test_a_file_is_fetched_again_unless_its_server_says_that_it_is_the_same(
    web: Web, get, headers, hidden, seconds, times
) -> None:
    web.headers, web.hidden = headers, hidden
    url = web.write("x.csv", b"1", seconds)
    assert [get(url).content for _ in range(3)] == [oid_of(b"1")] * 3
    assert len(web.fetched) == times


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [({"ETag": '"2"'}, LONG_AGO), ({"ETag": '"1"'}, LONG_AGO + 1)],
    ids=["etag", "time"],
)
def test_a_change_is_noticed(web: Web, get, headers, seconds) -> None:
    web.headers = {"ETag": '"1"'}
    before = get(web.write("x.csv", b"1"))
    web.headers = headers
    after = get(web.write("x.csv", b"2", seconds))
    assert (before, after) == (after, before)
    assert [before.content, after.content] == [oid_of(b"1"), oid_of(b"2")]


def test_a_file_that_changes_while_it_is_fetched_is_not_taken_for_what_it_was(web: Web, get) -> None:
    url = web.write("x.csv", b"1")
    web.before_file = lambda: web.write("x.csv", b"2", LONG_AGO + 1)
    assert get(url).content == oid_of(b"2")
    web.before_file = lambda: None
    web.write("x.csv", b"1")
    assert get(url).content == oid_of(b"1")


@pytest.mark.parametrize(
    "change", [Path.unlink, lambda path: path.write_bytes(b"damaged")], ids=["gone", "other"]
)
def test_what_was_fetched_and_is_not_there_any_more_is_fetched_again(web: Web, get, change) -> None:
    url = web.write("x.csv", b"1")
    change(get(url).path)
    assert get(url).path.read_bytes() == b"1"
    assert len(web.fetched) == 2


def test_any_filesystem_of_fsspec_will_do(tmp_path: Path, get) -> None:
    (tmp_path / "x.csv").write_bytes(b"1")
    assert get(f"file://{tmp_path}/x.csv").content == oid_of(b"1")
    memory = fsspec.filesystem("memory")
    for data in (b"2", b"3"):
        memory.pipe("/folder/x.csv", data)
        assert get("memory://folder/x.csv").content == oid_of(data)
    with pytest.raises(NoSuchFile, match="no input file 'memory://folder'") as told:
        get("memory://folder")
    assert told.value.hint == "IsADirectoryError: it is a folder"


def test_a_file_that_is_not_there_is_an_error_and_leaves_nothing(web: Web, tmp_path: Path, get) -> None:
    with pytest.raises(NoSuchFile, match=f"no input file '{web.url}/no.csv'") as told:
        get(f"{web.url}/no.csv")
    assert "404" in told.value.hint
    with pytest.raises(NoSuchFile):
        get("memory://no.csv")
    assert not list(tmp_path.glob("remote/*"))


# ---- secrets


@pytest.mark.parametrize(
    "url",
    ["https://me:secret@host/x.csv", "zip://x.csv::https://me:secret@host/x.zip"],
    ids=["plain", "chained"],
)
def test_a_password_is_refused_and_not_told(get, url: str) -> None:
    with pytest.raises(OptionError, match=r"'https://\.\.\.' has a password in its URL") as told:
        get(url)
    assert "secret" not in f"{told.value} {told.value.hint}"


def test_a_query_is_used_and_never_told(web: Web, tmp_path: Path, get) -> None:
    url = web.write("x.csv", b"1")
    assert get(f"{url}?token=secret") == url
    assert web.fetched == ["/x.csv?token=secret"]
    assert b"secret" not in (tmp_path / "known.sqlite").read_bytes()
    with pytest.raises(NoSuchFile) as told:
        get(f"{web.url}/no.csv?token=secret")
    assert told.value.hint == "ClientResponseError: 404 File not found"
    assert "secret" not in str(told.value)


def test_the_url_of_an_answer_which_may_be_signed_is_not_told(web: Web, get) -> None:
    with pytest.raises(NoSuchFile) as told:
        get(f"{web.url}/no.csv")
    assert web.url not in told.value.hint


def test_files_that_differ_by_their_query_are_two(web: Web, get) -> None:
    url = web.write("x.csv", b"1")
    assert get(f"{url}?id=1").path != get(f"{url}?id=2").path


# ---- what is not installed


def test_without_fsspec_a_url_says_what_to_install(monkeypatch, get) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "fsspec"]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(OptionError, match="a URL needs fsspec, which is not installed") as told:
        get("memory://x.csv")
    assert told.value.hint == "pip install 'acc[remote]'"


def test_a_filesystem_that_is_not_installed_says_what_it_needs(monkeypatch, get) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(_registry, "s3", raising=False)  # another test may have used it
    with pytest.raises(OptionError, match=r"'s3://bucket/x\.csv' cannot be read: Install s3fs"):
        get("s3://bucket/x.csv")
    with pytest.raises(NoSuchFile, match=r"no input file 'nonsense://x\.csv'"):
        get("nonsense://x.csv")
