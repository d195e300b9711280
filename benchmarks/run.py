"""Measure acc beside its peer, interleaved in one run, and print one table of medians and ratios.

    make bench                              overhead, chain, cli, scale and slices
    make bench BENCH="ds csv"               any of the twelve that README.md lists

The figures are of the machine as it is now: trust the ratios, and look at the load printed with them.
"""

import os
import signal
import subprocess
import sys

from board import board
from datasets import csv, ds, memory
from engine import chain, cli, overhead
from frames import frames
from remote import remote
from scale import scale, slices
from sides import SLICES, WORK, Acc, Peer
from store import store
from table import Table

WORKLOADS = {
    work.__name__: work
    for work in (overhead, chain, cli, scale, slices, ds, csv, memory, frames, store, remote, board)
}
_WITHOUT_PEER = (store, remote, board)


def main(names):
    """Run the workloads called `names` and print their table."""
    unknown = set(names) - set(WORKLOADS)
    if unknown:
        sys.exit(f"no workload '{min(unknown)}'; there are {' '.join(WORKLOADS)}")
    WORK.mkdir(exist_ok=True)
    table, before = Table(), os.getloadavg()[0]
    try:
        _measure([WORKLOADS[name] for name in names], table)
    finally:
        # what was measured is shown even if the last of it failed
        table.show()
        load = f"load before {before:.2f}, after {os.getloadavg()[0]:.2f}, of {os.cpu_count()} cores"
        print(f"\n{load}; {SLICES} slices")


def _measure(workloads, table):
    for work in workloads:
        if work in _WITHOUT_PEER:
            work(table)
    engine = [work for work in workloads if work not in _WITHOUT_PEER]
    if engine:
        with Acc() as acc, Peer() as peer:
            for work in engine:
                print(f"measuring {work.__name__} ...", file=sys.stderr)
                work((acc, peer), table)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("terminated"))  # or the peer's server would stay
    try:
        main(sys.argv[1:] or ["overhead", "chain", "cli", "scale", "slices"])
    except subprocess.CalledProcessError as error:
        sys.exit(str(error))
