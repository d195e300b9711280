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
    """obstore for `s3://`, made with the options of s3fs. It creates exclusively and lists times, as s3fs does."""

    protocol = "s3"

    def __init__(self, *, endpoint_url=None, asynchronous=False, loop=None, **_of_s3fs):
        super().__init__(
            config={"endpoint": endpoint_url} if endpoint_url else None,
            client_options={"allow_http": True},
            asynchronous=asynchronous,
            loop=loop,
        )

    async def _pipe_file(self, path, value, mode="overwrite", **_kwargs):
        bucket, key = self._split_path(path)
        try:
            await self._construct_store(bucket).put_async(key, value, mode=mode)
        except AlreadyExistsError as err:
            raise FileExistsError(path) from err

    async def _ls(self, path, *, detail=True, **_kwargs):
        bucket, prefix = self._split_path(path)
        listed = await self._construct_store(bucket).list_with_delimiter_async(prefix)
        found = [
            {
                "name": f"{bucket}/{entry['path']}",
                "size": entry["size"],
                "type": "file",
                "ETag": entry["e_tag"],
                "LastModified": entry["last_modified"],
            }
            for entry in listed["objects"]
        ]
        found += [
            {"name": f"{bucket}/{folder}", "size": 0, "type": "directory"}
            for folder in listed["common_prefixes"]
        ]
        if not found:
            raise FileNotFoundError(path)
        return found if detail else sorted(entry["name"] for entry in found)


if __name__ == "__main__":
    fsspec.register_implementation("s3", ObstoreS3, clobber=True)
    main()  # ends the process at once: in the usual end of Python obstore's threads abort one process in ten
