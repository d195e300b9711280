"""The code that a job ran."""

import io
import tarfile

import pytest

from cas.errors import UnsafeName
from cas.formats.node import put_node
from jobs.errors import NoSuchFile
from jobs.nodes.source import Source
from porcelain.board.page import Asked
from porcelain.board.pages import sources


def with_source(project, row, files, main="mine/a_make.py"):
    """Publish a run like another, of a source with these files, and return its row."""
    from dataclasses import replace

    from jobs.facets.runs import make_row

    run = project.resolver.run(row)
    source = put_node(
        project.store, Source(main, {path: project.store.put(text) for path, text in files.items()})
    )
    number = project.index.last_number("dev") + 1
    times = replace(run.times, end=run.times.end + number)
    again = replace(run, source=source, label=f"dev-{number}", times=times)
    made = make_row(put_node(project.store, again), again, row.outcome)
    return project.index.publish(made, {})


def archive_of(shown_project, label):
    response = sources.archive(shown_project, Asked("/", {"spec": label}, {}))
    assert response.headers["content-disposition"] == f'attachment; filename="{label}-source.tar.gz"'
    return response.body


def test_the_method_file_comes_first_and_what_changed_is_shown(project, look):
    one = project.job("make")
    files = {"mine/a_make.py": b"import mine.z\n", "a_first.py": b"X = '<b>'\n"}
    two = with_source(project, one, files)
    three = with_source(project, one, files)
    shown = look(sources.source, three.label)
    assert [each["path"] for each in shown.view["files"]] == ["mine/a_make.py", "a_first.py"]
    # dev-2 had the same code
    assert shown.view["against"]["job"] == one.label
    assert [(each["path"], each["what"]) for each in shown.view["against"]["files"]] == [
        ("mine/a_make.py", "changed"),
        ("a_first.py", "new"),
    ]
    assert '<span class="gone">-# make</span>' in shown.html
    assert "&lt;b&gt;" in shown.html
    assert look(sources.source, three.label, against=two.label).view["against"]["files"] == []
    assert look(sources.source, one.label).view["against"] is None


def test_files_without_room_are_shown_by_themselves(project, look):
    row = project.job("make")
    files = {"mine/a_make.py": b"x = 1\n" * 3000, "mine/other.py": b"y = 2\n" * 3000}
    long = with_source(project, row, files)
    shown = look(sources.source, long.label)
    assert [code is not None for code in shown.drawn["codes"]] == [True, False]
    assert f'data-load="/job/{long.label}/source?file=mine%2Fother.py"' in shown.html
    alone = look(sources.source, long.label, file="mine/other.py")
    assert alone.drawn["code"].lines == 3000
    # anchors are the same on both pages
    assert 'id="file2-L7"' in alone.html
    with pytest.raises(NoSuchFile):
        look(sources.source, long.label, file="../../etc/passwd")


def test_a_file_that_cannot_be_read_leaves_the_others(project, look):
    row = with_source(project, project.job("make"), {"mine/a_make.py": b"here", "mine/b.py": b"gone"})
    project.store.delete(sources.sources.get_source(project.resolver, row).files["mine/b.py"])
    files = look(sources.source, row.label).view["files"]
    assert [each["text"] for each in files] == ["here", None]
    assert files[1]["problem"].startswith("no object")


def test_a_file_is_handed_out_as_text(project, shown_project):
    row = project.job("make")
    asked = Asked("/", {"spec": row.label, "path": "mine/a_make.py"}, {})
    response = sources.file(shown_project, asked)
    assert (response.body, response.media_type) == (b"# make\n", "text/plain; charset=utf-8")
    assert response.headers["content-security-policy"].startswith("sandbox;")
    with pytest.raises(NoSuchFile):
        sources.file(shown_project, Asked("/", {"spec": row.label, "path": "../acc.toml"}, {}))


def test_the_archive_has_all_files_and_always_the_same_bytes(project, shown_project):
    files = {"mine/a_make.py": b"import mine\n", "mine/__init__.py": b""}
    row = with_source(project, project.job("make"), files)
    packed = archive_of(shown_project, row.label)
    assert packed == archive_of(shown_project, row.label)
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        found = {entry.name: tar.extractfile(entry).read() for entry in tar}
        assert {entry.mtime for entry in tar} == {row.ended // 1_000_000}
    assert found == {f"{row.label}/{path}": text for path, text in files.items()}


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "a/../../x", "a\\..\\x", "c:x", "a//b", "a\0b"])
def test_a_name_that_would_leave_the_folder_is_not_packed(path):
    with pytest.raises(UnsafeName):
        sources.pack("dev-1", {path: b""}, 0)
