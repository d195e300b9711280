"""`acc init`: a project that runs at once, and nothing overwritten."""

import json


def test_a_new_folder_becomes_a_project(acc, tmp_path):
    code, out, _ = acc("init", str(tmp_path / "new"))
    assert code == 0
    assert "wrote  acc.toml" in out
    assert f"next: cd {tmp_path / 'new'} && acc build" in out
    names = {
        str(path.relative_to(tmp_path / "new")) for path in (tmp_path / "new").rglob("*") if path.is_file()
    }
    assert names == {
        ".gitignore",
        "acc.toml",
        "input/sales.csv",
        "mymethods/__init__.py",
        "mymethods/a_totals.py",
        "mymethods/build.py",
    }


def test_what_it_writes_is_read_without_complaint(acc, tmp_path, monkeypatch):
    from porcelain import config

    acc("init", str(tmp_path))
    assert config.load(tmp_path).methods == ("mymethods",)
    monkeypatch.chdir(tmp_path)
    assert json.loads(acc("log", "--json")[1]) == []


def test_nothing_is_overwritten(acc, tmp_path):
    (tmp_path / "input").mkdir()
    for name in ("input/sales.csv", ".gitignore", "notes.txt"):
        (tmp_path / name).write_text("mine")
    code, out, _ = acc("init", str(tmp_path))
    assert code == 0
    assert "kept   input/sales.csv" in out
    assert [(tmp_path / name).read_text() for name in ("input/sales.csv", ".gitignore", "notes.txt")] == [
        "mine"
    ] * 3
    assert (tmp_path / "mymethods/a_totals.py").is_file()


def test_a_project_with_methods_of_its_own_gets_no_example(acc, tmp_path):
    (tmp_path / "acc.toml").write_text('[project]\nmethods = ["ours"]\n')
    code, out, _ = acc("init", str(tmp_path))
    assert code == 0
    assert "kept   acc.toml" in out
    assert not (tmp_path / "mymethods").exists()
    assert not (tmp_path / "input").exists()


def test_a_build_script_that_is_there_keeps_its_name_to_itself(acc, tmp_path, monkeypatch):
    (tmp_path / "build.py").write_text("theirs")
    assert "next: cd" in acc("init", str(tmp_path))[1]
    monkeypatch.chdir(tmp_path)
    assert [view["name"] for view in json.loads(acc("script", "--json")[1])] == ["totals", "build"]
    assert (tmp_path / "build.py").read_text() == "theirs"


def test_init_twice_changes_nothing(acc, tmp_path):
    acc("init", str(tmp_path))
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert acc("init", str(tmp_path))[0] == 0
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_a_file_cannot_become_a_project(acc, tmp_path):
    (tmp_path / "f").touch()
    code, _, err = acc("init", str(tmp_path / "f"))
    assert (code, err.splitlines()[0]) == (1, f"acc: '{tmp_path / 'f'}' is a file")


def test_a_new_project_runs_at_once_and_a_second_time_computes_nothing(acc, tmp_path, monkeypatch):
    acc("init", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    code, out, err = acc("build")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert "apple     44.50 kg" in lines
    assert lines[-1].startswith("3 jobs built, 0 reused")
    assert json.loads((tmp_path / "results/totals.json").read_text())["quince"] == 1.5
    assert acc("build")[1].splitlines()[-1].startswith("3 jobs, all reused")
    assert acc("job", "totals")[0] == 0
    assert "fruit" in acc("ds", "totals.source")[1]
