"""Write finished jobs of the method `trivial` into the project here: `manyjobs.py BASE COUNT`.

They are what `acc build overhead` leaves: nodes, result, refs and listing, through the same layers. Only the job
directories are missing, which nobody looks at who reuses a job or lists it; and the objects lie in large packs, as
after `acc repack`. A hundred thousand take a minute, where running them would take a quarter of an hour.
"""

import json
import pickle
import sys
from time import time_ns

from cas.formats.node import encode
from cas.oid import oid_of
from jobs.facets.runs import make_row
from jobs.method.arguments import Arguments
from jobs.nodes.job import JobNode
from jobs.nodes.outcome import FileEntry, Outcome
from jobs.nodes.run import Run, Times
from jobs.reuse.index import Listing
from jobs.reuse.refnames import ACTIONS, label_ref
from porcelain import config
from porcelain.project import Project

METHOD = "trivial"
BATCH = 10_000
MICROS = 5_000


def write(project, base, count):
    """Write the jobs whose option `n` is `base` and the numbers after it."""
    request = project.builder.request(METHOD, Arguments({}, {}, {}), {"n": base})
    source = request.method
    project.store.put_many([*source.closure.files.values(), encode(source.source_node)])
    for start in range(0, count, BATCH):
        objects = []
        numbers = range(start, min(start + BATCH, count))
        rows = [make_job(project, base, number, objects) for number in numbers]
        project.store.put_many(objects)
        with project.refs.transaction(f"{METHOD} done") as transaction:
            for row in rows:
                transaction.set(label_ref(row.workdir, row.number), row.run, old=None)
                transaction.set(ACTIONS + row.key, row.run)
                Listing(transaction).write(row, {})


def make_job(project, base, number, objects):
    """Return the row of a job, and append its objects to `objects`."""
    request = project.builder.request(METHOD, Arguments({}, {}, {}), {"n": base + number})
    result = pickle.dumps(base + number)
    files = {"result.pickle": FileEntry(oid_of(result), len(result))}
    outcome = encode(Outcome(METHOD, request.parts.slices, request.parts.inputs, files, {}))
    job = encode(JobNode(request.parts.source, oid_of(outcome)))
    end = time_ns() // 1000
    node = Run(
        job=oid_of(job),
        source=request.parts.source,
        key=request.key,
        label=f"{project.config.workdir}-{number + 1}",
        method=METHOD,
        times=Times(end - MICROS, end, {"synthesis": MICROS // 10}),
        why="no such job yet",
        environment=request.parts.environment,
        versions={"python": "3", "acc": "0"},
        host="bench",
        user="bench",
    )
    run = encode(node)
    objects += [result, outcome, job, run]
    return make_row(oid_of(run), node, oid_of(outcome))


if __name__ == "__main__":
    base, count = map(int, sys.argv[1:])
    with Project(config.here()) as project:
        write(project, base, count)
    print(json.dumps({"jobs": count}))
