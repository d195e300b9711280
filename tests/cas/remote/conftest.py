"""Two clones of one remote in memory."""

import itertools

import pytest

from tests.cas.remote.clones import Clone

_numbers = itertools.count()


@pytest.fixture
def url():
    return f"memory://clones-{next(_numbers)}"


@pytest.fixture
def ann(tmp_path, url):
    return Clone(tmp_path / "ann", url)


@pytest.fixture
def bob(tmp_path, url):
    return Clone(tmp_path / "bob", url)
