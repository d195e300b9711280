"""`acc build`: run a build script, or build one job from the command line."""

import time
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from jobs.builder import WouldRun
from jobs.errors import MethodError, UsageError
from jobs.wish import Force, Policy
from porcelain import config, term
from porcelain.arguments import Parser, positive
from porcelain.buildlog import BuildRecord
from porcelain.keyvalue import read_arguments
from porcelain.progress import Progress
from porcelain.project import Project
from porcelain.script import Script, ScriptError, find_scripts, get_script, run_script
from porcelain.urd import Urd


def build(arguments: Sequence[str]) -> int:
    """Run a build script, or build one job."""
    parser = _parser()
    given = parser.parse(arguments, intermixed=True)
    begun = time.monotonic()
    with Progress() as progress, Project(config.here(), progress) as project:
        try:
            _check_workdir(given.workdir, project.config)
            if given.method is None:
                _run_script(project, given, parser)
            else:
                _run_method(project, given, parser)
        except WouldRun as would:
            term.line(str(would))
            return 0
        term.line(f"{progress.summary()}, {term.duration(time.monotonic() - begun)} s")
    return 0


def _parser() -> Parser:
    parser = Parser(
        "build",
        "run a build script, or build one job",
        prints="each job as it is built or reused, what jobs print, and how many of them ran",
    )
    parser.usage = "acc build [SCRIPT] [OPTION ...]\n       acc build -m METHOD [KEY=VALUE ...] [OPTION ...]"
    parser.add_argument(
        "words",
        nargs="*",
        metavar="SCRIPT | KEY=VALUE",
        help="the script: 'walk' is build_walk.py, none is build.py; or the arguments of the method, where the value "
        "of a job, dataset or file is a SPEC: source=dev-2 thefile=dev-2:plot.png",
    )
    parser.add_argument("-m", "--method", metavar="METHOD", help="build one job of this method")
    parser.add_argument(
        "-n",
        "--dry-run",
        action="store_true",
        help="stop at the first job that would run, and say why it would",
    )
    parser.add_argument(
        "--force",
        action="store_true",
        help="run jobs that are there again: all, or those of the METHOD that is named",
    )
    parser.add_argument(
        "--strict",
        action="store_true",
        help="a job that reads files without declaring them fails, and one that did is an error",
    )
    parser.add_argument("-w", "--workdir", default="", help="where new jobs go; by default the first one")
    parser.add_argument(
        "-c",
        "--concurrency",
        type=_concurrency,
        action="append",
        default=[],
        metavar="[METHOD=]N",
        help="run at most so many slices of a job at a time, or of the jobs of one method; repeatable",
    )
    return parser


def _check_workdir(name: str, known: config.Config) -> None:
    # before the build: one that only reuses jobs never asks for a workdir
    if name and name not in known.workdirs:
        raise UsageError(f"no workdir '{name}'", hint="acc.toml has " + ", ".join(known.workdirs))


def _policy(given: Namespace) -> Policy:
    everywhere = [number for method, number in given.concurrency if not method]
    return Policy(
        workdir=given.workdir,
        concurrency=everywhere[-1] if everywhere else None,
        concurrency_of={method: number for method, number in given.concurrency if method},
        only_look=given.dry_run,
        strict=given.strict,
    )


def _concurrency(text: str) -> tuple[str, int]:
    """Return the method and the number that `[METHOD=]N` names; "" is all methods."""
    method, _, number = text.rpartition("=")
    return method, positive(number)


# -- build scripts ---------------------------------------------------------------------------------------------


def _run_script(project: Project, given: Namespace, parser: Parser) -> None:
    words: list[str] = given.words
    if any("=" in word for word in words):
        parser.error("KEY=VALUE goes with -m METHOD")
    if len(words) > 1 + given.force:
        parser.error(f"one build script at a time, not '{' '.join(words)}'")
    script, force = _script_and_force(project, words, force=given.force)
    run_script(project, script, _policy(given), force=force)


def _script_and_force(project: Project, words: Sequence[str], *, force: bool) -> tuple[Script, Force]:
    """Return the script that `words` name, and whether to force all jobs or those of one method."""
    scripts = find_scripts(project.config.root, project.catalog.packages)
    name = words[0] if words else ""
    try:
        script = get_script(scripts, name, Path.cwd())
    except ScriptError:
        if len(words) != 1 or not (force and _is_method(project, name)):
            raise
        # `--force METHOD` without a script: the default one
        return get_script(scripts, "", Path.cwd()), name
    if len(words) == 1:
        return script, force
    return script, _checked_method(project, words[1]) if len(words) > 1 else force


def _is_method(project: Project, name: str) -> bool:
    return any(method.name == name for method in project.catalog.names())


def _checked_method(project: Project, name: str) -> str:
    if not _is_method(project, name):
        raise MethodError(f"no method '{name}'", hint="'acc method' lists them")
    return name


# -- one job ---------------------------------------------------------------------------------------------------


def _run_method(project: Project, given: Namespace, parser: Parser) -> None:
    texts = parser.key_values(given.words)
    declared = project.catalog.get(given.method).declarations
    arguments = read_arguments(texts, declared, project.resolver)
    urd = Urd(project.builder, BuildRecord(given.method), _policy(given), force=given.force)
    urd.build(given.method, **arguments)
