"""Files of jobs."""

import io
from pathlib import Path

import pytest

from cas.errors import AccError
from cas.oid import oid_of
from porcelain import stamp
from porcelain.board.page import WrongQuestion
from porcelain.board.pages.files import file, holders, raw
from tests.porcelain.board.boards import body_of

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'/>"
FILES = {
    "a.csv": b"a,b\n" + b"".join(b"%d,x\n" % number for number in range(450)),
    "a.json": b'{"a":[1]}',
    "code.py": b"def main():\n    pass\n",
    "page.html": b"<h1>report</h1><script>alert(1)</script>",
    "plot.svg": SVG,
    "result.pickle": b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x93\x94.",
    "data.bin": bytes(range(256)),
    "empty.txt": b"",
    "dir/na\nme?.txt": b"odd",
}


@pytest.fixture
def made(project):
    return project.job("make", files=FILES)


@pytest.mark.parametrize(
    ("name", "kind", "part"),
    [
        ("a.csv", "table", "table"),
        ("a.json", "json", "text"),
        ("code.py", "text", "text"),
        ("page.html", "html", "text"),
        ("plot.svg", "picture", "text"),
        ("result.pickle", "pickle", "classes"),
        ("data.bin", "binary", "dump"),
    ],
)
def test_a_file_is_shown_by_what_it_is(made, ask, name, kind, part):
    view = ask(file, spec="dev-1", name=name).view
    assert (view["job"], view["size"], view["shown"]["kind"]) == ("dev-1", len(FILES[name]), kind)
    assert view["shown"][part]


def test_a_table_is_shown_by_pages(made, ask):
    first = ask(file, spec="make", name="a.csv").view["shown"]
    assert len(first["table"]["rows"]) == 200
    second = ask(file, spec="make", name="a.csv", query={"at": str(first["next"]), "row": "201"}).view
    assert second["shown"]["table"]["rows"][0] == ["200", "x"]


def test_a_place_that_is_none_is_a_wrong_question(made, ask):
    for at in ("x", "-1", "1" * 40):
        with pytest.raises(WrongQuestion):
            ask(file, spec="dev-1", name="a.csv", query={"at": at})


@pytest.mark.parametrize(
    "name", ["../a.csv", "/etc/passwd", "..", ".", "", "a.csv/", "A.CSV", "dir", "a.csv\0"]
)
@pytest.mark.parametrize("page", [file, raw])
def test_only_files_of_the_job_have_a_name(made, ask, page, name):
    with pytest.raises(LookupError):
        ask(page, spec="dev-1", name=name)


@pytest.mark.parametrize("spec", ["dev-99", "..", "@ffff", "dev-1:a.csv", "dev-1/x", "", "\0"])
def test_only_jobs_and_blobs_have_files(made, ask, spec):
    with pytest.raises(AccError):
        ask(raw, spec=spec, name="a.csv")


def test_a_blob_goes_by_its_id_under_any_name(made, ask):
    view = ask(file, spec="@" + oid_of(FILES["a.csv"])[:12], name="input/my.csv").view
    assert (view["job"], view["shown"]["kind"]) == (None, "table")
    assert view["commands"] == [f"acc cat-file -p {view['blob']} > my.csv"]


def test_a_file_that_is_gone_says_so(made, ask, project):
    project.store.delete(oid_of(FILES["a.csv"]))
    assert ask(file, spec="dev-1", name="a.csv").view["content"] == "gone"
    with pytest.raises(LookupError):
        ask(raw, spec="dev-1", name="a.csv")


def test_a_damaged_file_is_no_content_and_a_problem(made, ask, project):
    path = Path(project.store.loose.path_of(oid_of(FILES["a.csv"])))
    path.chmod(0o644)
    path.write_bytes(path.read_bytes()[:-1] + b"\0")
    view = ask(file, spec="dev-1", name="a.csv").view
    assert view["shown"] is None
    assert "corrupt" in view["problem"]


def test_html_is_a_page_only_within_a_frame(made, ask):
    assert ask(raw, spec="dev-1", name="page.html").media_type is None
    by_itself = ask(raw, spec="dev-1", name="page.html").headers
    framed = ask(raw, spec="dev-1", name="page.html", query={"framed": "1"}).headers
    navigated = ask(
        raw, spec="dev-1", name="page.html", query={"framed": "1"}, headers={"sec-fetch-dest": "document"}
    ).headers
    assert framed["content-type"].startswith("text/html")
    assert framed["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert by_itself["content-type"] == navigated["content-type"] == "text/plain; charset=utf-8"


def test_a_picture_that_is_kept_says_where_it_comes_from(made, ask):
    answer = ask(raw, spec="dev-1", name="plot.svg", query={"download": "1"})
    stream = io.BytesIO(body_of(answer))
    said, placed = stamp.find(stream)
    assert (said.job, said.method, said.run, said.file) == ("dev-1", "make", made.run, "plot.svg")
    assert stamp.oid_without(stream, placed) == said.blob == oid_of(SVG)
    assert answer.headers["content-length"] == str(len(stream.getvalue()))


def test_it_is_as_it_was_when_that_is_asked_for_or_it_is_shown(made, ask):
    for query in ({}, {"download": "1", "plain": "1"}):
        assert body_of(ask(raw, spec="dev-1", name="plot.svg", query=query)) == SVG


def test_a_damaged_picture_is_kept_as_it_is(project, ask):
    project.job("cut", files={"a.png": b"\x89PNG\r\n\x1a\n\0\0"})
    assert body_of(ask(raw, spec="cut", name="a.png", query={"download": "1"})) == b"\x89PNG\r\n\x1a\n\0\0"


def test_who_has_the_same_is_told(made, ask, project):
    project.job("copy", files={"b.csv": FILES["a.csv"]})
    view = ask(holders, blob=oid_of(FILES["a.csv"])).view
    assert [(job["job"], job["name"]) for job in view["jobs"]] == [("dev-1", "a.csv"), ("dev-2", "b.csv")]
    with pytest.raises(LookupError):
        ask(holders, blob="../x")
