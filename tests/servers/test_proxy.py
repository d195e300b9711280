"""What the proxy does to what passes, and what it counts."""

import http.client
import socket

import pytest

from tests.servers.proxy import FAULTY, REFUSALS, Chances

ONCE = {"config_kwargs": {"retries": {"total_max_attempts": 1, "mode": "standard"}}}


class Client:
    """A client behind a proxy, which asks once."""

    def __init__(self, moto, proxy):
        self.proxy = proxy
        self.direct = moto.new_bucket()
        self.place = self.direct.through(proxy.url)
        self.filesystem = self.place.filesystem(**ONCE)
        self.filesystem.retries = 1
        self._direct = self.direct.filesystem()
        self._direct.pipe_file(self.path("there"), b"0123456789")

    def path(self, name):
        return f"{self.place.path}/{name}"

    def get(self, name="there"):
        return self.filesystem.cat_file(self.path(name), start=0)

    def put(self, name="new", data=b"x" * 1000, **how):
        self.filesystem.pipe_file(self.path(name), data, **how)

    def names(self):
        """What is there, without the proxy."""
        return sorted(path.rsplit("/", 1)[1] for path in self._direct.find(self.place.path))


@pytest.fixture
def client(moto, faulty_proxy):
    return Client(moto, faulty_proxy(moto.url))


def test_requests_are_counted_by_kind_and_bytes_by_direction(client):
    client.put()
    client.put("created", mode="create")
    assert client.get() == b"0123456789"
    client.filesystem.cat_file(client.path("there"), start=2, end=4)
    client.filesystem.find(client.place.path)
    client.filesystem.info(client.path("there"))
    client.filesystem.rm([client.path("new"), client.path("created")])
    expected = {"put": 1, "create": 1, "get": 0, "range": 2, "list": 1, "head": 1, "delete many": 1}
    assert {kind: client.proxy.counts[kind] for kind in expected} == expected
    assert client.proxy.counts.total() == 7
    by_kind = {request.kind: request for request in client.proxy.requests[:4]}
    assert [by_kind[kind].sent_bytes >= 1000 for kind in ("put", "create", "range")] == [True, True, False]
    assert [request.received_bytes for request in client.proxy.requests[2:4]] == [10, 2]
    assert client.names() == ["there"]


def test_a_large_object_passes_whole(client):
    data = bytes(range(256)) * 50_000
    client.put(data=data, chunksize=5 << 20)
    assert client.get("new") == data
    assert client.proxy.counts["part"] == 3
    assert client.proxy.received_bytes >= len(data)
    assert client.proxy.sent_bytes >= len(data)


@pytest.mark.parametrize("status", sorted(REFUSALS))
def test_a_refused_request_does_not_reach_the_server(client, status):
    client.proxy.plan = {0: status, 1: status}
    with pytest.raises(OSError, match=r"\[Errno") as info:
        client.put()
    assert info.value.__cause__.response["ResponseMetadata"]["HTTPStatusCode"] == int(status)
    with pytest.raises(OSError, match=r"\[Errno"):
        client.filesystem.info(client.path("there"))
    assert client.names() == ["there"]
    assert client.get() == b"0123456789"


def test_an_answer_that_is_cut_is_noticed(client):
    from aiohttp import ClientError

    client.proxy.plan = {0: "cut answer"}
    with pytest.raises(ClientError):
        client.get()
    assert client.get() == b"0123456789"


def test_a_request_that_is_cut_leaves_nothing(client):
    from botocore.exceptions import HTTPClientError

    # the client's library asks a second time by itself
    client.proxy.plan = {0: "cut request", 1: "cut request"}
    with pytest.raises((HTTPClientError, OSError)):
        client.put()
    assert client.names() == ["there"]


def test_a_lost_answer_comes_after_the_deed(client):
    """Its second try then finds its own object there."""
    client.proxy.plan = {0: "lost answer"}
    with pytest.raises(FileExistsError):
        client.put(mode="create")
    assert client.names() == ["new", "there"]
    assert [request.status for request in client.proxy.requests] == [200, 412]


@pytest.mark.parametrize(("fault", "names"), [("stop before", ["there"]), ("stop after", ["new", "there"])])
def test_the_network_goes_at_a_request_and_comes_again(client, fault, names):
    client.proxy.plan = {1: fault}
    client.get()
    assert not client.proxy.stopped.is_set()
    with pytest.raises(Exception, match="onnect"):
        client.put()
    assert client.proxy.stopped.is_set()
    assert len(client.proxy.requests) == 2
    assert client.names() == names
    client.proxy.up()
    assert client.get() == b"0123456789"


def test_who_connects_while_it_is_down_is_refused(client):
    client.proxy.down()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", int(client.proxy.url.rsplit(":", 1)[1])))


def test_a_stale_listing_lacks_what_is_new(client):
    def listed():
        return [path.rsplit("/", 1)[1] for path in client.filesystem.find(client.place.path)]

    client.proxy.remember_listings()
    assert listed() == ["there"]
    client.put()
    client.proxy.serve_stale_listings()
    assert listed() == ["there"]
    client.proxy.serve_stale_listings(False)
    assert listed() == ["new", "there"]


def test_luck_depends_on_the_seed_alone(moto, faulty_proxy):
    def faults(seed):
        proxy = faulty_proxy(moto.url, FAULTY, seed=seed)
        return [proxy._fault(number) for number in range(200)]

    assert faults(1) == faults(1) != faults(2)
    assert {fault in REFUSALS for fault in faults(1)} == {True, False}


def test_many_at_once_pass_a_slow_proxy(moto, faulty_proxy):
    client = Client(moto, faulty_proxy(moto.url, Chances(slow=0.5, seconds=0.01)))
    paths = {client.path(str(number)): b"%d" % number for number in range(30)}
    client.filesystem.pipe(paths)
    assert client.filesystem.cat([*paths]) == paths
    assert client.proxy.counts["put"] == 30


def test_a_body_in_chunks_that_waits_to_be_let_on_passes(moto, faulty_proxy):
    place = moto.new_bucket()
    proxy = faulty_proxy(moto.url)
    connection = http.client.HTTPConnection("127.0.0.1", int(proxy.url.rsplit(":", 1)[1]))
    # whoever shows a key, any key
    headers = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=k/20260101/us-east-1/s3/aws4_request, Signature=0"
    }
    headers |= {"Expect": "100-continue", "Transfer-Encoding": "chunked"}
    path = f"/{place.path}/x"
    for _ in range(2):  # on one connection
        connection.request("PUT", path, iter([b"abc", b"de"]), headers, encode_chunked=True)
        with connection.getresponse() as answer:
            assert (answer.status, answer.read()) == (200, b"")
    connection.close()
    assert place.filesystem().cat_file(f"{place.path}/x") == b"abcde"
