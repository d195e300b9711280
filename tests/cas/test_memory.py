import pytest

from cas.memory import MemoryStore
from tests.suites.store import StoreSuite


class TestMemoryStore(StoreSuite):
    @pytest.fixture
    def store(self):
        return MemoryStore()

    def damage(self, store, oid):
        store.objects[oid] = store.objects[oid][:-1] + b"?"
