"""OpenSSH's server, for whoever runs the tests, with keys of its own."""

import getpass
import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

from tests.servers.place import Place
from tests.servers.server import Server, answers

CONFIG = """\
ListenAddress 127.0.0.1:{port}
HostKey {folder}/host
AuthorizedKeysFile {folder}/user.pub
PidFile none
UsePAM no
StrictModes no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
Subsystem sftp internal-sftp
ForceCommand internal-sftp
"""


def find_sshd() -> str | None:
    """Return the program, None if it is not installed."""
    return shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/usr/local/sbin")


class Sftp(Server):
    """A server of this machine's files."""

    name = "sftp"

    @property
    def key(self) -> Path:
        """The private key that it lets in."""
        return self.folder / "user"

    def new_folder(self) -> Place:
        """Make an empty folder; return it as a place."""
        folder = self.folder / "data" / uuid4().hex[:16]
        folder.mkdir(parents=True)
        url = f"sftp://{getpass.getuser()}@127.0.0.1:{self.ports[0]}{folder}"
        # what else the user has, keys and an agent, is not asked
        options = {"key_filename": str(self.key), "look_for_keys": False, "allow_agent": False}
        return Place(url, {**options, "host_key_policy": "auto_add"})

    @property
    def known_host(self) -> str:
        """The line of known_hosts that it is known by."""
        return f"[127.0.0.1]:{self.ports[0]} {(self.folder / 'host.pub').read_text()}"

    def command(self) -> Sequence[str]:
        for name in ("host", "user"):
            path = self.folder / name
            if not path.exists():
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True)
        if os.getuid() == 0:  # where it locks itself in; the script that starts it with the machine makes it
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        config = self.folder / "config"
        config.write_text(CONFIG.format(port=self.ports[0], folder=self.folder))
        # an absolute path, which it asks for
        return [str(find_sshd()), "-D", "-e", "-f", str(config)]

    def is_ready(self) -> bool:
        return answers(self.ports[0])
