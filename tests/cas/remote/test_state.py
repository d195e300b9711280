"""What a remote holds: transactions of many, stale listings, a log that is kept short, a remote that is made again."""

import itertools

import pytest

from cas.errors import CorruptRemote, NotARemote, UnknownFormat
from cas.oid import oid_of
from cas.remote.bucket import Bucket
from cas.remote.filesystem.kinds import nonce
from cas.remote.indexes import MANY_INDEXES
from cas.remote.log import MANY_FILES, covering, list_log
from cas.remote.mirror import Mirror
from cas.remote.state import Remote
from cas.remote.transaction import Change
from tests.cas.remote.clones import Clone
from tests.cas.remote.flaky import FlakyFileSystem

_numbers = itertools.count()


@pytest.fixture
def url():
    return f"memory://state-{next(_numbers)}"


@pytest.fixture
def flaky():
    yield f"flaky://state-{next(_numbers)}"
    FlakyFileSystem.reset()


@pytest.fixture
def remotes(tmp_path, url):
    """Return a maker of clients of one remote, each with a mirror of its own."""
    Remote(Bucket(url), Mirror(tmp_path / "maker")).make()
    numbers = itertools.count()
    return lambda: Remote(Bucket(url), Mirror(tmp_path / str(next(numbers))))


def setting(**refs):
    """Return a change that sets refs."""
    return Change(nonce(), "test", refs={name: oid_of(value.encode()) for name, value in refs.items()})


def refs_of(remote):
    remote.look()
    return dict(remote.mirror.refs.names())


def test_one_sees_what_another_commits(remotes):
    one, other = remotes(), remotes()
    assert one.commit(lambda: setting(a="1")) == 1
    assert refs_of(other) == {"a": oid_of(b"1")}
    assert other.commit(lambda: setting(b="2")) == 2
    assert refs_of(one) == {"a": oid_of(b"1"), "b": oid_of(b"2")}


def test_who_was_too_late_draws_again(remotes):
    one, other = remotes(), remotes()
    other.look()
    one.commit(lambda: setting(a="1"))
    seen = []

    def draw():
        seen.append(dict(other.mirror.refs.names()))
        return setting(b="2")

    other.commit(draw)
    assert seen == [{}, {"a": oid_of(b"1")}]
    assert refs_of(one).keys() == {"a", "b"}


def test_a_change_of_nothing_is_no_transaction(remotes):
    one = remotes()
    assert one.commit(lambda: None) == 0
    assert one.commit(lambda: Change(nonce())) == 0
    assert one.bucket.list("log/") == []


def test_a_look_reads_only_what_is_new(remotes):
    one, other = remotes(), remotes()
    for number in range(5):
        one.commit(lambda number=number: setting(**{f"r{number}": "x"}))
    other.look()
    before = other.bucket.traffic.requests
    other.look()
    assert other.bucket.traffic.requests - before == 2


def test_many_transactions_are_read_in_few_requests(remotes):
    one, late = remotes(), remotes()
    count = 5 * MANY_FILES
    for number in range(count):
        one.commit(lambda number=number: setting(**{f"r{number % 50}": str(number)}))
    late.look()
    assert late.mirror.number == count
    assert late.bucket.traffic.requests <= MANY_FILES + 5
    assert dict(late.mirror.refs.names()) == dict(one.mirror.refs.names())


def test_a_log_without_what_was_merged_is_read_all_the_same(remotes):
    one, late = remotes(), remotes()
    for number in range(2 * MANY_FILES):
        one.commit(lambda number=number: setting(**{f"r{number}": "x"}))
    chain = {file.key for file in covering(list_log(one.bucket), 0)}
    one.bucket.delete([file.key for file in list_log(one.bucket) if file.key not in chain])
    assert refs_of(late) == refs_of(one)


def test_a_missing_transaction_is_noticed(remotes):
    one, late = remotes(), remotes()
    for number in range(3):
        one.commit(lambda number=number: setting(**{f"r{number}": "x"}))
    one.bucket.delete([list_log(one.bucket)[1].key])
    with pytest.raises(CorruptRemote, match="transaction 2"):
        late.look()


def test_a_stale_listing_hides_nothing_that_was_known(tmp_path, flaky):
    one = Remote(Bucket(flaky), Mirror(tmp_path / "one"))
    one.make()
    other = Remote(Bucket(flaky), Mirror(tmp_path / "other"))
    other.look()
    stale = {}

    def after(verb, path, answer):
        return stale.setdefault(path, answer) if verb == "list" else answer

    FlakyFileSystem.after = staticmethod(after)
    other.look()
    for number in range(3):
        one.commit(lambda number=number: setting(**{f"r{number}": "x"}))
    one.look()
    assert len(dict(one.mirror.refs.names())) == 3
    other.commit(lambda: setting(late="y"))
    assert len(dict(other.mirror.refs.names())) == 4


