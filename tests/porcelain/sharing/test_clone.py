"""A project made of what a remote has."""

import pytest

from porcelain import config


@pytest.fixture
def ann(member):
    """A member who has pushed a job; the projects of the tests have two slices."""
    ann = member("ann")
    ann.job("one", files={"a.txt": b"abc"})
    ann.does("push")
    return ann


def clone(ann, tmp_path, *options):
    """Clone the remote of the tests from the folder that all lie in."""
    return ann.acc("clone", "../bucket", "../new", *options)


def test_a_clone_is_a_project_with_the_jobs_and_the_slices_of_the_remote(ann, tmp_path):
    code, out, _ = clone(ann, tmp_path, "--trusted", "--read")
    assert code == 0
    assert "dev-1@origin  dev-1  one" in out
    made = config.load(tmp_path / "new")
    assert made.slices == 2
    origin = made.get_remote("origin")
    assert (origin.url, origin.trusted, origin.read, origin.write) == (
        f"file://{tmp_path}/bucket",
        True,
        True,
        False,
    )
    assert not (tmp_path / "new/.acc/cloning").exists()


def test_a_clone_of_what_nobody_trusts_lists_what_is_there_and_gives_no_labels(ann, tmp_path):
    code, _, err = clone(ann, tmp_path)
    assert code == 0
    assert "'origin' is not trusted" in err


def test_a_folder_that_is_not_empty_is_left_as_it_is(ann, tmp_path):
    (tmp_path / "new").mkdir()
    (tmp_path / "new/mine.txt").write_text("mine")
    assert clone(ann, tmp_path)[0] == 1
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("is_there", [True, False])
def test_where_no_remote_is_nothing_is_made(ann, tmp_path, is_there):
    if is_there:
        (tmp_path / "new").mkdir()
    code, _, err = ann.acc("clone", "../nowhere", "../new")
    assert (code, err.splitlines()[0]) == (1, "acc: there is no remote of acc at '../nowhere'")
    assert (tmp_path / "new").exists() == is_there
    assert not is_there or not [*(tmp_path / "new").iterdir()]


def test_an_interrupted_clone_goes_on(ann, tmp_path):
    clone(ann, tmp_path, "--trusted")
    # as it is when it was interrupted before anything had come
    (tmp_path / "new/.acc/cloning").write_text(f"{tmp_path}/ann/../bucket")
    (tmp_path / "new/acc.toml").unlink()
    code, out, err = clone(ann, tmp_path, "--trusted")
    assert (code, err) == (0, "next: cd ../new && acc log\n")
    assert "nothing new at origin" in out
