"""A job directory makes a number one's own, and no number is given twice."""

from pathlib import Path

from jobs.execution.jobdir import JobDirectory


def claim(folder: Path, last_number: int) -> int:
    directory, number = JobDirectory.claim("dev", folder, last_number)
    assert directory.path == folder / f"dev-{number}"
    assert directory.path.is_dir()
    return number


def test_the_next_number_is_claimed_and_the_folder_made(tmp_path: Path) -> None:
    assert [claim(tmp_path / "jobs", last) for last in (0, 1, 2)] == [1, 2, 3]


def test_a_directory_that_is_there_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "dev-8").mkdir()
    assert claim(tmp_path, 7) == 9


def test_when_no_number_is_known_the_directories_count(tmp_path: Path) -> None:
    for name in ("dev-2", "dev-12", "old-77", "dev-x", "dev-013"):
        (tmp_path / name).mkdir()
    assert claim(tmp_path, 0) == 13
