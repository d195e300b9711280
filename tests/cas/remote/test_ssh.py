"""Who a server behind SSH is, and who may log in there: what is not known is refused, and said so."""

import subprocess
import sys

import pytest

from tests.servers.place import Place
from tests.servers.sftp import Sftp

ASK = """
import sys
from cas.errors import AccError
from cas.remote.bucket import Bucket
try:
    print(Bucket(sys.argv[1], eval(sys.argv[2])).find("format"))
except AccError as err:
    print(type(err).__name__, err)
"""


def ask(place: Place, home, **options: object) -> str:
    """Ask for a file that is not there, as a user with that home; return all that was printed."""
    told = {name: value for name, value in place.options.items() if name != "host_key_policy"}
    done = subprocess.run(
        [sys.executable, "-c", ASK, place.url, repr({**told, **options})],
        env={"HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout + done.stderr


@pytest.fixture
def home(tmp_path, sftp: Sftp):
    """A home folder whose user knows the server."""
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/known_hosts").write_text(sftp.known_host)
    return tmp_path


def test_a_server_in_known_hosts_is_asked(sftp: Sftp, home):
    assert ask(sftp.new_folder(), home) == "None\n"


def test_a_server_that_is_not_in_known_hosts_is_refused(sftp: Sftp, tmp_path):
    said = "RemoteDenied server '127.0.0.1' is not in ~/.ssh/known_hosts\n"
    assert ask(sftp.new_folder(), tmp_path) == said


def test_who_has_no_key_is_told_so(sftp: Sftp, home):
    said = "RemoteDenied server '127.0.0.1' lets nobody in without a key\n"
    assert ask(sftp.new_folder(), home, key_filename=None) == said


def test_a_policy_that_is_none_is_refused(sftp: Sftp, home):
    assert "host_key_policy is none of" in ask(sftp.new_folder(), home, host_key_policy="maybe")
