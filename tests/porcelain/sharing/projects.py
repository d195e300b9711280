"""Two projects that share a remote: one pushes all that it has, another fetches the nodes and labels of that."""

from pathlib import Path

from cas.remote.transfer.fetch import fetch_nodes
from cas.remote.transfer.push import push
from jobs.reuse.rebuild import rebuild
from porcelain import config, storage
from tests.projects import Folder

REMOTE = """
[remotes.origin]
url = "{url}"
trusted = {trusted}
"""


def name_remote(folder: Folder, url: str, *, trusted: bool = True) -> None:
    """Have acc.toml name the remote."""
    toml = folder.root / "acc.toml"
    before = toml.read_text().partition("\n[remotes.")[0]
    toml.write_text(before + REMOTE.format(url=url, trusted=str(trusted).lower()))


def send_all(root: Path) -> None:
    """Push all jobs of a project under their labels."""
    project = config.load(root)
    refs = dict(storage.open_refs(project).names("jobs/"))
    remote = storage.open_remote(project, "origin")
    remote.make()
    push(storage.open_store(project), remote, refs.values(), lambda _: refs)


def take_all(root: Path) -> None:
    """Fetch the nodes of all jobs that the remote has labels for, and list them here."""
    project = config.load(root)
    remote = storage.open_remote(project, "origin")
    remote.look()
    store = storage.open_store(project)
    fetch_nodes(store, remote, [oid for _, oid in remote.mirror.refs.names("jobs/")])
    refs = storage.open_refs(project)
    rebuild(refs, store.alone(), {})
    refs.close()
    store.pins.release()
