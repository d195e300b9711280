"""Two S3 servers: moto, which is small and lets everybody in, and SeaweedFS, which is real."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.servers.place import Place, s3_keys
from tests.servers.server import Server, answers

OWNER = ("testkey", "testsecret")
READER = ("readkey", "readsecret")
IDENTITIES = {
    "identities": [
        {
            "name": "owner",
            "credentials": [{"accessKey": OWNER[0], "secretKey": OWNER[1]}],
            "actions": ["Admin", "Read", "List", "Tagging", "Write"],
        },
        {
            "name": "reader",
            "credentials": [{"accessKey": READER[0], "secretKey": READER[1]}],
            "actions": ["Read", "List"],
        },
    ]
}


class S3Server(Server):
    """What the two have in common."""

    _filesystem: Any = None
    _shared: Place | None = None

    @property
    def url(self) -> str:
        """The endpoint."""
        return f"http://127.0.0.1:{self.ports[0]}"

    def new_bucket(self) -> Place:
        """Make an empty bucket; return a place in it."""
        bucket = f"bucket-{uuid4().hex[:16]}"
        place = Place(f"s3://{bucket}/team/acc", {"endpoint_url": self.url}, **s3_keys(*OWNER))
        if self._filesystem is None:  # kept: to make one takes a tenth of a second
            self._filesystem = place.filesystem()
        self._filesystem.mkdir(bucket)
        return place

    def new_place(self) -> Place:
        """Return an empty place in a bucket that others use too: to make a bucket takes a while."""
        if self._shared is None:
            self._shared = self.new_bucket()
        return replace(self._shared, url=f"{self._shared.url}/{uuid4().hex[:16]}")


class Moto(S3Server):
    """moto: in memory; keys, signatures and checksums are not looked at."""

    name = "moto"

    def command(self) -> Sequence[str]:
        return [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.ports[0])]

    def is_ready(self) -> bool:
        return answers(self.ports[0])


class Seaweed(S3Server):
    """SeaweedFS: on disk; knows two keys, of the owner and of a reader."""

    name = "seaweed"
    port_count = 8

    def command(self) -> Sequence[str]:
        s3, s3_grpc, master, master_grpc, volume, volume_grpc, filer, filer_grpc = self.ports
        identities = self.folder / "identities.json"
        identities.write_text(json.dumps(IDENTITIES))
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        return [
            str(Path(sys.executable).with_name("weed")),
            f"-logdir={self.folder}",
            "server",
            f"-dir={data}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            f"-master.port={master}",
            f"-master.port.grpc={master_grpc}",
            # each bucket takes seven volumes, and there are as many as would fit on the disk if all were full
            "-master.volumeSizeLimitMB=64",
            # the one master elects itself; by default that takes 10 s and more when it is started again
            "-master.electionTimeout=1s",
            "-master.heartbeatInterval=100ms",
            "-master.telemetry=false",
            f"-volume.port={volume}",
            f"-volume.port.grpc={volume_grpc}",
            "-volume.max=0",
            "-volume.minFreeSpace=1GiB",
            "-filer",
            f"-filer.port={filer}",
            f"-filer.port.grpc={filer_grpc}",
            f"-filer.localSocket={self.folder / 'filer.sock'}",
            "-s3",
            f"-s3.port={s3}",
            f"-s3.port.grpc={s3_grpc}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.ip.bind=127.0.0.1",
            f"-s3.config={identities}",
            f"-s3.localSocket={self.folder / 's3.sock'}",
            "-s3.allowDeleteBucketNotEmpty=true",
        ]

    def litter(self) -> Sequence[str]:
        return [
            f"/tmp/seaweedfs-{part}-grpc-{port}.sock"
            for part, port in zip(("s3", "master", "volume", "filer"), self.ports[1::2], strict=True)
        ]

    def is_ready(self) -> bool:
        # to answer is not enough: until a volume server has joined, what was stored cannot be read
        return _status(self.url) == HTTPStatus.FORBIDDEN and self._can_store()

    def _can_store(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.ports[2]}/dir/assign", timeout=2) as answer:
                return "fid" in json.load(answer)
        except OSError:
            return False


def _status(url: str) -> int | None:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as err:
        with err:
            return err.code
    except OSError:
        return None
