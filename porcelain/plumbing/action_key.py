"""`acc action-key`: the key under which a job would be looked up, and what goes into it."""

import json
from collections.abc import Sequence

from cas.formats.canonical import Json, dumps
from jobs.builder import Builder
from jobs.request import Request
from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.commandline.request import read_request
from porcelain.project import Project


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = Parser(
        "action-key",
        "Print the action key that 'acc build -m METHOD KEY=VALUE ...' would look up; build nothing.",
        prints="KEY; with -v key<TAB>KEY, then NAME<TAB>VALUE for each part of it (VALUE is JSON), then\n"
        "hit<TAB>LABEL of the job that would be reused, or miss<TAB>why it would run. The exit code is 0\n"
        "for both",
    )
    parser.add_argument(
        "-v", "--verbose", action="store_true", help="its parts too, and whether there is a job"
    )
    parser.add_nul()
    parser.usage = "acc action-key [-v] [-z] METHOD [KEY=VALUE ...]"
    # not required by argparse, which then would say that KEY=VALUE is, too
    parser.add_argument("method", nargs="?", metavar="METHOD")
    parser.add_argument(
        "words", nargs="*", metavar="KEY=VALUE", help="its arguments; a job, dataset or file is a SPEC"
    )
    given = parser.parse(arguments, intermixed=True)
    if given.method is None:
        parser.error("give a METHOD")
    texts = parser.key_values(given.words)
    with Project(config.here()) as project:
        request = read_request(project, given.method, texts)
        if given.verbose:
            _print_parts(project.builder, request, nul=given.nul)
        else:
            term.record(request.key, nul=given.nul)
    return 0


def _to_line(value: Json) -> str:
    """Return `value` as JSON that any line can hold: a record's own escapes would be none of JSON's."""
    text = dumps(value).decode()
    return text if text.isprintable() else json.dumps(value)


def _print_parts(builder: Builder, request: Request, *, nul: bool) -> None:
    term.record("key", request.key, nul=nul)
    for name, value in request.parts.named():
        term.record(name, _to_line(value), nul=nul)
    hit = builder.find(request, only_look=True)
    if hit.row is not None:
        term.record("hit", hit.row.label, nul=nul)
    else:
        term.record("miss", builder.explain(request, hit), nul=nul)
