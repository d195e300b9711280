"""What remotes are measured beside: DVC, restic and the AWS command line, each with the settings that it comes with.

A side is told of a place that holds nothing yet, sends the corpus there, sends it again, and brings all of it back to
where nothing is. Times are those of the commands, start-up and all.
"""

import os
import shutil

from remoteservers import BUCKET, CLIENT_ENVIRONMENT, FOLDER
from sides import timed
from venvs import make_venv


class Client:
    """A program that sends files to an S3 server.

    Attributes
    ----------
    cpu_seconds : float
        What the last command took, without the server.
    """

    name: str
    cpu_seconds = None

    def __init__(self):
        self.folder = FOLDER / self.name.replace(" ", "-")
        # no settings and no cache of whoever runs this
        self.env = CLIENT_ENVIRONMENT | {"HOME": str(self.folder)}
        self.corpus = None

    @staticmethod
    def is_installed():
        """Return whether the program can be run."""
        return True

    def make(self, corpus):
        """Begin anew, with a folder of files to send."""
        self.corpus = corpus
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)

    def aim(self, endpoint):
        """Send to that server from now on, to where nothing is."""
        raise NotImplementedError

    def push(self):
        """Send the corpus; return the seconds that took."""
        raise NotImplementedError

    def push_again(self):
        """Send it once more, when there is nothing new."""
        return self.push()

    def fetch(self):
        """Bring all of it to where nothing is; return the seconds that took."""
        raise NotImplementedError

    def has_fetched(self):
        """Return whether all of the corpus came back."""
        clone = next(self.folder.glob("clone/**/00000.json")).parent
        return _contents(clone) == _contents(self.corpus)

    def run(self, *command, folder=None, **env):
        """Return the seconds of one command."""
        os.sync()
        seconds, self.cpu_seconds = timed(command, folder or self.folder, self.env | env)
        return seconds

    def emptied(self, name):
        """Return a folder of ours in which nothing is."""
        folder = self.folder / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        return folder


class Dvc(Client):
    """DVC, which sends files one by one, as they are."""

    name = "dvc"

    def __init__(self):
        super().__init__()
        self.command = make_venv("dvc-s3", "dvc[s3]==3.67.1") / "bin" / "dvc"
        self.env |= {"DVC_NO_ANALYTICS": "1", "XDG_CACHE_HOME": str(self.folder / "cache")}

    def make(self, corpus):
        super().make(corpus)
        self.project = self.emptied("project")
        self._run("init", "--no-scm")
        shutil.copytree(corpus, self.project / "corpus")
        self._run("add", "corpus")

    def aim(self, endpoint):
        # where it remembers what a remote has; without it, it asks
        self.emptied("site")
        url = f"s3://{BUCKET}/dvc"
        lines = ["[core]", "no_scm = True", "remote = origin"]
        lines += ["['remote \"origin\"']", f"url = {url}", f"endpointurl = {endpoint}"]
        (self.project / ".dvc" / "config").write_text("".join(f"{line}\n" for line in lines))

    def push(self):
        return self._run("push")

    def fetch(self):
        clone = self.emptied("clone")
        (clone / ".dvc").mkdir()
        shutil.copy(self.project / ".dvc" / "config", clone / ".dvc")
        shutil.copy(self.project / "corpus.dvc", clone)
        return self._run("pull", folder=clone, site=self.emptied("clone-site"))

    def _run(self, *arguments, folder=None, site=None):
        site = str(site or self.folder / "site")
        return self.run(self.command, *arguments, folder=folder or self.project, DVC_SITE_CACHE_DIR=site)


class Restic(Client):
    """restic, which packs as acc does; it reads, cuts and hashes the files each time, too."""

    name = "restic"

    @staticmethod
    def is_installed():
        return shutil.which("restic") is not None

    def aim(self, endpoint):
        self.env |= {
            "RESTIC_REPOSITORY": f"s3:{endpoint}/{BUCKET}/restic",
            "RESTIC_PASSWORD": "x",
            "RESTIC_CACHE_DIR": str(self.emptied("cache")),
        }
        self.run("restic", "init")

    def push(self):
        return self.run("restic", "backup", ".", folder=self.corpus)

    def fetch(self):
        cache = str(self.emptied("clone-cache"))
        target = self.emptied("clone")
        return self.run("restic", "restore", "latest", "--target", target, RESTIC_CACHE_DIR=cache)


class AwsSync(Client):
    """`aws s3 sync`, which sends files one by one, and trusts times and sizes."""

    name = "aws s3 sync"

    def __init__(self):
        super().__init__()
        self.command = aws_command()

    def aim(self, endpoint):
        self.url = f"s3://{BUCKET}/sync"
        self.env |= {"AWS_ENDPOINT_URL": endpoint}

    def push(self):
        return self.run(self.command, "s3", "sync", self.corpus, self.url)

    def fetch(self):
        return self.run(self.command, "s3", "sync", self.url, self.emptied("clone"))


class AwsCopy(Client):
    """`aws s3 cp` of one file: the fewest bytes that can be sent, in parts at the same time."""

    name = "aws s3 cp"

    def __init__(self):
        super().__init__()
        self.command = aws_command()

    def aim(self, endpoint):
        self.env |= {"AWS_ENDPOINT_URL": endpoint}

    def push(self):
        return self.run(self.command, "s3", "cp", self.corpus, f"s3://{BUCKET}/copy/object")


CLIENTS = (Dvc, Restic, AwsSync)


def aws_command():
    """Return the path of the AWS command line."""
    return make_venv("aws", "awscli==1.46.2") / "bin" / "aws"


def make_bucket(endpoint):
    """Make the bucket, and put a first object there: SeaweedFS makes the files of a bucket with it."""
    env = CLIENT_ENVIRONMENT | {"AWS_ENDPOINT_URL": endpoint}
    timed([aws_command(), "s3", "mb", f"s3://{BUCKET}"], FOLDER, env)
    timed([aws_command(), "s3", "cp", __file__, f"s3://{BUCKET}/first"], FOLDER, env)


def _contents(folder):
    return {path.name: path.read_bytes() for path in folder.iterdir()}
