"""`acc` as others run it: how soon they tell of a job, how long until they count as dead, and its arguments."""

import sys

from jobs.remote.sharedlease import Pace
from porcelain.cli import main
from porcelain.project import Project

if __name__ == "__main__":
    announce, stale, *arguments = sys.argv[1:]
    Project.pace = Pace(
        announce_seconds=float(announce), beat_seconds=0.2, ask_seconds=0.05, stale_seconds=float(stale)
    )
    sys.exit(main(arguments))
