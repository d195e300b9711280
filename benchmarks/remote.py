"""The workload `remote`: a bucket between two projects, beside DVC, restic and the AWS command line."""

import os
import shutil
import sys

from remoteprojects import (
    Acc,
    AccOnObstore,
    find_lack,
    large_object,
    make_project,
    stored_bytes,
)
from remoteproxy import CountingProxy
from remoteservers import FOLDER, Moto, SeaweedFS
from remotetools import CLIENTS, AwsCopy, make_bucket
from sharing.contents import BLOCK_BYTES, RECORD_BYTES, record
from sides import JOBS, REPS, warm

SCALE = float(os.environ.get("BENCH_SCALE", "1"))
FILES = int(10_000 * SCALE)
LARGE_BYTES = max(1, int(128 * SCALE)) * BLOCK_BYTES
ROWS = int(100_000 * SCALE)
COLUMN = "c7"
BASE = 1

SERVERS = {kind.name: kind for kind in (SeaweedFS, Moto)}
CORPUS = FOLDER / "corpus"


def remote(table):
    """Measure all of it into `table`, at each server, or at the one that is asked for."""
    asked = os.environ.get("BENCH_SERVER")
    if asked and asked not in SERVERS:
        sys.exit(f"no server '{asked}'; there are {' '.join(SERVERS)}")
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    _say("making what is sent")
    _write_corpus()
    make_project("large", BYTES=LARGE_BYTES)
    lack = find_lack()
    if lack:
        table.note(f"{lack}, so those beside acc were measured alone")
    else:
        make_project("records", FILES=FILES)
        make_project("wide", ROWS=ROWS)
    for client in CLIENTS:
        if not client.is_installed():
            table.note(f"{client.name} is not installed, so it was left out")
    for server in (SERVERS[name]() for name in ([asked] if asked else SERVERS)):
        small_files(table, server, able=not lack)
        large_file(table, server, able=not lack)
        if not lack:
            reuse(table, server)
            one_column(table, server)
    shutil.rmtree(FOLDER)


def small_files(table, server, *, able):
    """Many small files: sent, sent again, brought to where nothing is; times, then requests."""
    what = f"{FILES:,} x 2 KB"
    steps = [
        (f"push {what}", {"wanted": 0.1}, 12, lambda side: side.push()),
        (f"push {what} again", {}, 5, lambda side: side.push_again()),
        (f"fetch {what}", {"wanted": 0.1}, 12, lambda side: side.fetch()),
    ]
    sides = [*_ours("records", able=able), *(client() for client in CLIENTS if client.is_installed())]
    for side in sides:
        _say(f"{server.name}: {what}, preparing {side.name}")
        side.make(CORPUS)
    for rep in range(REPS):
        with server:
            make_bucket(server.endpoint)
            for side in sides:
                _say(f"{server.name}: {what}, {side.name}, round {rep + 1} of {REPS}")
                side.aim(server.endpoint)
                warm(CORPUS)
                for name, rules, _, step in steps:
                    row = table.row(f"{server.name}: {name}", unit="s", beside=("dvc",), **rules)
                    row.add(side.name, step(side))
                    cpu = table.row(f"{server.name}: {name}, CPU", unit="s", beside=("dvc",))
                    cpu.add(side.name, side.cpu_seconds)
                assert side.has_fetched(), f"{side.name} did not bring all back"
    with server, CountingProxy(server.port) as proxy:
        make_bucket(server.endpoint)
        for side in sides:
            _say(f"{server.name}: {what}, counting the requests of {side.name}")
            side.aim(proxy.endpoint)
            for name, _, limit, step in steps:
                row = table.row(
                    f"{server.name}: {name}, requests", unit="requests", limit=limit, beside=("dvc",)
                )
                proxy.forget()
                step(side)
                row.add(side.name, len(proxy.requests))
                _explain(table, f"{server.name}: {name}", side, proxy)


