"""Refs are made before the store; where a store stands without them they are gone, which nobody passes over."""

import pytest

from cas.errors import CorruptRefs
from porcelain import config, storage


@pytest.fixture
def settings(tmp_path):
    (tmp_path / "acc.toml").touch()
    return config.load(tmp_path)


def test_store_and_refs_are_made_on_first_use(settings):
    refs = storage.open_refs(settings)
    assert not settings.data.exists()
    assert refs.find("a") is None
    storage.open_store(settings)
    assert storage.open_refs(settings).find("a") is None


def test_who_makes_a_store_makes_its_refs(settings):
    storage.open_store(settings).put(b"first of all")
    assert storage.open_refs(settings).find("a") is None


def test_refs_that_are_gone_are_no_new_project(settings, project, acc):
    project.job("make")
    project.resolver.index.refs.close()
    (settings.data / "refs.sqlite").unlink()
    with pytest.raises(CorruptRefs, match="gone"):
        storage.open_refs(settings).find("a")
    for command in (("log",), ("show-ref",), ("workdir",), ("rev-parse", "make")):
        code, out, err = acc(*command)
        assert (code, out) == (1, "")
        assert err.startswith(
            f"acc: refs '{settings.data}/refs.sqlite' are gone\nhint: 'acc update-ref --rebuild' "
        )
    assert acc("fsck")[0] == 1
    assert not (settings.data / "refs.sqlite").exists()
