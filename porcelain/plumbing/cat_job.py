"""`acc cat-job`: the nodes of a job as JSON, without clock or host unless its run is asked for."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from cas.formats.node import get_node
from jobs.errors import NoSuchJob
from jobs.nodes.source import Source
from porcelain import config, term
from porcelain.commandline.arguments import Parser
from porcelain.spec import open_resolver

if TYPE_CHECKING:
    from cas.formats.canonical import Json
    from jobs.nodes.listing import JobRow
    from porcelain.spec import Resolver


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = Parser(
        "cat-job",
        "Print a job: its source and its outcome, equal wherever the same work was done.",
        prints="a JSON object: ids of job, source, outcome; source_files; and what the outcome says",
    )
    parser.add_argument(
        "--run",
        action="store_true",
        help="add the run: label, times, host, why; the only way for a failed job",
    )
    parser.add_argument("spec", metavar="SPEC")
    given = parser.parse(arguments)
    resolver = open_resolver(config.here())
    row = resolver.job(given.spec)
    if row.job is None and not given.run:
        raise NoSuchJob(f"job '{row.label}' failed, so it has a run only", hint="ask with --run")
    shown = _job(resolver, row) if row.job else {}
    if given.run:
        run = resolver.run(row)
        shown["run"] = {"id": row.run, **run.to_body()}
    term.emit_json(shown)
    return 0


def _job(resolver: "Resolver", row: "JobRow") -> "dict[str, Json]":
    outcome = resolver.outcome(row)
    source_id = resolver.run(row).source
    source = get_node(resolver.store, source_id, Source)
    return {
        "job": row.job,
        "source": source_id,
        "outcome": row.outcome,
        "source_files": dict(source.files),
        **outcome.to_body(),
    }
