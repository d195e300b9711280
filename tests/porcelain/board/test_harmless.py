"""What jobs made stays harmless in a real browser, and is seen."""

import io
import os
import zlib
from collections.abc import Iterator
from http.client import IncompleteRead
from pathlib import Path
from struct import pack

import pytest

from cas.formats.node import get_node, put_node
from jobs.dataset.head import ColumnNode, DatasetHead
from jobs.nodes.result import Result
from porcelain import stamp
from porcelain.board import addresses
from tests.porcelain.board.boards import RunningBoard
from tests.porcelain.conftest import Project

SCRIPT = b"<script>document.title='harmed';top.document.title='harmed';fetch('/harmed')</script>"
SVG_SCRIPT = b"<script>document.title='harmed';fetch('/harmed')</script>"


def png(width: int = 4, height: int = 3) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))

    rows = zlib.compress(b"".join(b"\0" + b"\x20\x80\x60" * width for _ in range(height)))
    head = chunk(b"IHDR", pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


FILES = {
    "plot.png": png(),
    "evil.svg": b'<svg xmlns="http://www.w3.org/2000/svg" width="8" height="6" onload="document.title=\'harmed\'">'
    + SVG_SCRIPT
    + b"<rect width='8' height='6' style='fill:teal'/></svg>",
    "page.html": b"<h1 id=seen>report</h1>"
    + SCRIPT
    + b"<img src=/harmed onerror=\"top.document.title='harmed'\">",
    "text.html.txt": SCRIPT,
    "polyglot.gif": b"GIF89a/*" + SCRIPT + b"*/=1;",
    "script.js": b"document.title='harmed'",
    "evil.csv": b"<script>document.title='harmed'</script>,b\n<img src=/harmed onerror=alert(1)>,2\n",
    "evil.json": b"{\"</script><script>document.title='harmed'</script>\": 1}",
    "evil.pickle": b"cos\nsystem\n(S'true'\ntR.",
    '"><script>alert(1)</script>\r\nX-Harmed: 1.png': png(),
    "\u202egnp.exe": b"turned",
    "a?b#c%2e%2e/\u00e9;=.txt": b"odd",
    "/".join(["n" * 250] * 15): b"long",
}
CAPTION = "javascript:alert(1) <img src=/harmed onerror=alert(1)>"


@pytest.fixture(scope="module")
def hostile(tmp_path_factory) -> Project:
    project = Project(tmp_path_factory.mktemp("hostile"))
    row = project.job("make", files=FILES, caption=CAPTION, options={CAPTION: CAPTION})
    with project.index.refs.transaction("link") as transaction:
        for name, entry in project.resolver.outcome(row).files.items():
            said = Result(row.run, name, entry.blob, header="<script>alert(1)</script>", description=CAPTION)
            transaction.set(f"results/{name[:200].rstrip('/')}", put_node(project.store, said))
    return project


@pytest.fixture(scope="module")
def hostile_board(hostile) -> Iterator[RunningBoard]:
    with RunningBoard(hostile.root) as running:
        yield running


@pytest.fixture
def look(browse):
    """A function that opens a page and fails when anything on it ran; what was kept from running is no error."""
    harm = []

    def run(url: str):
        page = browse("about:blank")
        # an answer: what a policy stops is a request too, which never leaves
        page.on("response", lambda answer: harm.append(answer.url) if "harmed" in answer.url else None)
        page.on("dialog", lambda dialog: harm.append(dialog.message))
        page.goto(url)
        assert "harmed" not in page.title()
        return page

    yield run
    assert harm == []
    kept = [text for text in browse.errors if "sandboxed" in text or "Content Security Policy" in text]
    assert browse.errors == kept
    browse.errors.clear()


def test_the_first_page_shows_all_and_runs_nothing(hostile_board, look):
    page = look(f"{hostile_board.url}/")
    assert page.locator("article").count() == len(FILES)
    frame = page.frame_locator("iframe[sandbox]")
    page.locator("iframe[sandbox]").scroll_into_view_if_needed()
    assert frame.locator("#seen").inner_text() == "report"
    picture = page.locator('img[src="/raw/dev-1/evil.svg"]')
    picture.scroll_into_view_if_needed()
    page.wait_for_function(
        "image => image.complete && image.naturalWidth === 8", arg=picture.element_handle()
    )
    assert "harmed" not in page.title()


@pytest.mark.parametrize("name", FILES, ids=range(len(FILES)))
def test_every_file_has_a_page_and_bytes_that_run_nothing(hostile_board, name):
    page = hostile_board.html(addresses.file("dev-1", name))
    assert "<script>document" not in page
    assert "<img src=/harmed" not in page
    assert "\u202e" not in page
    answer = hostile_board.ask(addresses.raw("dev-1", name))
    assert (answer.status, answer.body) == (200, FILES[name])
    assert answer.headers["content-security-policy"].startswith("sandbox; default-src 'none'")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "html" not in answer.headers["content-type"]
    assert "x-harmed" not in answer.headers


def test_what_is_opened_by_itself_runs_nothing(hostile_board, look):
    page = look("about:blank")
    for name in ("evil.svg", "text.html.txt", "polyglot.gif", "script.js", "page.html?framed=1"):
        page.goto(f"{hostile_board.url}/raw/dev-1/{name}")
        assert page.url.endswith(name)
        assert "harmed" not in page.title()
        # it has no origin: nothing of the board can be reached from there
        assert page.evaluate("self.origin") == "null"


@pytest.mark.parametrize(
    "path",
    [
        "/raw/dev-1/../../acc.toml",
        "/raw/dev-1/%2e%2e/%2e%2e/acc.toml",
        "/raw/dev-1/..%2f..%2facc.toml",
        "/raw/dev-1//etc/passwd",
        "/raw/dev-1/%2fetc%2fpasswd",
        "/raw/%2e%2e/acc.toml",
        "/raw/..%2f/acc.toml",
        "/raw/./acc.toml",
        "/raw/dev-1/plot.png%00",
        "/raw/dev-1/",
        "/raw/dev-1",
        "/static/../guard.py",
        "/static/%2e%2e/guard.py",
        "/static/..%2fguard.py",
    ],
)
def test_no_path_leads_out(hostile_board, path):
    answer = hostile_board.ask(path)
    assert answer.status in (400, 404)
    assert b"[project]" not in answer.body
    assert b"root:" not in answer.body
    assert b"class Guard" not in answer.body


def test_bytes_are_sent_as_browsers_ask_for_them(hostile_board):
    whole = hostile_board.ask("/raw/dev-1/plot.png")
    tag = whole.headers["etag"]
    assert hostile_board.ask("/raw/dev-1/plot.png", headers={"If-None-Match": tag}).status == 304
    part = hostile_board.ask("/raw/dev-1/plot.png", headers={"Range": "bytes=1-3"})
    assert (part.status, part.body) == (206, b"PNG")
    head = hostile_board.ask("/raw/dev-1/plot.png", method="HEAD")
    assert (head.body, head.headers["content-length"]) == (b"", str(len(FILES["plot.png"])))
    kept = hostile_board.ask("/raw/dev-1/plot.png?download=1")
    assert kept.headers["content-disposition"].startswith('attachment; filename="plot.png"')
    assert stamp.find(io.BytesIO(kept.body))[0].job == "dev-1"


def test_a_new_result_appears_by_itself(project, board, browse):
    page = browse(board.url)
    assert "Nothing here yet" in page.inner_text("main")
    row = project.job("make", files={"plot.png": png()})
    with project.index.refs.transaction("link") as transaction:
        said = Result(
            row.run, "plot.png", project.resolver.outcome(row).files["plot.png"].blob, header="A plot"
        )
        transaction.set("results/plot.png", put_node(project.store, said))
    page.get_by_role("heading", name="A plot").wait_for()


def test_an_object_that_is_damaged_breaks_the_answer_off(project):
    data = os.urandom(5 << 20)
    project.job("make", files={"large.bin": data})
    path = Path(
        project.store.loose.path_of(project.resolver.outcome(project.index.rows()[0]).files["large.bin"].blob)
    )
    stored = bytearray(path.read_bytes())
    stored[len(stored) * 9 // 10] ^= 1
    path.chmod(0o644)
    path.write_bytes(stored)
    with RunningBoard(project.root) as board:
        board.complains = True
        with pytest.raises(IncompleteRead) as cut:
            board.ask("/raw/make/large.bin")
    assert data.startswith(cut.value.partial)
    # its terminal says which object it is
    assert "is corrupt" in board.complaint
    assert "Traceback" not in board.complaint


def test_rows_that_are_damaged_break_the_answer_off_in_one_line(project):
    row = project.table({"n": ("int64", [[1, 2], [3]]), "s": ("unicode", [["a", "b"], ["c"]])})
    head = get_node(project.store, project.resolver.outcome(row).datasets["default"], DatasetHead)
    node = get_node(project.store, head.columns["s"].node, ColumnNode)
    project.store.delete(node.slices[1].blob)
    with RunningBoard(project.root) as board:
        board.complains = True
        with pytest.raises(IncompleteRead):
            board.ask(f"/csv/{row.label}/default")
    assert node.slices[1].blob in board.complaint
    assert "Traceback" not in board.complaint
