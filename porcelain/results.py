"""Result links: a readable name in the result directory for a file of a job, and a ref that keeps it."""

import os
from pathlib import Path

from cas.errors import AccError
from cas.files import check_name, rename_durably, temporary_path
from cas.formats.node import get_node, put_node
from cas.oid import ObjectId
from cas.refs import Refs
from cas.store import Store
from jobs.nodes.result import Result
from jobs.reuse.refnames import RESULTS


class ResultClash(AccError):
    """A result link that would take the place of something that acc did not put there."""


class ResultLinks:
    """The result directory of a project.

    Attributes
    ----------
    made : dict of str to ObjectId
        Result nodes by link name, of the links made through this object.
    """

    def __init__(self, directory: Path, store: Store, refs: Refs) -> None:
        self._directory = directory
        self._store = store
        self._refs = refs
        self.made: dict[str, ObjectId] = {}

    def link(self, result: Result, linkname: str, path: Path) -> Path:
        """Point the link `linkname` at the file `path`, which is the file of `result`; return the link.

        The link is relative, so that a moved project keeps it, and replaced atomically.
        """
        place = self._place(check_name(linkname))
        self._remember(linkname, result)
        target = os.path.relpath(path.parent.resolve() / path.name, place.parent)
        if not (place.is_symlink() and os.readlink(place) == target):  # noqa: PTH115 - the text, not a Path that changes it
            temporary = temporary_path(place.parent)
            temporary.symlink_to(target)
            # not durable: the ref is what counts, and a link can be made again
            rename_durably(temporary, place, durable=False)
        return self._directory / linkname

    def entries(self) -> dict[str, Result]:
        """Return the result of each link name, sorted."""
        return {
            name.removeprefix(RESULTS): get_node(self._store, oid, Result)
            for name, oid in self._refs.names(RESULTS)
        }

    def _place(self, linkname: str) -> Path:
        place = self._directory / linkname
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as err:
            raise ResultClash(
                f"'{place.parent}' cannot be a folder: a file is in the way", hint="move it away first"
            ) from err
        if not place.parent.resolve().is_relative_to(self._directory.resolve()):
            raise ResultClash(
                f"result '{linkname}' would leave the result directory: one of its folders is a link"
            )
        if place.exists() and not place.is_symlink():
            raise ResultClash(
                f"'{place}' is there already, and not as a result link", hint="move it away first"
            )
        return place.parent.resolve() / place.name

    def _remember(self, linkname: str, result: Result) -> None:
        self._store.hold([result.run])
        oid = put_node(self._store, result)
        if self._refs.find(RESULTS + linkname) != oid:
            with self._refs.transaction(f"link {linkname}") as transaction:
                transaction.set(RESULTS + linkname, oid)
        self.made[linkname] = oid
