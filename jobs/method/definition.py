"""`Method`, an `a_name.py`: where it is, its closure and source, and what it declares."""

import ast
import traceback
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from cas.errors import AccError
from cas.formats.canonical import Json
from cas.formats.node import encode
from cas.oid import ObjectId, oid_of
from jobs.errors import MethodError
from jobs.method.closure import Closure
from jobs.method.declarations import Declarations
from jobs.method.finder import Misses, SourceFinder
from jobs.nodes.source import Source

METHOD_PREFIX: Final = "a_"


@dataclass(frozen=True, slots=True)
class Method:
    """A method, ready to be asked for a job.

    Attributes
    ----------
    name : str
        What a build script calls it.
    package : str
        Dotted name of its package.
    closure : Closure
        Its code.
    source_node : Source
        Its source, to be put into a store together with the files of the closure.
    source : ObjectId
        Id of the source node.
    declarations : Declarations
        What it says of itself.
    installed : bool
        Whether it comes with acc: it is imported as it is, and counts by its version.
    """

    name: str
    package: str
    closure: Closure
    source_node: Source
    source: ObjectId
    declarations: Declarations
    installed: bool = False

    @classmethod
    def of(cls, name: str, package: str, closure: Closure, *, installed: bool) -> Self:
        """Return the method of a closure, without its declarations yet."""
        node = _source(closure.files, closure.main)
        return cls(name, package, closure, node, oid_of(encode(node)), Declarations(), installed)

    def declaring(self, declarations: Declarations) -> Self:
        """Return the method with its declarations."""
        return replace(self, declarations=declarations)

    @property
    def path(self) -> Path:
        """The method file."""
        return self.closure.real[self.closure.main]

    @property
    def module(self) -> str:
        """Dotted name of its module."""
        return self.closure.name

    @property
    def version(self) -> int | None:
        """The version by which a method of acc's own counts; None for one that counts by its source."""
        return self.declarations.version if self.installed else None

    @property
    def preload(self) -> Sequence[str]:
        """The installed packages that its source imports."""
        return sorted(self.closure.imports)

    @property
    def verifier(self) -> ObjectId:
        """What the key of its `equivalent_hashes` has to be: the id of its source without that entry."""
        main = self.closure.main
        blank = {**self.closure.files, main: _without_equivalents(self.closure.files[main])}
        return oid_of(encode(_source(blank, main)))

    @property
    def equivalents(self) -> tuple[str, ...]:
        """The sources that it declares to do the same as its own; none when the verifier is not right."""
        declared = self.declarations.equivalent_hashes
        return declared.get(self.verifier, ()) if declared else ()

    def warnings(self) -> Iterator[str]:
        """Yield what the user should know of its declarations and its code."""
        declared = self.declarations.equivalent_hashes
        if declared and self.verifier not in declared:
            yield f"equivalent_hashes of '{self.name}' does not fit its source: the key should be '{self.verifier}'"
        unresolved = self.closure.unresolved
        if unresolved:
            more = f" (and {len(unresolved) - 1} more: 'acc method {self.name}')" if unresolved[1:] else ""
            yield f"'{self.name}' imports what cannot be followed: {unresolved[0]}{more}"


def _source(files: Mapping[str, bytes], main: str) -> Source:
    return Source(main=main, files={path: oid_of(data) for path, data in files.items()})


def _without_equivalents(code: bytes) -> bytes:
    """Return the text of a method with `{}` for the dict that is assigned to `equivalent_hashes`."""
    lines = code.splitlines(keepends=True)
    for node in ast.parse(code).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "equivalent_hashes":
            first, last = node.value.lineno - 1, (node.value.end_lineno or node.value.lineno) - 1
            before = b"".join(lines[:first]) + lines[first][: node.value.col_offset]
            return before + b"{}" + lines[last][node.value.end_col_offset :] + b"".join(lines[last + 1 :])
    return code


def describe(closure: Closure, packages: Mapping[str, Path]) -> dict[str, Json]:
    """Return the declarations of a method as JSON, by importing it in this process.

    Parameters
    ----------
    closure : Closure
        Its code, which runs from these bytes.
    packages : mapping of str to Path
        Folder of each method package, where modules that the closure lacks are found.

    Raises
    ------
    MethodError
        When the method cannot be imported, or declares what cannot be.
    """
    name = closure.name.rpartition(".")[2].removeprefix(METHOD_PREFIX)
    live: list[object] = []
    finder = SourceFinder(
        closure.to_modules(),
        packages,
        lambda module, _path, _code: live.append(module),
        misses=Misses(live.append, closure.imports),
    )
    finder.install()
    try:
        module = finder.execute(closure.name)
        code = closure.files[closure.main]
        return Declarations.from_module(module, code, method=name, settled=not live).to_json()
    except AccError:
        raise
    except (Exception, SystemExit) as err:
        raise MethodError(
            f"cannot load method '{name}': {type(err).__name__}: {err}", hint=_last_place(err, closure)
        ) from err
    finally:
        finder.remove()


def _last_place(error: BaseException, closure: Closure) -> str:
    """Return the last line of project code that led to `error`, or "" when there is none."""
    theirs = {str(path) for path in closure.real.values()}
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename in theirs]
    return f"at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