def large_file(table, server, *, able):
    """One large object, beside a copy of its compressed bytes."""
    what = f"{server.name}: push {LARGE_BYTES >> 20:,} MiB, compressed {large_object().stat().st_size >> 20:,} MiB"
    row = table.row(what, unit="s", wanted=1.2, beside=("aws s3 cp",))
    cpu = table.row(f"{what}, CPU", unit="s", beside=("aws s3 cp",))
    requests = table.row(f"{what}, requests", unit="requests", beside=("aws s3 cp",))
    sides = [*_ours("large", able=able), AwsCopy()]
    for side in sides:
        side.make(large_object())
    for rep in range(REPS):
        with server:
            make_bucket(server.endpoint)
            for side in sides:
                _say(f"{what}, {side.name}, round {rep + 1} of {REPS}")
                side.aim(server.endpoint)
                warm(large_object().parent)
                row.add(side.name, side.push())
                cpu.add(side.name, side.cpu_seconds)
    with server, CountingProxy(server.port) as proxy:
        make_bucket(server.endpoint)
        for side in sides:
            side.aim(proxy.endpoint)
            proxy.forget()
            side.push()
            requests.add(side.name, len(proxy.requests))
            _explain(table, what, side, proxy)


def reuse(table, server):
    """Build what another project has built and published, whose files nobody reads."""
    what = f"{server.name}: {JOBS} jobs, all hits at the remote"
    row = table.row(what, unit="s")
    requests = table.row(f"{what}, requests", unit="requests", limit=JOBS + 10)
    given = {"N": JOBS, "BASE": BASE, "OUT": FOLDER / "out.json"}
    acc = Acc()
    for rep in range(REPS):
        with server, CountingProxy(server.port) as proxy:
            make_bucket(server.endpoint)
            _say(f"{what}, round {rep + 1} of {REPS}")
            for endpoint in (server.endpoint, proxy.endpoint):
                acc.aim(endpoint)
                acc.build(acc.a, "overhead", **given)
                proxy.forget()
                seconds, reused = acc.build(acc.b, "overhead", **given)
                assert reused, "project B was to find all jobs at the remote"
                if endpoint == proxy.endpoint:
                    requests.add(acc.name, len(proxy.requests))
                    _explain(table, what, acc, proxy)
                else:
                    row.add(acc.name, seconds)
                    row.add("hits here", acc.build(acc.b, "overhead", **given)[0])


def one_column(table, server):
    """Read one column of a dataset that is at the remote: what comes, beside what the column has stored."""
    row = table.row(
        f"{server.name}: read one of 100 columns, bytes that come",
        unit="bytes",
        wanted=1.1,
        beside=("the column",),
    )
    acc = Acc("wide")
    with server, CountingProxy(server.port) as proxy:
        make_bucket(server.endpoint)
        _say(f"{server.name}: one column of 100")
        acc.aim(proxy.endpoint)
        acc.push()
        reused = acc.build(acc.b, "wide", ROWS=ROWS)[1]
        assert reused, "project B was to find the dataset at the remote"
        proxy.forget()
        acc.build(acc.b, "wide", ROWS=ROWS, COLUMN=COLUMN)
        row.add(acc.name, proxy.received_bytes)
        row.add("the column", stored_bytes(COLUMN))


def _ours(script, *, able):
    return [Acc(script), AccOnObstore(script)] if able else []


def _explain(table, what, side, proxy):
    """Have the table tell what acc's requests were."""
    if isinstance(side, Acc):
        sent, received = (f"{count / 1e6:,.1f} MB" for count in (proxy.sent_bytes, proxy.received_bytes))
        table.note(f"{what}: {side.name}: {proxy.methods()}; {sent} there, {received} back")


def _write_corpus():
    """Write the files that `build_records` has acc write."""
    CORPUS.mkdir()
    for number in range(FILES):
        data = record(number)
        assert len(data) == RECORD_BYTES
        (CORPUS / f"{number:05d}.json").write_bytes(data)


def _say(text):
    print(f"{text} ...", file=sys.stderr)
