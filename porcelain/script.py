"""Build scripts: find one by name, and run its `main(urd)`."""

import inspect
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NamedTuple

from cas.errors import AccError
from jobs import context
from jobs.errors import MethodError
from jobs.execution.tracebacks import is_ours, one_line, user_traceback
from jobs.method.finder import import_live
from jobs.nodes.build import DONE
from jobs.wish import AS_USUAL, Force, Policy
from porcelain import config, term
from porcelain.buildlog import BuildRecord
from porcelain.project import Project
from porcelain.sessions.urdsession import to_horizon
from porcelain.urd import Surroundings, Urd
from porcelain.views.method_views import docstring
from porcelain.views.plain import View
from porcelain.watching.hearing import ScriptOutput

_PREFIX = "build"


class ScriptError(AccError):
    """A build script that is not there, or that raised; `traceback` is the user's part of it, or ""."""

    def __init__(self, message: str, *, hint: str = "", traceback: str = "") -> None:
        super().__init__(message, hint=hint)
        self.traceback = traceback


@dataclass(frozen=True, slots=True)
class Script:
    """A build script: its name as `acc build NAME` wants it ("" for build.py), and its file."""

    name: str
    package: str
    path: Path

    @property
    def title(self) -> str:
        """The name for people."""
        return self.name or _PREFIX


def find_scripts(root: Path, packages: Mapping[str, Path]) -> list[Script]:
    """Return the build scripts of a project: those in its method packages, and those beside acc.toml."""
    folders = [*packages.items(), ("", root)]
    return [Script(_name_of(path), package, path) for package, folder in folders for path in _files(folder)]


def _files(folder: Path) -> Iterable[Path]:
    return sorted({*folder.glob(f"{_PREFIX}.py"), *folder.glob(f"{_PREFIX}_*.py")})


def _name_of(path: Path) -> str:
    return path.stem.removeprefix(_PREFIX).removeprefix("_")


def to_view(script: Script, root: Path) -> View:
    """Return a script as `acc script` lists it."""
    path = script.path
    return {
        "name": script.title,
        "file": path.relative_to(root).as_posix() if path.is_relative_to(root) else str(path),
        "description": docstring(path),
    }


def get_script(scripts: Iterable[Script], name: str, here: Path) -> Script:
    """Return the script that `name` names: "walk", "build_walk", "build_walk.py", a path; "" is build.py.

    Raises
    ------
    ScriptError
        When there is none, or more than one in different packages.
    """
    known = list(scripts)
    path = (here / name).resolve()
    if name.endswith(".py") and path.is_file():
        # one that is known has a package, from which it may import
        there = (script for script in known if script.path.resolve() == path)
        return next(there, Script(_name_of(path), "", path))
    wanted = _name_of(Path(name)) if name.startswith(_PREFIX) else name
    found = [script for script in known if wanted in (script.name, f"{script.package}.{script.name}")]
    if not found and not name and len(known) == 1:
        return known[0]
    if len(found) == 1:
        return found[0]
    if found:
        raise ScriptError(
            f"build script '{name or _PREFIX}' is there twice",
            hint="say which: " + " or ".join(f"acc build {_shown(script.path, here)}" for script in found),
        )
    raise _no_script(name, [script.title for script in known])


def _shown(path: Path, here: Path) -> str:
    return str(path.relative_to(here)) if path.is_relative_to(here) else str(path)


def _no_script(name: str, known: list[str]) -> ScriptError:
    close = get_close_matches(name, known, n=1)
    hint = f"did you mean '{close[0]}'?" if close else "there is " + ", ".join(known) if known else ""
    return ScriptError(
        f"no build script 'build_{name}.py'" if name else "no build script 'build.py'",
        hint=hint or "write it, with a function main(urd), beside acc.toml or in a method package",
    )


