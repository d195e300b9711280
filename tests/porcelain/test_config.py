"""acc.toml: defaults, paths, and errors that name the file and the key."""

from pathlib import Path

import pytest

from jobs.errors import NoProject
from porcelain import config
from porcelain.config import ConfigError


def write(root: Path, text: str = "") -> Path:
    (root / "acc.toml").write_text(text)
    return root


def test_an_empty_file_is_a_project_with_every_default(tmp_path):
    found = config.load(write(tmp_path))
    assert (found.slices, found.methods, found.environment, found.durability) == (8, (), "minor", "batch")
    assert (found.keep_inputs, found.workdir) == (False, "dev")
    assert found.input_directory == tmp_path / "input"
    assert found.result_directory == tmp_path / "results"
    assert found.workdirs["dev"] == tmp_path / ".acc/jobs"
    assert found.data == tmp_path / ".acc"


def test_what_the_file_says_counts(tmp_path):
    project = '[project]\nslices = 3\nmethods = ["a", "b.c"]\nkeep_inputs = true\n'
    text = project + '[workdirs]\nfast = "/fast"\nold = "../old"\n'
    found = config.load(write(tmp_path / ".", text))
    assert (found.slices, found.methods, found.keep_inputs) == (3, ("a", "b.c"), True)
    assert dict(found.workdirs) == {"fast": Path("/fast"), "old": tmp_path.parent / "old"}
    assert found.workdir == "fast"


def test_the_project_is_found_from_a_folder_below(tmp_path):
    below = write(tmp_path) / "a" / "b"
    below.mkdir(parents=True)
    assert config.find_root(below) == tmp_path
    assert config.get_root(below) == tmp_path


def test_a_folder_outside_any_project_is_an_error_with_a_way_out(tmp_path):
    assert config.find_root(tmp_path) is None
    with pytest.raises(NoProject) as caught:
        config.get_root(tmp_path)
    assert "acc init" in caught.value.hint


def test_the_home_folder_may_be_named(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", "/home/anna")
    found = config.load(write(tmp_path, '[project]\ninput_directory = "~/data"\n'))
    assert found.input_directory == Path("/home/anna/data")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("[project]\nslises = 8\n", "unknown key 'project.slises'"),
        ("[projekt]\n", "unknown key 'projekt'"),
        ("[project]\nslices = 0\n", "'project.slices' must be a whole number"),
        ("[project]\nslices = true\n", "'project.slices' must be a whole number"),
        ('[project]\nmethods = "mine"\n', "'project.methods' must be a list"),
        ('[project]\nmethods = [""]\n', "'project.methods' must be a list"),
        ('[project]\nenvironment = "all"\n', "'project.environment' must be one of"),
        ("[project]\nkeep_inputs = 1\n", "'project.keep_inputs' must be true or false"),
        ("[project]\nresult_directory = 7\n", "'project.result_directory' must be a folder"),
        ("project = 3\n", "'project' must be a table"),
        ('[workdirs]\nbuild = "x"\n', "'build' cannot name a workdir"),
        ('[workdirs]\n"a b" = "x"\n', "'a b' cannot name a workdir"),
        ("[workdirs]\ndev = 3\n", "'workdirs.dev' must be a folder"),
        ("[project\n", "is not TOML"),
    ],
)
def test_a_wrong_file_is_one_clear_line(tmp_path, text, part):
    with pytest.raises(ConfigError) as caught:
        config.load(write(tmp_path, text))
    assert part in str(caught.value)
    assert str(tmp_path / "acc.toml") in str(caught.value)


def test_a_value_cannot_be_assigned(tmp_path):
    found = config.load(write(tmp_path))
    with pytest.raises(AttributeError):
        found.slices = 9
    with pytest.raises(TypeError):
        found.workdirs["x"] = tmp_path