def test_a_remote_that_was_made_again_is_another(tmp_path, remotes):
    one = remotes()
    one.commit(lambda: setting(a="1"))
    one.bucket.delete([listed.key for listed in one.bucket.list("")])
    with pytest.raises(NotARemote):
        one.look()
    one.make()
    one.look()
    assert one.remade
    assert refs_of(one) == {}
    assert one.mirror.number == 0


def test_a_folder_of_other_things_is_not_taken(url, tmp_path):
    bucket = Bucket(url)
    bucket.put("holiday.jpg", b"")
    remote = Remote(bucket, Mirror(tmp_path / "m"))
    with pytest.raises(NotARemote, match=r"holiday\.jpg"):
        remote.make()
    assert [listed.key for listed in bucket.list("")] == ["holiday.jpg"]


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (b"", NotARemote),
        (b"{}", NotARemote),
        (b'{"needs":[],"uuid":"../../x","version":1}', NotARemote),
        (b'{"needs":[],"uuid":"4ee1a8f6-4d9c-4b10-a0d9-9d3a0a6a4ad4","version":2}', UnknownFormat),
        (b'{"needs":["magic"],"uuid":"4ee1a8f6-4d9c-4b10-a0d9-9d3a0a6a4ad4","version":1}', UnknownFormat),
    ],
    ids=["empty", "nothing", "path", "version", "need"],
)
def test_a_format_that_is_none_of_ours_is_refused(url, tmp_path, data, error):
    bucket = Bucket(url)
    bucket.put("format", data)
    with pytest.raises(error):
        Remote(bucket, Mirror(tmp_path / "m")).look()


def test_two_who_make_a_remote_make_one(url, tmp_path):
    one, other = (Remote(Bucket(url), Mirror(tmp_path / name)) for name in ("one", "other"))
    one.make()
    other.make()
    one.look()
    other.look()
    assert one.mirror.uuid == other.mirror.uuid


class OvertakenBucket(Bucket):
    """A bucket to whoever is overtaken: behind his first request somebody else makes the remote."""

    def __init__(self, url, other):
        super().__init__(url)
        self._others = [other]

    def _ask(self, what, call, **expected):
        found = super()._ask(what, call, **expected)
        while self._others:
            self._others.pop().make()
        return found


def test_who_is_overtaken_while_he_makes_a_remote_takes_that_of_the_other(url, tmp_path):
    other = Remote(Bucket(url), Mirror(tmp_path / "other"))
    one = Remote(OvertakenBucket(url, other), Mirror(tmp_path / "one"))
    one.make()
    assert one.bucket.list("") != []
    one.look()
    other.look()
    assert one.mirror.uuid == other.mirror.uuid


def test_a_mirror_that_was_deleted_is_made_again(remotes, tmp_path):
    one = remotes()
    one.commit(lambda: setting(a="1"))
    again = Remote(one.bucket, Mirror(tmp_path / "again"))
    assert refs_of(again) == {"a": oid_of(b"1")}


def test_indexes_are_kept_few(tmp_path, url):
    ann, bob = Clone(tmp_path / "ann", url), Clone(tmp_path / "bob", url)
    nodes = {f"r{number}": ann.node(f"n{number}", [b"%d" % number]) for number in range(2 * MANY_INDEXES)}
    for name, oid in nodes.items():
        ann.push(**{name: oid})
    assert len(ann.remote.mirror.indexes()) <= MANY_INDEXES
    assert len(ann.remote.mirror.packs()) == 2 * 2 * MANY_INDEXES  # nodes lie in packs of their own
    assert bob.fetch(blobs=True) == nodes
    assert all(map(bob.store.has, nodes.values()))


def test_an_index_that_is_not_what_its_name_says_is_refused(tmp_path, url):
    ann, bob = Clone(tmp_path / "ann", url), Clone(tmp_path / "bob", url)
    ann.push(top=ann.node("top"))
    (name,) = ann.remote.mirror.indexes()
    data = bytearray(ann.remote.bucket.get(f"idx/{name}"))
    data[50] ^= 1
    ann.remote.bucket.put(f"idx/{name}", bytes(data))
    with pytest.raises(CorruptRemote, match="not what its name says"):
        bob.fetch()


def test_what_a_lost_index_told_of_is_sent_again(tmp_path, url):
    ann, bob = Clone(tmp_path / "ann", url), Clone(tmp_path / "bob", url)
    top = ann.node("top", [b"blob"])
    ann.push(top=top)
    (name,) = ann.remote.mirror.indexes()
    ann.remote.bucket.delete([f"idx/{name}"])
    ann.remote.mirror.forget(ann.remote.mirror.uuid)
    assert ann.push(top=top).objects == 2
    assert bob.fetch(blobs=True) == {"top": top}
    assert bob.store.has(top)


def test_what_one_has_begun_another_that_comes_late_does_not_begin_again(tmp_path):
    first, late = Mirror(tmp_path / "m"), Mirror(tmp_path / "m")
    assert late.is_new
    first.keep_note("said", "this")
    first.begin("one")
    late.begin("one")
    assert (late.note("said"), first.note("said")) == ("this", "this")
    late.begin("another")
    assert (late.uuid, late.note("said")) == ("another", "")
