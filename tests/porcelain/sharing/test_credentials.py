"""Secrets: whatever is done with keys, right and wrong, nothing that is written or said anywhere holds one."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from cas.local.store import LocalStore
from porcelain import config, storage
from tests.porcelain.sharing.test_two_clones import Clone
from tests.servers.place import Place
from tests.servers.s3 import OWNER, Seaweed

WRONG = "Wr0ngS3cretThatNobodyMaySee+/x"
TOKEN = "FwoGZXIvYXdzEToken7"
PASSWORD = "hunter2-of-ann"
SECRETS = [text.encode() for text in (OWNER[1], WRONG, TOKEN, PASSWORD)]
FAILS = "def synthesis():\n    print('about to fail')\n    raise ValueError('no luck')\n"


@pytest.fixture
def ann(seaweed: Seaweed, tmp_path: Path) -> Clone:
    clone = Clone(tmp_path / "ann", seaweed.new_place())
    clone.folder.write("mine/a_fails.py", FAILS)
    clone.folder.write("mine/build_fails.py", "def main(urd):\n    urd.build('fails')\n")
    return clone


def said(clone: Clone, *words: str, **environment: str) -> bytes:
    """Run a command, and return all that it says."""
    done = clone.runs(*words, **environment)
    assert done.returncode in (0, 1, 2), done
    return (done.stdout + done.stderr).encode()


def written(root: Path) -> Iterator[tuple[str, bytes]]:
    """Yield all files, and all objects as they were before they were compressed, and the rows of all databases."""
    for path in root.rglob("*"):
        if path.is_file():
            yield str(path), path.read_bytes()
            if path.suffix == ".sqlite":
                with sqlite3.connect(path) as database:
                    yield f"{path} as text", "\n".join(database.iterdump()).encode()
                database.close()
    store: LocalStore = storage.open_store(config.load(root)).alone()
    for oid in store.ids():
        yield oid, store.get(oid)


def sent(place: Place) -> Iterator[tuple[str, bytes]]:
    """Yield all files at a place, as they are and decompressed, frame by frame."""
    files = place.filesystem()
    for path in files.find(place.path):
        data = files.cat_file(path)
        yield path, data
        yield path, decompressed(data)


def decompressed(data: bytes) -> bytes:
    """Return what all frames of zstd in `data` hold."""
    found = []
    at = data.find(zstandard.FRAME_HEADER)
    while at >= 0:
        with contextlib.suppress(zstandard.ZstdError):
            found.append(zstandard.ZstdDecompressor().decompress(data[at:], max_output_size=1 << 24))
        at = data.find(zstandard.FRAME_HEADER, at + 1)
    return b"\n".join(found)


def test_no_secret_is_written_or_said_anywhere(ann: Clone, seaweed: Seaweed, tmp_path: Path) -> None:
    place = seaweed.new_place()
    wrong = {"AWS_SECRET_ACCESS_KEY": WRONG}
    token = {"AWS_SESSION_TOKEN": TOKEN, **wrong}
    url = f"sftp://ann:{PASSWORD}@127.0.0.1/data"
    spoken = [
        said(ann, "build"),
        said(ann, "build", "fails"),
        said(ann, "push"),
        *(said(ann, *words, **wrong) for words in (["fetch"], ["push"], ["build"], ["ls-remote"])),
        *(said(ann, *words, **token) for words in (["pull"], ["fsck", "--remote", "origin"])),
        said(ann, "build", "fails", **wrong),
        said(ann, "gc", "--remote", "origin", **wrong),
        said(ann, "remote", "add", "other", url),
        said(ann, "remote", "add", "other", place.url, "-o", f"secret={WRONG}"),
        said(ann, "remote", "add", "other", place.url, "-o", f"client_kwargs.aws_session_token={TOKEN}"),
        said(ann, "ls-remote", url),
        said(ann, "clone", url, str(tmp_path / "clone")),
        said(ann, "push", url),
        said(ann, "show", "build-1"),
        said(ann, "job", "dev-1", "--json"),
        said(ann, "remote", "list"),
    ]
    assert sum(b"access is denied" in text for text in spoken) >= 5
    assert sum(b"acc.toml is no place for one" in text for text in spoken) >= 3
    (origin,) = config.load(ann.root).remotes.values()
    there = Place(origin.url, origin.options, {"key": OWNER[0], "secret": OWNER[1]})
    everything = [*((text.decode(), text) for text in spoken), *written(ann.root), *sent(there)]
    # it would be found where it is
    assert any(b"no luck" in data for _, data in written(ann.root))
    assert any(b"def synthesis" in data for _, data in sent(there))
    assert [(where, secret) for where, data in everything for secret in SECRETS if secret in data] == []
