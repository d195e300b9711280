"""Fixtures and hypothesis profiles of all tests."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from cas.local.pins import release_all
from cas.memory import MemoryStore
from tests.servers.proxy import Chances, FaultyProxy
from tests.servers.s3 import Moto, Seaweed
from tests.servers.sftp import Sftp, find_sshd

# derandomize: a run of the tests says the same twice; `make slow` looks further
settings.register_profile("quick", max_examples=50, deadline=None, derandomize=True, database=None)
settings.register_profile(
    "slow", max_examples=2000, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("quick")


@pytest.fixture(autouse=True)
def _pins_end_with_the_test() -> Iterator[None]:
    """Close what each store that has pinned something keeps open until its process ends."""
    yield
    release_all()


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture(scope="session")
def golden() -> Path:
    """Bytes written by the first version, which every later one must read: never written again."""
    return Path(__file__).parent / "golden" / "v1"


@pytest.fixture(scope="session")
def servers_place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the servers, which all processes of a test run share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def moto(servers_place: Path) -> Iterator[Moto]:
    """A small S3 server, which lets everybody in; starts in 2 s."""
    with Moto(servers_place) as server:
        yield server


@pytest.fixture(scope="session")
def seaweed(servers_place: Path) -> Iterator[Seaweed]:
    """A real S3 server; starts in 4 s. Others use it: it is not to be killed."""
    with Seaweed(servers_place) as server:
        yield server


@pytest.fixture(scope="module")
def own_seaweed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Seaweed]:
    """A real S3 server of a module's own, to be killed and started again."""
    with Seaweed(tmp_path_factory.mktemp("own")) as server:
        yield server


@pytest.fixture(scope="session")
def sftp(servers_place: Path) -> Iterator[Sftp]:
    """A real SSH server of files."""
    if not find_sshd():
        pytest.skip("sshd is not installed")
    with Sftp(servers_place) as server:
        yield server


@pytest.fixture
def faulty_proxy() -> Iterator[Callable[..., FaultyProxy]]:
    """A function that puts a proxy in front of a server; each is closed at the test's end."""
    with ExitStack() as proxies:

        def put(target: str, chances: Chances | None = None, *, seed: int = 0) -> FaultyProxy:
            return proxies.enter_context(FaultyProxy(target, chances, seed=seed))

        yield put
