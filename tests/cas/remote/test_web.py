"""A remote on the web: a folder that a web server shows, which is only read."""

import pytest

from cas.errors import RemoteUnreachable
from tests.cas.remote.clones import Clone
from tests.web import Web


@pytest.fixture
def web(tmp_path):
    (tmp_path / "www").mkdir()
    found = Web(tmp_path / "www")
    yield found
    found.close()


def test_what_lies_in_a_folder_is_fetched_from_a_web_server(web, tmp_path):
    ann = Clone(tmp_path / "ann", f"file://{tmp_path}/www/shared")
    bob = Clone(tmp_path / "bob", f"{web.url}/shared")
    below = ann.node("below", [b"%d" % number for number in range(50)])
    ann.push(top=ann.node("top", [b"blob"], [below]))
    refs = bob.fetch(blobs=True)
    assert refs == dict(ann.remote.mirror.refs.names())
    assert bob.store.has(below)
    assert sorted(bob.store.ids()) == sorted(ann.store.ids())


def test_nothing_is_written_there(web, tmp_path):
    ann = Clone(tmp_path / "ann", f"file://{tmp_path}/www/shared")
    top = ann.node("top")
    ann.push(top=top)
    bob = Clone(tmp_path / "bob", f"{web.url}/shared")
    with pytest.raises(RemoteUnreachable):
        bob.push(top=bob.node("another"))
