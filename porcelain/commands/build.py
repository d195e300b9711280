"""`acc build`: run a build script, or build one job from the command line."""

import os
import signal
import sys
import time
from argparse import ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from cas.errors import AccError
from jobs.builder import WouldRun
from jobs.errors import MethodError
from jobs.limits import Limits, parse_bytes, parse_seconds
from jobs.wish import Force, Policy
from porcelain import config, term
from porcelain.buildlog import BuildRecord
from porcelain.commandline.arguments import Parser, positive
from porcelain.commandline.keyvalue import read_arguments
from porcelain.project import Project
from porcelain.script import Asked, Script, ScriptError, find_scripts, get_script, run_script
from porcelain.sessions.urdsession import to_horizon
from porcelain.signals import ending_in_order
from porcelain.urd import Urd
from porcelain.watching.progress import Progress
from porcelain.watching.publishing import publishing

if TYPE_CHECKING:
    from jobs.execution.executors import Executor

Value = TypeVar("Value")


def build(arguments: Sequence[str]) -> int:
    """Run a build script, or build one job."""
    parser = _parser()
    given = parser.parse(arguments, intermixed=True)
    begun = time.monotonic()
    code = 0
    executor = _executor_for_debugging() if given.debug else None
    progress = Progress(debug=given.debug)
    with ending_in_order(), progress, Project(config.here(), progress, executor) as project:
        try:
            _check_names(project, given)
            _start_board(project, given)
            with publishing(project.sharing), _watched(project, progress, given):
                if given.method is None:
                    code = _run_script(project, given, parser)
                else:
                    _run_method(project, given, parser)
        except WouldRun as would:
            _tell(project, would) if _asks_why(given) else term.line(str(would))
            return 0
        term.line(f"{progress.summary()}, {term.duration(time.monotonic() - begun)} s")
    return code


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
        help="stop at the first job that would run, and say why it would, or where it would be taken from",
    )
    parser.add_argument(
        "--why", action="store_true", help="the same, and tell all that 'acc why' would of that job"
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
        "--debug",
        action="store_true",
        help="run jobs and their slices one by one in this process, at the terminal, so that breakpoint() works in "
        "them; they are not reused later",
    )
    parser.add_argument(
        "-c",
        "--concurrency",
        type=_concurrency,
        action="append",
        default=[],
        metavar="[METHOD=]N",
        help="run at most so many slices of a job at a time, or of the jobs of one method; repeatable",
    )
    parser.add_argument(
        "-f",
        "--flags",
        type=_flags,
        default=[],
        metavar="A,B",
        help="words for the script, which finds them in urd.flags",
    )
    parser.add_argument(
        "--horizon",
        type=_parsed(_horizon),
        metavar="TIMESTAMP",
        help="urd.latest looks no further than this, as 2019-12",
    )
    parser.add_argument(
        "--max-rss",
        type=_parsed(parse_bytes),
        metavar="SIZE",
        help="end a job whose processes use more memory together, as 4G or 500M; it fails then",
    )
    parser.add_argument(
        "--timeout",
        type=_parsed(parse_seconds),
        metavar="TIME",
        help="end a job that runs longer, as 1h or 90s; it fails then. While it waits for subjobs does not count",
    )
    return parser


def _flags(text: str) -> list[str]:
    return [word for word in text.split(",") if word]


def _start_board(project: Project, given: Namespace) -> None:
    """Start the board in the background when acc.toml wants that, and none runs."""
    settings = project.config.board
    if settings is None or not settings.autostart or given.dry_run or _asks_why(given):
        return
    # here, not above: most projects do not want it
    from porcelain.board.starting import start_unless_there

    told = start_unless_there(project.config, project.is_news)
    if told is not None:
        text, is_warning = told
        term.warn(text) if is_warning else term.note(text)


@contextmanager
def _watched(project: Project, progress: Progress, given: Namespace) -> Iterator[None]:
    """Have the build show itself to `acc status`, and to who sends it a signal, inside the block."""
    folder = project.config.data / "tmp" / project.store.pins.name
    title = given.method or (given.words[0] if given.words else "build")
    with progress.underway.shown_in(folder, title), _on_signals(progress.show_status):
        yield


@contextmanager
def _on_signals(show: Callable[[], None]) -> Iterator[None]:
    # ^T on terminals that have it sends SIGINFO
    numbers = [getattr(signal, name) for name in ("SIGUSR1", "SIGINFO") if hasattr(signal, name)]
    before = {number: signal.signal(number, lambda *_: show()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _executor_for_debugging() -> "Executor":
    """Return what runs jobs in this process, begun again with the environment that decides what comes out of them."""
    # here, not above: they load all that runs jobs
    from jobs.execution.executors.serial import SerialExecutor
    from jobs.execution.zygote import ENVIRONMENT

    if not config.has_environment(ENVIRONMENT):
        term.flush()
        environment = {**config.job_environment(), **ENVIRONMENT}
        os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], environment)
    return SerialExecutor(at_terminal=True)


def _check_names(project: Project, given: Namespace) -> None:
    # before the build: one that only reuses jobs never asks for them
    project.builder.checked_workdir(given.workdir)
    for method, _ in given.concurrency:
        if method:
            _checked_method(project, method)


def _policy(given: Namespace) -> Policy:
    everywhere = [number for method, number in given.concurrency if not method]
    return Policy(
        workdir=given.workdir,
        concurrency=everywhere[-1] if everywhere else None,
        concurrency_of={method: number for method, number in given.concurrency if method},
        limits=Limits(given.max_rss, given.timeout),
        only_look=given.dry_run or _asks_why(given),
        strict=given.strict,
    )


def _concurrency(text: str) -> tuple[str, int]:
    """Return the method and the number that `[METHOD=]N` names; "" is all methods."""
    method, _, number = text.rpartition("=")
    return method, positive(number)


def _asks_why(given: Namespace) -> bool:
    # the flag is the peer's name for it
    return given.why or "why_build" in given.flags


def _tell(project: Project, would: WouldRun) -> None:
    # here, not above: most builds build
    from jobs.explain import explain
    from porcelain.commands.explain import print_explanation
    from porcelain.views.explanations import explanation

    print_explanation(explanation(project.store, explain(project.builder, would.request)))


def _parsed(parse: Callable[[str], Value]) -> Callable[[str], Value]:
    """Return `parse` for `type=` of an argument."""

    def parsed(text: str) -> Value:
        try:
            return parse(text)
        except AccError as err:
            raise ArgumentTypeError(f"{err}: {err.hint}") from None

    return parsed


def _horizon(text: str) -> str:
    to_horizon(text)
    return text


# -- build scripts ---------------------------------------------------------------------------------------------


def _run_script(project: Project, given: Namespace, parser: Parser) -> int:
    words: list[str] = given.words
    if any("=" in word for word in words):
        parser.error("KEY=VALUE goes with -m METHOD")
    if len(words) > 1 + given.force:
        parser.error(f"one build script at a time, not '{' '.join(words)}'")
    script, force = _script_and_force(project, words, force=given.force)
    return run_script(project, script, _policy(given), Asked(force, given.flags, given.horizon))


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
