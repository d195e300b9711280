"""The porcelain commands: which there are, their help, and the one that was asked for."""

from collections.abc import Mapping
from importlib import import_module
from typing import NamedTuple

from porcelain import term

USAGE = 2


class Command(NamedTuple):
    """A command: the room in `porcelain/commands/` with the function of its name, and its one-line help."""

    room: str
    summary: str


GROUPS: Mapping[str, Mapping[str, Command]] = {
    "work": {
        "init": Command("init", "make a folder a project that runs at once"),
        "build": Command("build", "run a build script, or build one job"),
        "status": Command("status", "show what the builds of the project are doing now"),
    },
    "look back": {
        "log": Command("history", "list jobs, newest first"),
        "chain": Command("history", "list a job and those before it in its chain, oldest first"),
        "job": Command("inspect", "show everything about one job"),
        "ds": Command("ds", "show a dataset: columns, types, lines, chain, first rows"),
        "grep": Command("grep", "print the rows of datasets that match a pattern"),
        "hist": Command("hist", "show how the values of a column are distributed"),
        "du": Command("du", "show what jobs cost, alone and shared with others"),
        "why": Command("explain", "tell why a job ran, or what a build would do now"),
        "diff": Command("diff", "show what differs between two jobs, files or datasets"),
        "urd": Command("urd", "list urd lists and their sessions, or show one"),
        "sherlock": Command("sherlock", "tell which job made a file"),
        "show": Command("inspect", "show whatever a name stands for: a job, file, dataset, build ..."),
    },
    "make sure": {
        "verify": Command("reproduce", "run jobs again and compare what comes of them"),
        "rerun": Command("reproduce", "run a job again as it was, and keep it under a new label"),
    },
    "results": {
        "board": Command("board", "show the project in a browser"),
        "results": Command("history", "list the result links"),
        "link": Command("inspect", "link a file of a job into the result directory"),
        "checkout": Command("inspect", "put files of a job back into its job directory"),
    },
    "with others": {
        "remote": Command("remotes", "list, add, show or remove remotes"),
        "push": Command("push", "send jobs, urd sessions and result links to a remote"),
        "fetch": Command("pull", "bring what a remote has, to be looked at"),
        "pull": Command("pull", "bring what a remote has, and list it here"),
        "clone": Command("clone", "make a project of what a remote has"),
    },
    "the project": {
        "method": Command("methods", "list methods, or describe one"),
        "script": Command("methods", "list build scripts"),
        "workdir": Command("history", "list workdirs"),
    },
}
COMMANDS: Mapping[str, Command] = {
    name: command for group in GROUPS.values() for name, command in group.items()
}
PLUMBING: Mapping[str, str] = {
    "action-key": "print the action key of a job that may not be there yet",
    "cat-dataset": "print the rows of a dataset as CSV, JSON or Arrow",
    "cat-file": "print kind, size or content of an object",
    "cat-job": "print a job's nodes as JSON",
    "count-objects": "print how many objects there are, and what they take",
    "fsck": "check every object and every link, and mend what is hurt",
    "gc": "take away what nothing reaches, and old jobs if asked",
    "hash-object": "print the object id of files",
    "ls-objects": "print the ids of all objects",
    "ls-remote": "print the refs of a remote",
    "repack": "merge small packs, and pack loose objects",
    "rev-parse": "print the object id that a name stands for",
    "show-ref": "print refs",
    "update-ref": "set refs, or make them again from the store",
    "verify-pack": "read every byte of packs",
}
_NAMES = (
    "a job is named by its label (dev-12, dev-LATEST), its method (the newest job",
    "of it) or its id; dev-12~2 is two before it, dev-12^ its previous,",
    "dev-12.source an input; dev-12:plot.png is a file of it, dev-12/name a dataset;",
    "build-7:NAME is a job of a build, :LIST/TIMESTAMP:NAME one of an urd session;",
    "dev-12@origin is what the remote origin calls so",
)


def run(arguments: list[str]) -> int:
    """Run the porcelain command that `arguments` begin with, and return its exit code."""
    name = arguments[0] if arguments else "--help"
    if name in ("--help", "-h", "help"):
        _print_help()
        return 0
    if name in ("--version", "-V"):
        term.line(f"acc {_version()}")
        return 0
    if name not in COMMANDS:
        return _refuse(name)
    room = import_module(f"porcelain.commands.{COMMANDS[name].room}")
    return int(getattr(room, name)(arguments[1:]))


def _refuse(name: str) -> int:
    from difflib import get_close_matches

    close = get_close_matches(name, [*COMMANDS, *PLUMBING], n=1)
    what = "option" if name.startswith("-") else "command"
    term.note(f"acc: no {what} '{term.printable(name)}'")
    term.note(f"hint: did you mean '{close[0]}'?" if close else "hint: 'acc --help' lists the commands")
    return USAGE


def _print_help() -> None:
    term.line("acc runs your data programs as jobs, and never computes the same thing twice")
    term.line()
    term.line("usage: acc COMMAND [ARGUMENT ...]      acc COMMAND --help      acc --version")
    for title, commands in GROUPS.items():
        term.section(title, [(f"{name:<11}", command.summary) for name, command in commands.items()])
    term.section("plumbing, for programs", list(PLUMBING.items()))
    term.line()
    for text in _NAMES:
        term.line(text)


def _version() -> str:
    from importlib.metadata import version

    return version("acc")
