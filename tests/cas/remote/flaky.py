"""A filesystem for tests, over fsspec's memory, whose requests fail or lie as a script says."""

from collections.abc import Callable
from typing import ClassVar

import fsspec
from fsspec.implementations.memory import MemoryFileSystem


class FlakyFileSystem(MemoryFileSystem):
    """Before and after each request it asks what is to happen.

    `before(verb, path)` may raise in place of the request, `after(verb, path, answer)` in place of its answer, or give
    another one.
    """

    protocol = "flaky"
    cachable = False
    store: ClassVar[dict] = {}
    pseudo_dirs: ClassVar[list] = [""]
    before: Callable = staticmethod(lambda verb, path: None)
    after: Callable = staticmethod(lambda verb, path, answer: answer)

    @classmethod
    def _strip_protocol(cls, path):
        return super()._strip_protocol(path.replace("flaky://", "memory://"))

    @classmethod
    def reset(cls):
        cls.store.clear()
        cls.before = staticmethod(lambda verb, path: None)
        cls.after = staticmethod(lambda verb, path, answer: answer)

    def cat_file(self, path, start=None, end=None, **kwargs):
        return self._do(
            "get", path, lambda: super(FlakyFileSystem, self).cat_file(path, start=start, end=end)
        )

    def pipe_file(self, path, value, mode="overwrite", **kwargs):
        verb = "create" if mode == "create" else "put"
        return self._do(verb, path, lambda: super(FlakyFileSystem, self).pipe_file(path, value, mode=mode))

    def put_file(self, lpath, rpath, **kwargs):
        return self._do("put", rpath, lambda: super(FlakyFileSystem, self).put_file(lpath, rpath, **kwargs))

    def find(self, path, **kwargs):
        return self._do("list", path, lambda: super(FlakyFileSystem, self).find(path, **kwargs))

    def rm_file(self, path):
        return self._do("delete", path, lambda: super(FlakyFileSystem, self)._rm(path))

    def _do(self, verb, path, call):
        type(self).before(verb, path)
        return type(self).after(verb, path, call())


fsspec.register_implementation("flaky", FlakyFileSystem, clobber=True)
