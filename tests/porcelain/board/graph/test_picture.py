"""Graphs as SVG, in a page and as a file."""

import re
from xml.etree import ElementTree

import pytest

from jobs.nodes.run import Failure
from porcelain.board.graph.export import standalone, style, to_file
from porcelain.board.graph.folding import fold
from porcelain.board.graph.jobwalk import made_from
from porcelain.board.graph.marks import Ways
from porcelain.board.graph.picture import draw

SVG = "{http://www.w3.org/2000/svg}"
WAYS = Ways(lambda node: f"/job/{node.label}", lambda group: f"/open/{group}")
HOSTILE = "</title></svg><script>alert(1)</script>\"'&]]>\x1b[31m\u202e\ufffe"


@pytest.fixture
def hostile(project, shown_project):
    """The graph of jobs whose every text is hostile."""
    first = project.job(f"a{HOSTILE}", caption=HOSTILE, why=HOSTILE)
    failed = project.job("fails", failure=Failure("boom", "analysis", 0, ""))
    last = project.job("x" * 500, jobs={f"in{HOSTILE}": first}, subjobs=[failed], caption=HOSTILE * 20)
    return made_from(shown_project, [last.run])


@pytest.mark.parametrize("asked", ["all", "none"])
def test_no_text_of_a_job_becomes_markup(hostile, asked):
    page = draw(hostile, fold(hostile, asked), HOSTILE, WAYS).to_svg()
    document = standalone(draw(hostile, fold(hostile, asked), HOSTILE, None))
    for svg in (page, document):
        found = {element.tag.removeprefix(SVG) for element in ElementTree.fromstring(svg).iter()}
        assert found <= {"svg", "g", "a", "rect", "path", "text", "title", "style"}
        assert "alert(1)" in svg


def test_a_node_leads_to_its_job_and_says_all_of_it(project, shown_project):
    first = project.job("import", caption="of 2013", why="first run")
    last = project.job("plot", jobs={"table": first})
    graph = made_from(shown_project, [last.run])
    root = ElementTree.fromstring(draw(graph, fold(graph), "a graph", WAYS).to_svg())
    links = {link.get("href"): link for link in root.iter("a")}
    assert sorted(links) == ["/job/dev-1", "/job/dev-2"]
    assert links["/job/dev-1"].findtext("title") == "import, dev-1 · 1.500 s · done\nof 2013\nwhy: first run"
    assert [link.get("href") for link in links.values() if "root" in link.get("class", "")] == ["/job/dev-2"]


def test_folded_jobs_lead_to_where_they_are_open(project, shown_project):
    rows = [project.job("part") for _ in range(3)]
    graph = made_from(shown_project, [row.run for row in rows])
    root = ElementTree.fromstring(draw(graph, fold(graph, "none"), "a graph", WAYS).to_svg())
    assert [link.get("href") for link in root.iter("a")] == ["/open/part"]


def test_a_file_stands_by_itself(project, shown_project):
    row = project.job("part")
    graph = made_from(shown_project, [row.run])
    answer = to_file(draw(graph, fold(graph), "a graph", None), "dev-1/../ä graph")
    body = bytes(answer.body).decode()
    assert answer.headers["content-disposition"] == 'attachment; filename="dev-1-..-graph.svg"'
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; style-src 'sha256-")
    assert "<a " not in body
    assert ElementTree.fromstring(body).findtext(f"{SVG}title") == "a graph"


def test_a_file_has_its_colours_light_and_dark_written_out():
    light, dark = style().split("@media (prefers-color-scheme: dark)")
    assert "var(" not in style()
    box = re.compile(r"svg\.graph \.box \{ fill: (#\w+)")
    assert (box.search(light)[1], box.search(dark)[1]) == ("#ffffff", "#1c201e")


def test_reused_failed_and_missing_nodes_are_told_apart_by_more_than_colour(hostile):
    signs = {kind: sign for kind, sign, _ in draw(hostile, fold(hostile), "", None).signs}
    assert signs == {"done": "○", "failed": "✕"}
