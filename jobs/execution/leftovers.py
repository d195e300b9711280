"""What runs have left on the disk that can go: copies of stored files, files of failed and of killed jobs."""

import shutil
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from jobs.execution.jobdir import INTERNAL, JobDirectory
from jobs.execution.scratch import parse_name
from jobs.nodes.listing import split_label


@dataclass(slots=True)
class Swept:
    """What was removed, or would be: so many files, and their bytes."""

    files: int = 0
    bytes: int = 0

    def add(self, other: "Swept") -> None:
        """Count what was removed besides."""
        self.files += other.files
        self.bytes += other.bytes


@dataclass(frozen=True, slots=True)
class Sweeper:
    """Removes what nobody needs any more.

    Attributes
    ----------
    age_seconds : float
        Files that changed less long ago stay.
    dry_run : bool
        Only count.
    """

    age_seconds: float
    dry_run: bool = False

    def sweep_directories(
        self, folders: Collection[Path], labels: Collection[str], linked: Collection[Path], *, idle: bool
    ) -> Swept:
        """Remove from job directories what is not linked and can be had from the store, or never was in it.

        Parameters
        ----------
        folders
            The folders of all workdirs.
        labels
            All labels that there are. The directory of another one is that of a killed job, or of one that runs.
        linked
            Files that result links point to, resolved.
        idle
            No build runs, so directories without a label are those of killed jobs.
        """
        swept = Swept()
        for directory in _directories(folders):
            known = directory.name in labels
            if known or idle:
                for path in self._loose_ends(directory, linked, known=known):
                    self._remove(path, swept)
            if not (known or self.dry_run):
                _remove_empty(directory)
        return swept

    def sweep_folders(self, folder: Path, living: Collection[str]) -> Swept:
        """Remove the folders in `folder` whose names are not among the `living`, with all files in them."""
        swept = Swept()
        for dead in sorted(folder.glob("*")):
            if dead.name not in living:
                for path in _files(dead):
                    self._remove(path, swept)
                if not self.dry_run:
                    shutil.rmtree(dead, ignore_errors=True)
        return swept

    def _loose_ends(self, directory: Path, linked: Collection[Path], *, known: bool) -> Iterator[Path]:
        for path in _files(directory):
            internal = path.relative_to(directory).parts[0] in INTERNAL
            if not (internal and known) and path.resolve() not in linked and self._is_old(path):
                yield path

    def _is_old(self, path: Path) -> bool:
        with suppress(FileNotFoundError):
            return time.time() - path.lstat().st_mtime >= self.age_seconds
        return False

    def _remove(self, path: Path, swept: Swept) -> None:
        with suppress(FileNotFoundError):
            size = path.lstat().st_size
            if not self.dry_run:
                path.unlink()
            swept.files += 1
            swept.bytes += size


@dataclass(frozen=True, slots=True)
class KilledBuilds:
    """What builds have left that were killed, found when the next one launches its first job.

    Attributes
    ----------
    folder : Path
        The folder with a folder for each build.
    is_dead : callable
        Whether the build whose folder has that name does not live any more.
    workdirs : mapping of str to Path
        Where job directories are.
    is_published : callable
        Whether there is a run with that label.
    """

    folder: Path
    is_dead: Callable[[str], bool]
    workdirs: Mapping[str, Path]
    is_published: Callable[[str], bool]

    def sweep(self) -> None:
        """Remove their scratch and staging files, and of the directories of their jobs all but what people may want.

        That is setup.json, and what the job printed until then. Files that it had half written help nobody, and may
        be large.
        """
        builds = sorted(path for path in self.folder.glob("*") if path.is_dir())
        dead = [path for path in builds if self.is_dead(path.name)]
        if not dead:
            return
        running = {label for path in builds if path not in dead for label in _scratch_of(path)}
        for build in dead:
            for label, outputs in _scratch_of(build).items():
                if label not in running and not self.is_published(label):
                    self._tidy(label, outputs)
            shutil.rmtree(build, ignore_errors=True)

    def _tidy(self, label: str, outputs: Mapping[str, Path]) -> None:
        workdir, _ = split_label(label) or ("", 0)
        if workdir not in self.workdirs or not (self.workdirs[workdir] / label).is_dir():
            return
        directory = JobDirectory(self.workdirs[workdir] / label)
        with suppress(OSError):  # somebody else does the same, or it is not ours to change
            directory.tidy()
            texts = {part: path.read_bytes() for part, path in outputs.items()}
            directory.keep_output({part: text for part, text in texts.items() if text})


def _scratch_of(build: Path) -> dict[str, dict[str, Path]]:
    """Return for each job of a build, by label, the files of what its parts printed."""
    found: dict[str, dict[str, Path]] = {}
    for path in build.glob("*"):
        label, part = parse_name(path.name)
        if split_label(label):
            found.setdefault(label, {}).update({part: path} if part else {})
    return found


def remove_directories(workdirs: Mapping[str, Path], labels: Collection[str]) -> None:
    """Remove the directories of jobs that have no label any more."""
    for directory in _directories(workdirs.values()):
        if directory.name in labels:
            shutil.rmtree(directory, ignore_errors=True)


def _directories(folders: Collection[Path]) -> Iterator[Path]:
    for folder in folders:
        yield from sorted(path for path in folder.glob("*") if split_label(path.name) and path.is_dir())


def _files(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*")) if path.is_symlink() or not path.is_dir()]


def _remove_empty(directory: Path) -> None:
    """Remove the folders below `directory`, and itself, as far as nothing lies in them."""
    folders = sorted((path for path in directory.rglob("*") if path.is_dir()), reverse=True)
    for folder in [*folders, directory]:
        with suppress(OSError):
            folder.rmdir()
