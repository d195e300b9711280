"""acc on obstore's adapter for fsspec in place of s3fs: `remoteobstore.py push origin`; for commands that start no job.

obstore lies in a venv of its own, since acc does not need it.
"""

import sys

import fsspec
from venvs import site_packages

sys.path.append(str(site_packages("obstore")))
from obstore.exceptions import AlreadyExistsError
from obstore.fsspec import FsspecStore

from acc.__main__ import main


class ObstoreS3(FsspecStore):
    """obstore for `s3://`, with what acc asks of s3fs: it creates exclusively, and lists a prefix with times."""

    protocol = "s3"

    def __init__(self, *, endpoint_url=None, asynchronous=False, loop=None, **_of_s3fs):
        super().__init__(
            config={"endpoint": endpoint_url} if endpoint_url else None,
            client_options={"allow_http": True},
            asynchronous=asynchronous,
            loop=loop,
        )

    def connect(self):
        """Do nothing: obstore connects with the first request."""

    async def _pipe_file(self, path, value, mode="overwrite", **_kwargs):
        bucket, key = self._split_path(path)
        try:
            await self._construct_store(bucket).put_async(key, value, mode=mode)
        except AlreadyExistsError as err:
            raise FileExistsError(path) from err

    async def _cat_file(self, path, start=None, end=None, **_kwargs):
        if end is None and not start:
            return await super()._cat_file(path)
        return await super()._cat_file(path, start, end)

    async def _find(self, path, *, prefix="", detail=False, **_kwargs):
        bucket, root = self._split_path(path)
        wanted = f"{root}/{prefix}"
        # obstore lists folders only
        listed = self._construct_store(bucket).list(wanted.rpartition("/")[0])
        found = {
            f"{bucket}/{entry['path']}": {
                "name": f"{bucket}/{entry['path']}",
                "size": entry["size"],
                "type": "file",
                "ETag": entry["e_tag"],
                "LastModified": entry["last_modified"],
            }
            for entry in await listed.collect_async()
            if entry["path"].startswith(wanted)
        }
        return found if detail else sorted(found)


if __name__ == "__main__":
    fsspec.register_implementation("s3", ObstoreS3, clobber=True)
    main()  # ends the process at once: in the usual end of Python obstore's threads abort one process in ten
