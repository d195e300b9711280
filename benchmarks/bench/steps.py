"""The steps of a build script: when each began and ended, by a clock that all processes of a machine share."""

import json
import os
from contextlib import contextmanager
from time import monotonic


class Steps:
    """What is written to $BENCH_OUT: the seconds that each step took, and when it began and ended."""

    def __init__(self):
        self.seconds, self.spans = {}, {}

    @contextmanager
    def step(self, name):
        """Note what is done within as the step `name`."""
        start = monotonic()
        yield
        self.spans[name] = start, monotonic()
        self.seconds[name] = self.spans[name][1] - start

    def write(self, **found):
        """Write the steps, and what else was found."""
        with open(os.environ["BENCH_OUT"], "w") as file:
            json.dump(found | {"seconds": self.seconds, "spans": self.spans}, file)
