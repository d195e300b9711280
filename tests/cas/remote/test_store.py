"""`RemoteStore` over filesystems that every machine has: memory and a folder."""

import itertools
from pathlib import Path

import pytest

from cas.remote.bucket import Bucket
from cas.remote.keys import object_key, pack_key
from cas.remote.mirror import Mirror
from cas.remote.state import Remote
from cas.remote.store import RemoteStore
from tests.suites.store import StoreSuite

_numbers = itertools.count()


def open_remote(url: str, folder: Path) -> Remote:
    """Return the remote at `url`, made if need be, whose mirror is in `folder`."""
    remote = Remote(Bucket(url), Mirror(folder))
    remote.make()
    remote.look()
    return remote


class RemoteSuite(StoreSuite):
    @pytest.fixture
    def url(self, tmp_path) -> str:
        raise NotImplementedError

    @pytest.fixture
    def store(self, url, tmp_path):
        return RemoteStore(open_remote(url, tmp_path / "mirror"))

    def damage(self, store, oid):
        remote = store.remote
        packed = remote.mirror.find_packed(oid)
        key, at = (
            (pack_key(packed.pack), packed.entry.start + 2)
            if packed
            else (object_key(oid, remote.mirror.find_large(oid).file_bytes), 2)
        )
        data = bytearray(remote.bucket.get(key))
        data[at] ^= 1
        remote.bucket.put(key, bytes(data))


class TestOnMemory(RemoteSuite):
    @pytest.fixture
    def url(self):
        return f"memory://store-{next(_numbers)}"


class TestInAFolder(RemoteSuite):
    @pytest.fixture
    def url(self, tmp_path):
        return f"file://{tmp_path}/shared"
