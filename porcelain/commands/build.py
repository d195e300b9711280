"""`acc build`: run a build script, or build one job from the command line."""

import ast
import json
import time
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from jobs.builder import WouldRun
from jobs.errors import MethodError, NoSuchFile, UsageError
from jobs.job import Job
from jobs.method.converter import Anything, Converter, FileOfJob, Items, Table, Typed
from jobs.method.declarations import Declarations
from jobs.withfile import JobWithFile
from porcelain import config, term
from porcelain.arguments import Parser, positive
from porcelain.buildlog import BuildRecord
from porcelain.commands.methods import bare
from porcelain.progress import Progress
from porcelain.project import Project
from porcelain.script import Script, ScriptError, find_scripts, get_script, run_script
from porcelain.spec import Resolver, parse
from porcelain.urd import Force, Urd


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
    parser.usage = (
        "acc build [SCRIPT] [-n] [--force [METHOD]] [-w WORKDIR] [-j N]\n"
        "       acc build -m METHOD [KEY=VALUE ...] [-n] [--force] [-w WORKDIR] [-j N]"
    )
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
    parser.add_argument("-w", "--workdir", default="", help="where new jobs go; by default the first one")
    parser.add_argument(
        "-j", "--slices", type=positive, metavar="N", help="run at most so many slices at a time"
    )
    return parser


def _check_workdir(name: str, known: config.Config) -> None:
    # before the build: one that only reuses jobs never asks for a workdir
    if name and name not in known.workdirs:
        raise UsageError(f"no workdir '{name}'", hint="acc.toml has " + ", ".join(known.workdirs))


# -- build scripts ---------------------------------------------------------------------------------------------


def _run_script(project: Project, given: Namespace, parser: Parser) -> None:
    words: list[str] = given.words
    if any("=" in word for word in words):
        parser.error("KEY=VALUE goes with -m METHOD")
    if len(words) > 1 + given.force:
        parser.error(f"one build script at a time, not '{' '.join(words)}'")
    script, force = _script_and_force(project, words, force=given.force)
    run_script(
        project, script, force=force, only_look=given.dry_run, workdir=given.workdir, concurrency=given.slices
    )


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


# -- arguments of a method -------------------------------------------------------------------------------------


def _run_method(project: Project, given: Namespace, parser: Parser) -> None:
    declared = project.catalog.get(given.method).declarations
    arguments: dict[str, Any] = {}
    for word in given.words:
        key, equals, text = word.partition("=")
        if not (equals and key) or key in arguments:
            parser.error(f"'{key}' is given twice" if key in arguments else f"'{word}' is not KEY=VALUE")
        arguments[key] = _argument(text, key, declared, project.resolver)
    urd = Urd(
        project.builder,
        BuildRecord(given.method),
        force=given.force,
        only_look=given.dry_run,
        workdir=given.workdir,
        concurrency=given.slices,
    )
    urd.build(given.method, **arguments)


def _argument(text: str, key: str, declared: Declarations, resolver: Resolver) -> Any:
    """Return what the text of one argument means, read as the method declares it."""
    if key in declared.datasets:
        return _inputs(text, _dataset, resolver, many=declared.datasets[key])
    if key in declared.jobs:
        return _inputs(text, _job, resolver, many=declared.jobs[key])
    return _value(text, declared.options.get(key, Anything()), resolver)


def _job(text: str, resolver: Resolver) -> Job:
    return Job.of(resolver.job(text))


def _dataset(text: str, resolver: Resolver) -> Any:
    # here, not above: it loads numpy, and most arguments are no datasets
    from jobs.dataset.dataset import Dataset

    target = resolver.dataset(text)
    assert target.row is not None
    assert target.oid is not None
    return Dataset.of(Job.of(target.row), target.name, target.oid)


def _inputs(text: str, find: Callable[[str, Resolver], Any], resolver: Resolver, *, many: bool) -> Any:
    if many:
        return [find(word.strip(), resolver) for word in text.split(",") if word.strip()]
    return find(text, resolver) if text else None


def _withfile(text: str, resolver: Resolver) -> JobWithFile:
    """Return the file that SPEC:FILE names; a sliced file is named without its slice number."""
    spec = parse(text)
    if spec.file is None:
        raise NoSuchFile(f"'{text}' is no file of a job", hint="name one as dev-12:plot.png")
    job = _job(text.removesuffix(f":{spec.file}"), resolver)
    files = job.files()
    return job.withfile(spec.file, sliced=spec.file not in files and f"{spec.file}.0" in files)


def _value(text: str, converter: Converter, resolver: Resolver) -> Any:
    """Return what a text on the command line means for an option; what it cannot be is refused by the option."""
    declared = bare(converter)
    if isinstance(declared, Typed):
        return _typed(text, declared)
    if isinstance(declared, FileOfJob):
        return _withfile(text, resolver) if text else None
    if isinstance(declared, Items) and not text.startswith(("[", "(", "{")):
        return [_value(word.strip(), declared.item, resolver) for word in text.split(",") if word.strip()]
    return _literal(text) if isinstance(declared, Items | Table | Anything) else text


def _typed(text: str, declared: Typed) -> Any:
    try:
        return declared.scalar.coerce(text)
    except (TypeError, ValueError, OverflowError):
        return text


def _literal(text: str) -> Any:
    """Return the value of a JSON or Python literal, and any other text as it is."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
