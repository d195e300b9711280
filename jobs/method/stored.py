"""A method as a source node has it, whatever became of its files: put into a folder, from which it runs."""

import posixpath
from collections.abc import Mapping
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import Final

from cas.files import check_name
from cas.formats.node import get_node
from cas.oid import ObjectId
from cas.store import Store
from jobs.method.closure import Closure, find_closure
from jobs.method.declarations import Declarations
from jobs.method.definition import Method
from jobs.nodes.source import Source

_SUFFIXES: Final = (".py", *EXTENSION_SUFFIXES)
_PACKAGE: Final = "__init__"


def stored_method(
    store: Store, source: ObjectId, name: str, folder: Path, learned: Mapping[str, bytes]
) -> Method:
    """Return the method `name` of a source node, without its declarations yet.

    Parameters
    ----------
    folder
        Where its files are put: methods read files beside their own, and what is compiled is loaded from its file.
    learned
        By path, project modules that the source lacked and that showed when the method ran.
    """
    node = get_node(store, source, Source)
    files = {path: store.get(blob) for path, blob in node.files.items()} | dict(learned)
    real = {path: _write(folder / check_name(path), data) for path, data in files.items()}
    package = module_name(posixpath.dirname(node.main))
    # for what it imports of what is installed; its modules are those that it had
    imports = find_closure(real[node.main], {package: real[node.main].parent}, folder).imports
    closure = Closure(
        name=module_name(node.main),
        main=node.main,
        files=files,
        real=real,
        modules={module_name(path): path for path in files if path.endswith(_SUFFIXES)},
        imports=imports,
        unresolved=(),
    )
    return Method(name, package, closure, node, source, Declarations())


def module_name(path: str) -> str:
    """Return the dotted name of the module, or package, at a path of a source.

    >>> module_name("mine/a_count.py"), module_name("mine/__init__.py"), module_name("lib/more")
    ('mine.a_count', 'mine', 'lib.more')
    """
    folders, _, last = path.rpartition("/")
    stem = last.partition(".")[0]
    return ".".join([*filter(None, folders.split("/")), *([stem] if stem != _PACKAGE else [])])


def _write(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path
