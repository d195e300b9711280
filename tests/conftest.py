"""Fixtures and hypothesis profiles of all tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from cas.local.pins import release_all
from cas.memory import MemoryStore

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
