"""Buckets that fail at one request: the process dies before it, or its answer is lost on the way."""

import threading

from cas.remote.bucket import Bucket


class Killed(BaseException):
    """The process is dead: nothing that it would do is done."""


class DyingBucket(Bucket):
    """A bucket to whoever dies before his request number `dies_at`.

    Attributes
    ----------
    requests : int
        How many were begun.
    """

    def __init__(self, url, dies_at=10**9):
        super().__init__(url)
        self.dies_at = dies_at
        self.requests = 0
        self._counting = threading.Lock()

    def _ask(self, what, call, **expected):
        with self._counting:
            self.requests += 1
            if self.requests >= self.dies_at:
                raise Killed(what)
        return super()._ask(what, call, **expected)


class DeafBucket(Bucket):
    """A bucket whose request number `lost` is done, and answered by a broken connection."""

    def __init__(self, url, lost):
        super().__init__(url)
        self.lost = lost
        self.requests = 0
        self._counting = threading.Lock()

    def _ask(self, what, call, **expected):
        with self._counting:
            self.requests += 1
            is_lost = self.requests == self.lost
        if not is_lost:
            return super()._ask(what, call, **expected)
        attempts = []

        def call_and_lose(files):
            attempts.append(what)
            found = call(files)
            if len(attempts) == 1:
                raise ConnectionResetError(what)
            return found

        return super()._ask(what, call_and_lose, **expected)
