"""What the servers are counted on for by those who test remotes against them."""

import os
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from tests.servers.s3 import READER, Moto
from tests.servers.server import answers
from tests.waiting import await_number, await_that, lives

ROOT = Path(__file__).parents[2]
JOIN = """
    import sys
    from pathlib import Path
    from tests.servers.s3 import Moto

    with Moto(Path(sys.argv[1])) as server:
        Path(sys.argv[2]).write_text(str(server.pid))
        input()
    """


@pytest.fixture(params=["moto", "seaweed"])
def s3(request):
    return request.getfixturevalue(request.param)


def test_a_bucket_is_new(s3):
    place, other = s3.new_bucket(), s3.new_bucket()
    filesystem = place.filesystem()
    filesystem.pipe_file(f"{place.path}/x", b"x")
    assert [filesystem.find(each.path) for each in (place, other)] == [[f"{place.path}/x"], []]


def test_an_object_that_is_created_by_many_at_once_is_created_by_one(s3):
    place = s3.new_bucket()
    filesystem, path, start = place.filesystem(), f"{place.path}/x", Barrier(8)

    def create(number):
        start.wait()
        try:
            filesystem.pipe_file(path, b"%d" % number, mode="create")
        except OSError:
            return None
        return b"%d" % number

    with ThreadPoolExecutor(8) as pool:
        created = [data for data in pool.map(create, range(8)) if data]
    assert created == [filesystem.cat_file(path)]


def test_seaweed_refuses_a_key_that_it_does_not_know(seaweed):
    place = seaweed.new_bucket()
    for key, secret in (("testkey", "wrong"), ("wrong", "testsecret")):
        with pytest.raises(PermissionError):
            place.known_by(key, secret).filesystem().find(place.path)


def test_the_reader_of_seaweed_reads_and_does_not_write(seaweed):
    place = seaweed.new_bucket()
    place.filesystem().pipe_file(f"{place.path}/x", b"x")
    reader = place.known_by(*READER).filesystem()
    assert reader.cat_file(f"{place.path}/x") == b"x"
    for mode in ("overwrite", "create"):
        with pytest.raises(PermissionError):
            reader.pipe_file(f"{place.path}/y", b"y", mode=mode)


@pytest.mark.slow
def test_what_seaweed_has_acknowledged_outlives_its_death(own_seaweed):
    place = own_seaweed.new_bucket()
    filesystem = place.filesystem()
    paths = [f"{place.path}/{number}" for number in range(50)]
    for path in paths:
        filesystem.pipe_file(path, path.encode())
    own_seaweed.kill()
    assert not answers(own_seaweed.ports[0])
    assert own_seaweed.start()
    assert {path: filesystem.cat_file(path) for path in paths} == {path: path.encode() for path in paths}


def test_keys_are_found_in_the_environment(seaweed, monkeypatch):
    place = seaweed.new_bucket()
    for name, value in place.environment.items():
        monkeypatch.setenv(name, value)
    filesystem = place.filesystem(key=None, secret=None)
    filesystem.pipe_file(f"{place.path}/x", b"x")


def test_a_file_sent_by_sftp_is_there(sftp):
    place = sftp.new_folder()
    place.filesystem().pipe_file(f"{place.path}/x", b"x")
    assert Path(place.path, "x").read_bytes() == b"x"


def test_a_rename_by_sftp_replaces_nothing(sftp):
    place = sftp.new_folder()
    filesystem = place.filesystem()
    for name in "ab":
        filesystem.pipe_file(f"{place.path}/{name}", name.encode())
    with pytest.raises(OSError, match="Failure"):
        filesystem.ftp.rename(f"{place.path}/a", f"{place.path}/b")
    assert filesystem.cat_file(f"{place.path}/b") == b"b"


def test_sftp_lets_another_key_not_in(sftp):
    from paramiko.ssh_exception import AuthenticationException

    place = sftp.new_folder()
    with pytest.raises(AuthenticationException):
        place.filesystem(key_filename=str(sftp.folder / "host"))


def test_a_server_is_shared_and_ends_with_the_last_of_its_users(tmp_path):
    """They end by kill -9."""
    users = []
    for name in ("one", "other"):
        command = [sys.executable, "-c", textwrap.dedent(JOIN), tmp_path, tmp_path / name]
        users.append(
            subprocess.Popen(command, stdin=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)})
        )
    one, other = (await_number(tmp_path / name) for name in ("one", "other"))
    assert one == other
    for user in users:
        assert lives(one)
        user.send_signal(signal.SIGKILL)
        user.communicate()
    await_that(lambda: not lives(one))
    await_that(lambda: not (tmp_path / Moto.name).exists())
