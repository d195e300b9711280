"""Members of a team: projects with jobs made by hand, and one folder as their remote."""

from collections.abc import Callable
from pathlib import Path

import pytest

from cas.refs import Refs
from jobs.nodes.listing import JobRow
from jobs.nodes.session import Dependency, ListedRun, Session
from porcelain import config
from porcelain.cli import main
from porcelain.sessions.urdlog import UrdLog
from porcelain.sessions.urdpath import UrdPath
from porcelain.spec import open_resolver
from tests.porcelain.conftest import Project


class Member(Project):
    """A project with a remote `origin`, and what its user types."""

    def __init__(self, root: Path, bucket: Path, monkeypatch, capsys, *, trusted: bool = True) -> None:
        root.mkdir()
        super().__init__(root)
        text = (root / "acc.toml").read_text()
        flag = str(trusted).lower()
        (root / "acc.toml").write_text(f'{text}[remotes.origin]\nurl = "{bucket}"\ntrusted = {flag}\n')
        self._monkeypatch, self._capsys = monkeypatch, capsys
        self.look_again()
        # two projects do not finish jobs at the same moment
        self._clock += len(root.name) * 1_000

    def look_again(self) -> None:
        """See what commands have changed, as a new command would."""
        self.resolver = open_resolver(config.load(self.root))
        self.store, self.index = self.resolver.store, self.resolver.index

    @property
    def refs(self) -> Refs:
        return self.index.refs

    @property
    def urd(self) -> UrdLog:
        return UrdLog(self.store, self.refs)

    def acc(self, *arguments: str) -> tuple[int, str, str]:
        """Run a command in the project; return its exit code, stdout and stderr."""
        self._monkeypatch.chdir(self.root)
        self._capsys.readouterr()
        code = main(arguments)
        self.look_again()
        printed = self._capsys.readouterr()
        return code, printed.out, printed.err

    def does(self, *arguments: str) -> str:
        """Run a command that has to succeed, and return its stdout."""
        code, out, err = self.acc(*arguments)
        assert code == 0, err
        return out

    def session(
        self, timestamp: str, row: JobRow, *, name: str = "import", on: str = "", caption: str = ""
    ) -> None:
        """Finish an urd session with one job; `on` is the timestamp in the list `import` that it depends on."""
        deps = {}
        if on:
            node = self.refs.find(f"urd/anna/import/{on}")
            assert node is not None
            deps = {"anna/import": Dependency(on, node)}
        session = Session(
            "anna",
            name,
            timestamp,
            [ListedRun("it", row.run)],
            finished=row.ended,
            caption=caption,
            deps=deps,
        )
        path = UrdPath("anna", name)
        self.urd.add(session, lambda: "build-1", seen=self.urd.listed(path), update=True)

    def labels(self) -> dict[str, str]:
        """Return the run of each label."""
        return {row.label: row.run for row in self.index.rows()}


@pytest.fixture
def member(tmp_path, monkeypatch, capsys) -> Callable[..., Member]:
    """A function that makes a project of the team, by its name."""

    def make(name: str, *, trusted: bool = True) -> Member:
        return Member(tmp_path / name, tmp_path / "bucket", monkeypatch, capsys, trusted=trusted)

    return make
