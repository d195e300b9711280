"""Requests that fail, lie, or are answered by silence."""

import errno
import itertools
import os
import threading

import pytest

from cas.errors import CorruptRemote, NotARemote, RemoteDenied, RemoteUnreachable
from cas.remote import bucket as room
from cas.remote.bucket import Bucket
from tests.cas.remote.flaky import FlakyFileSystem

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch):
    monkeypatch.setattr(room, "_FIRST_PAUSE_SECONDS", 0.0)
    yield
    FlakyFileSystem.reset()


@pytest.fixture(params=["memory", "folder"])
def bucket(request, tmp_path):
    return Bucket(
        f"memory://bucket-{next(_numbers)}" if request.param == "memory" else f"file://{tmp_path}/b"
    )


@pytest.fixture
def flaky():
    return Bucket("flaky://bucket", name="origin")


def failing(error, times=1, verbs=("get", "put", "create", "list", "delete")):
    """Return a script by which so many requests fail."""
    left = [times]

    def before(verb, _path):
        if verb in verbs and left[0]:
            left[0] -= 1
            raise error

    return staticmethod(before)


# any filesystem


def test_what_is_put_is_found(bucket):
    bucket.put("a/b", b"data")
    assert bucket.find("a/b") == b"data"
    assert bucket.get_range("a/b", 1, 3) == b"at"
    assert bucket.find("a/c") is None


def test_a_file_is_created_once(bucket):
    assert bucket.create("a/b", b"mine")
    assert not bucket.create("a/b", b"yours")
    assert bucket.find("a/b") == b"mine"
    assert bucket.can_create_once("a/b", b"mine")


def test_of_many_who_create_a_file_one_does(bucket):
    won = []
    barrier = threading.Barrier(8)

    def create(number):
        barrier.wait()
        if bucket.create("log/1", b"%d" % number):
            won.append(number)

    threads = [threading.Thread(target=create, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(won) == 1
    assert bucket.find("log/1") == b"%d" % won[0]


def test_a_file_is_replaced_if_it_is_what_it_was(bucket):
    bucket.put("lease", b"one")
    mark = bucket.find_mark("lease")
    assert bucket.replace("lease", b"three", mark)
    assert not bucket.replace("lease", b"seven", mark)
    assert bucket.find("lease") == b"three"
    assert bucket.find_mark("other") is None


def test_a_listing_has_keys_lengths_and_times(bucket):
    assert bucket.list("log/") == []
    for key in ("log/2", "log/1", "logs", "packs/x/y"):
        bucket.put(key, key.encode())
    now = bucket.now()
    assert [(listed.key, listed.bytes) for listed in bucket.list("log/")] == [("log/1", 5), ("log/2", 5)]
    assert [listed.key for listed in bucket.list("")] == ["log/1", "log/2", "logs", "packs/x/y"]
    assert all(now - 60 < listed.modified <= now for listed in bucket.list(""))


def test_what_is_deleted_is_gone_and_a_second_time_does_nothing(bucket):
    bucket.put("a", b"")
    bucket.delete(["a", "b"])
    bucket.delete(["a"])
    assert bucket.list("") == []


def test_a_range_behind_the_end_is_noticed(bucket):
    bucket.put("a", b"1234")
    with pytest.raises(CorruptRemote, match="cut short"):
        bucket.get_range("a", 2, 6)
    with pytest.raises(FileNotFoundError):
        bucket.get_range("b", 0, 1)


def test_calls_come_back_in_order_a_few_at_a_time(bucket):
    begun = []

    def call(number):
        begun.append(number)
        return number

    results = bucket.each(call, range(100), ahead=4)
    assert next(results) == 0
    assert len(begun) <= 6
    assert [*results] == list(range(1, 100))


def test_a_forked_child_has_a_filesystem_of_its_own(tmp_path):
    bucket = Bucket(f"file://{tmp_path}/b")
    bucket.put("a", b"parent")
    child = os.fork()
    if not child:
        bucket.put("b", b"child")
        os._exit(0 if bucket.find("a") == b"parent" else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert bucket.find("b") == b"child"


# trouble


@pytest.mark.parametrize(
    "error",
    [
        ConnectionResetError(errno.ECONNRESET, "reset"),
        TimeoutError(),
        OSError(errno.EBUSY, "SlowDown"),
        EOFError(),
    ],
    ids=repr,
)
def test_what_passes_is_tried_again(flaky, error):
    FlakyFileSystem.before = failing(error, times=3)
    flaky.put("a", b"1")
    FlakyFileSystem.before = failing(error, times=3)
    assert flaky.find("a") == b"1"


def test_what_does_not_pass_is_told_in_one_line(flaky):
    FlakyFileSystem.before = failing(ConnectionResetError(), times=1000)
    with pytest.raises(RemoteUnreachable, match=r"^cannot read 'a' in remote 'origin': it does not answer"):
        flaky.find("a")


@pytest.mark.parametrize("error", [PermissionError("no"), FileNotFoundError("bucket")], ids=repr)
def test_what_is_forbidden_or_missing_is_not_tried_again(flaky, error):
    asked = []

    def before(verb, path):
        asked.append(path)
        raise error

    FlakyFileSystem.before = staticmethod(before)
    with pytest.raises((RemoteDenied, RemoteUnreachable)):
        flaky.put("a", b"1")
    assert len(asked) == 1


def test_a_mistake_of_ours_is_no_trouble_of_the_remote(flaky):
    FlakyFileSystem.before = failing(ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        flaky.put("a", b"1")


def test_a_create_whose_answer_was_lost_has_won(flaky):
    lost = [True]

    def after(verb, _path, answer):
        if verb == "create" and lost.pop():
            lost.append(False)
            raise ConnectionResetError
        return answer

    FlakyFileSystem.after = staticmethod(after)
    assert flaky.create("log/1", b"mine")
    assert not flaky.create("log/1", b"yours")


def test_without_exclusive_creation_one_looks_before_and_after(flaky):
    assert flaky.create("a", b"1", exclusive=False)
    assert not flaky.create("a", b"2", exclusive=False)

    def before(verb, path):
        if verb == "put":
            FlakyFileSystem.before = staticmethod(lambda verb, path: None)

    def after(verb, path, answer):
        if verb == "put":
            FlakyFileSystem.after = staticmethod(lambda verb, path, answer: answer)
            flaky.put("b", b"other")
        return answer

    FlakyFileSystem.after = staticmethod(after)
    assert not flaky.create("b", b"mine", exclusive=False)


@pytest.mark.parametrize("url", ["s3://b/[x]", "s3://b/*", "nosuch://b/x"])
def test_a_url_that_cannot_be_is_refused(url):
    with pytest.raises(NotARemote):
        Bucket(url).find("format")


def test_errors_show_no_secret(flaky):
    FlakyFileSystem.before = failing(
        OSError("cannot read https://bob:hunter2@host/x?X-Amz-Signature=abc"), times=9
    )
    with pytest.raises(RemoteUnreachable) as caught:
        flaky.find("a")
    assert "hunter2" not in str(caught.value)
    assert "abc" not in str(caught.value)
