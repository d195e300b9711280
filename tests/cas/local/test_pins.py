import os
import subprocess
import sys
from pathlib import Path

import pytest

from cas.local.pins import AllPins, Pins, release_all
from cas.local.store import LocalStore
from cas.oid import oid_of


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "pins"


def living(folder):
    return list(AllPins(folder, folder.parent / "cache" / "pins.json").living())


def pin(pins, *items):
    pins.add([bytes.fromhex(oid_of(item)) for item in items])


def test_what_is_pinned_is_seen_until_it_is_released(folder):
    pins = Pins(folder)
    pin(pins, b"1", b"2")
    pin(pins)
    assert living(folder) == [oid_of(b"1"), oid_of(b"2")]
    pins.release()
    assert living(folder) == []
    assert not list(folder.iterdir())


def test_pins_outlive_the_store_that_made_them(tmp_path):
    root = tmp_path / ".acc"
    oid = LocalStore.create(root).put(b"relied on")
    assert set(living(root / "pins")) == {oid}
    release_all()
    assert living(root / "pins") == []


@pytest.mark.parametrize("left", [["alive"], ["ids"], []], ids=["alive", "ids", "nothing"])
def test_a_writer_killed_while_it_released_its_pins_pins_nothing(folder, left):
    mine = folder / f"{os.uname().nodename}-1-1"
    mine.mkdir(parents=True)
    for name in left:
        (mine / name).write_text(oid_of(b"1") + "\n")
    assert living(folder) == []
    pins = AllPins(folder, folder.parent / "cache" / "pins.json")
    pins.sweep()
    assert not mine.exists()


def test_pins_that_cannot_begin_leave_nothing(folder, monkeypatch):
    def refuse(*_):
        raise OSError("no more")

    before = len(list(Path("/dev/fd").iterdir()))
    with monkeypatch.context() as patched:
        patched.setattr(os, "rename", refuse)
        with pytest.raises(OSError, match="no more"):
            pin(Pins(folder), b"1")
    assert not list(folder.iterdir())
    assert len(list(Path("/dev/fd").iterdir())) == before


APPENDER = """
import os, resource, sys
from pathlib import Path
from cas.local.pins import Pins
pins = Pins(Path(sys.argv[1]))
pins.add([bytes(32)])
size = os.stat(pins.ids).st_size
resource.setrlimit(resource.RLIMIT_FSIZE, (size + 20, resource.RLIM_INFINITY))
try:
    pins.add([bytes([1]) * 32])
except OSError as err:
    print(err.errno, flush=True)
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
pins.add([bytes([2]) * 32])
sys.stdin.read()
"""


def test_a_pin_that_was_torn_by_a_full_disk_spoils_no_other(folder):
    command = [sys.executable, "-c", APPENDER, str(folder)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout.readline()
        while len(living(folder)) < 2:
            pass
        assert living(folder) == [bytes(32).hex(), (bytes([2]) * 32).hex()]


def test_a_write_that_takes_only_part_is_written_again_as_a_whole(folder, monkeypatch):
    pins, other, real = Pins(folder), Pins(folder), os.write
    pin(pins, b"0")
    other.join(pins.ids)

    def write_part(descriptor, data):
        if len(data) < 80:
            return real(descriptor, data)
        part = real(descriptor, data[:80])
        # another process of the job appends between two parts
        real(other._ids, f"\n{oid_of(b'3')}\n".encode())
        monkeypatch.setattr(os, "write", real)
        return part

    monkeypatch.setattr(os, "write", write_part)
    pin(pins, b"1", b"2")
    assert set(living(folder)) == set(map(oid_of, [b"0", b"1", b"2", b"3"]))
