"""`RemoteStore` over memory, a folder, a server behind SSH, and two S3 servers."""

import itertools
from pathlib import Path

import pytest

from cas.remote.bucket import Bucket
from cas.remote.keys import object_key, pack_key
from cas.remote.mirror import Mirror
from cas.remote.state import Remote
from cas.remote.store import RemoteStore
from tests.servers.place import Place
from tests.suites.store import StoreSuite

_numbers = itertools.count()


def open_remote(place: Place, folder: Path) -> Remote:
    """Return the remote at a place, made if need be, whose mirror is in `folder`."""
    remote = Remote(Bucket(place.url, {**place.options, **place.secrets}), Mirror(folder))
    remote.make()
    remote.look()
    return remote


class RemoteSuite(StoreSuite):
    @pytest.fixture
    def store(self, place, tmp_path):
        return RemoteStore(open_remote(place, tmp_path / "mirror"))

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


class TestInMemory(RemoteSuite):
    @pytest.fixture
    def place(self):
        return Place(f"memory://store-{next(_numbers)}", {})


class TestInAFolder(RemoteSuite):
    @pytest.fixture
    def place(self, tmp_path):
        return Place(f"file://{tmp_path}/shared", {})


class TestBehindSsh(RemoteSuite):
    @pytest.fixture
    def place(self, sftp):
        return sftp.new_folder()


class TestInMoto(RemoteSuite):
    @pytest.fixture
    def place(self, moto):
        return moto.new_place()


class TestInSeaweed(RemoteSuite):
    @pytest.fixture
    def place(self, seaweed):
        return seaweed.new_place()