class Asked(NamedTuple):
    """What a script is asked to do, beside how its jobs run.

    Attributes
    ----------
    force : bool or str
        True: every job runs; a text: those of that method.
    flags : sequence of str
        What the script finds in `urd.flags`.
    horizon : str or None
        A timestamp: `urd.latest` looks no further.
    """

    force: Force = False
    flags: Sequence[str] = ()
    horizon: str | None = None

    def to_texts(self) -> dict[str, str]:
        """Return what was given of what the script can see."""
        texts = {"flags": ",".join(self.flags), "horizon": self.horizon or ""}
        return {name: text for name, text in texts.items() if text}


NOTHING_ELSE: Final = Asked()


def run_script(
    project: Project, script: Script, policy: Policy = AS_USUAL, asked: Asked = NOTHING_ELSE
) -> int:
    """Call `main(urd)` of a script, write the build down however it ends, and return its exit code.

    That is what `main` returned if it is a number, else 0.

    Raises
    ------
    JobFailed
        When a job failed and the script let it through.
    ScriptError
        When the script itself raised; other errors of acc pass as they are.
    """
    horizon = to_horizon(asked.horizon)
    record = BuildRecord(
        script.title,
        user=config.urd_user(),
        asked=asked.to_texts(),
        take_number=None if policy.only_look else project.buildlog.take_number,
    )
    around = Surroundings(
        lambda: project.urdlog(only_look=policy.only_look), _info(project), frozenset(asked.flags), horizon
    )
    urd = Urd(project.builder, record, policy, force=asked.force, around=around)
    status = "interrupted"
    code = 0
    try:
        with nullcontext() if policy.only_look else _listening(project, record):
            code = _call(project, script, urd)
        status = DONE if code == 0 else f"main returned {code}"
    except AccError as err:
        status = str(err)
        raise
    except Exception as err:
        if is_ours(err):
            raise
        status = one_line(err)
        raise ScriptError(
            f"build script '{script.title}' raised {status}", traceback=user_traceback(err)
        ) from err
    finally:
        if not policy.only_look:
            project.buildlog.write(record.to_node(status, project.results.made), record.number)
            project.keep_packs_few()
    return code


@contextmanager
def _listening(project: Project, record: BuildRecord) -> Iterator[None]:
    """Write down what is said in a block; what the script warned of is shown at its end."""
    hearing = project.listener
    with ScriptOutput(project.store) as output:
        hearing.warnings, hearing.output = record.warnings, output
        try:
            yield
        finally:
            hearing.warnings = hearing.output = None
            record.output = output.commit()
            with output.aside():
                term.boxed(record.said)


def _info(project: Project) -> dict[str, Any]:
    known = project.config
    return {
        "slices": known.slices,
        "project_directory": str(known.root),
        "input_directory": str(known.input_directory),
        "result_directory": str(known.result_directory),
        "urd": config.urd_user(),
    }


def _call(project: Project, script: Script, urd: Urd) -> int:
    main = getattr(_load(project, script), "main", None)
    if main is None:
        raise MethodError(f"build script '{script.path}' has no function main(urd)")
    known = {"urd": urd}
    wanted = inspect.signature(main).parameters.values()
    for parameter in wanted:
        if parameter.name not in known and parameter.default is parameter.empty:
            raise MethodError(
                f"main of build script '{script.path}' asks for '{parameter.name}'", hint="it can have urd"
            )
    with context.using(replace(project.context, build=urd.build)), urd.ending():
        returned = main(
            **{parameter.name: known[parameter.name] for parameter in wanted if parameter.name in known}
        )
    return returned if isinstance(returned, int) and not isinstance(returned, bool) else 0


def _load(project: Project, script: Script) -> ModuleType:
    try:
        return import_live(script.path, script.package, project.catalog.packages)
    except (ImportError, SyntaxError) as err:
        # here, not where other errors are: these come from the import itself, so no line of the user raised them
        raise ScriptError(
            f"cannot load build script '{script.title}': {one_line(err)}", traceback=user_traceback(err)
        ) from err
