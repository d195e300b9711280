"""Result links: relative, replaced atomically, kept by a ref."""

import os

import pytest

from cas.errors import UnsafeName
from jobs.nodes.result import Result
from porcelain.results import ResultClash, ResultLinks


@pytest.fixture
def links(project) -> ResultLinks:
    return ResultLinks(project.root / "results", project.store, project.index.refs)


def make(project, number=1):
    row = project.job("make", files={"plot.png": b"png %d" % number}, options={"n": number})
    path = project.root / ".acc/jobs" / row.label / "plot.png"
    path.parent.mkdir(parents=True)
    path.write_bytes(b"png %d" % number)
    return Result(row.run, "plot.png", project.resolver.resolve(f"{row.label}:plot.png").oid), path


def test_a_result_is_a_relative_link_into_the_job_directory(project, links):
    result, path = make(project)
    link = links.link(result, "delays/january.png", path)
    assert link == project.root / "results/delays/january.png"
    assert str(link.readlink()) == "../../.acc/jobs/dev-1/plot.png"
    assert link.read_bytes() == b"png 1"
    assert links.entries() == {"delays/january.png": result}
    assert links.made.keys() == {"delays/january.png"}


def test_a_moved_project_keeps_its_results(project, links, tmp_path_factory):
    result, path = make(project)
    links.link(result, "plot.png", path)
    there = tmp_path_factory.mktemp("there") / "moved"
    project.root.rename(there)
    assert (there / "results/plot.png").read_bytes() == b"png 1"
    there.rename(project.root)


def test_a_result_is_replaced_by_a_newer_one(project, links):
    for number in (1, 2):
        result, path = make(project, number)
        link = links.link(result, "plot.png", path)
    assert link.read_bytes() == b"png 2"
    assert [entry.name for entry in os.scandir(project.root / "results")] == ["plot.png"]
    assert links.entries()["plot.png"].run == result.run


def test_linking_the_same_again_changes_nothing(project, links):
    result, path = make(project)
    links.link(result, "plot.png", path)
    before = list(project.index.refs.log()), os.lstat(project.root / "results/plot.png")
    links.link(result, "plot.png", path)
    assert (list(project.index.refs.log()), os.lstat(project.root / "results/plot.png")) == before


def test_a_link_that_was_removed_comes_back(project, links):
    result, path = make(project)
    links.link(result, "plot.png", path).unlink()
    assert links.link(result, "plot.png", path).is_symlink()


@pytest.mark.parametrize("name", ["../up.png", "/abs.png", "a/../b.png", ""])
def test_a_name_that_leaves_the_result_directory_is_refused(project, links, name):
    result, path = make(project)
    with pytest.raises(UnsafeName):
        links.link(result, name, path)
    assert links.entries() == {}


def test_a_folder_that_is_a_link_elsewhere_is_refused(project, links, tmp_path_factory):
    result, path = make(project)
    (project.root / "results").mkdir()
    (project.root / "results/out").symlink_to(tmp_path_factory.mktemp("out"))
    with pytest.raises(ResultClash):
        links.link(result, "out/plot.png", path)


def test_a_file_in_the_place_of_a_folder_is_an_error_of_ours(project, links):
    result, path = make(project)
    (project.root / "results").write_bytes(b"mine")
    for linkname in ("plot.png", "out/plot.png"):
        with pytest.raises(ResultClash):
            links.link(result, linkname, path)


def test_a_file_of_the_user_is_not_replaced(project, links):
    result, path = make(project)
    (project.root / "results").mkdir()
    (project.root / "results/plot.png").write_bytes(b"mine")
    with pytest.raises(ResultClash):
        links.link(result, "plot.png", path)
    assert (project.root / "results/plot.png").read_bytes() == b"mine"
