"""Make the pictures of the board in docs/pictures: `make pictures`."""

import getpass
import io
import platform
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final, NamedTuple

from PIL import Image

from tests.porcelain.board.boards import RunningBoard
from tests.porcelain.board.browsers import launched
from tests.porcelain.board.filled import wait_until_filled
from tests.porcelain.board.flightsproject import build_flights
from tests.porcelain.board.manyjobs import ManyJobs

FOLDER: Final = Path(__file__).parents[3] / "docs" / "pictures"
_MOST_BYTES: Final = 120_000
_WIDE, _PHONE = (1280, 850), (390, 844)
# where it was made is nobody's business
_RENAME: Final = r"""names => {
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) for (const [name, shown] of names) {
    const whole = new RegExp(name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") + "\\b", "g");
    walker.currentNode.data = walker.currentNode.data.replace(whole, shown);
  }
}"""

_SLOW_SCRIPT: Final = """def main(urd):
    for month in ("2013-01", "2013-02"):
        urd.build("read_prices", month=month)
    urd.build("model_prices", caption="all months, in one model")
"""
_QUICK_METHOD: Final = 'options = {"month": ""}\n\n\ndef analysis(sliceno):\n    print("read", sliceno)\n'
# goes on until it is ended: the picture is of its middle
_SLOW_METHOD: Final = """import time

from acc import status


def prepare():
    print("\\033[32mtraining\\033[0m on 1,240,000 rows")


def analysis(sliceno):
    with status(f"fitting part {sliceno}"):
        if sliceno > 2:
            print(f"\\033[33mwarning\\033[0m: 17 prices of part {sliceno} are missing")
            time.sleep(600)


def synthesis():
    pass
"""


class Shot(NamedTuple):
    """One picture: its name, the page, and what has to be there before it is taken."""

    name: str
    path: str
    ready: str
    size: tuple[int, int] = _WIDE
    scheme: str = "light"


FLIGHTS: Final = (
    Shot("results", "/", ".results img"),
    Shot("job", "/job/plot_delays", ".gantt"),
    Shot("graph", "/job/plot_delays/graph", "svg.graph"),
    Shot("dataset", "/dataset/add_airline/default", ".column:nth-child(11) svg"),
    Shot("rows", "/rows/add_airline/default?sort=-dep_delay&where.origin=JFK", "table.data"),
    Shot("compare", "/compare?a=dev-13&b=dev-14", ".pictures img"),
    Shot("dark", "/job/plot_delays", ".gantt", scheme="dark"),
    Shot("phone", "/job/plot_delays", ".pictures img", size=_PHONE),
)
MANY: Final = (
    Shot("jobs", "/jobs", "table.jobs"),
    Shot("store", "/store", "svg.growth"),
    Shot("many", "/job/export_report/graph?open=import_sales", "svg.graph"),
)
LIVE: Final = (Shot("live", "/live", "pre.tail"),)


def main() -> None:
    """Build the projects, open the pages, write the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as temporary, launched() as browser:
        folder = Path(temporary)
        flights = build_flights(folder / "flights")
        _change_colours(flights)
        with RunningBoard(flights) as board:
            wait_until_filled(lambda: board.json("/store"))
            _take(browser, board, FLIGHTS, flights)
        sales = folder / "sales"
        sales.mkdir()
        ManyJobs(sales, regions=("north", "south", "east", "west", "Ørsted")).make(500)
        with RunningBoard(sales) as board:
            wait_until_filled(lambda: board.json("/store"))
            _take(browser, board, MANY, sales)
        _watch(browser, folder / "prices")


def _change_colours(project: Path) -> None:
    """Have a second job of the plot, to compare it with the first."""
    method = project / "flights" / "a_plot_delays.py"
    method.write_text(method.read_text().replace('cmap="YlOrRd"', 'cmap="viridis"'))
    _acc(project, "build")


def _watch(browser: Any, project: Path) -> None:
    package = project / "prices"
    package.mkdir(parents=True)
    (project / "acc.toml").write_text('[project]\nmethods = ["prices"]\n')
    for name, text in (
        ("__init__.py", ""),
        ("build.py", _SLOW_SCRIPT),
        ("a_read_prices.py", _QUICK_METHOD),
        ("a_model_prices.py", _SLOW_METHOD),
    ):
        (package / name).write_text(text)
    with RunningBoard(project) as board:
        building = subprocess.Popen(
            [sys.executable, "-m", "acc", "build"],
            cwd=project,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            _take(browser, board, LIVE, project)
        finally:
            building.terminate()
            building.wait(20)


def _acc(project: Path, *words: str) -> None:
    subprocess.run([sys.executable, "-m", "acc", *words], cwd=project, check=True, capture_output=True)


def _take(browser: Any, board: RunningBoard, shots: tuple[Shot, ...], project: Path) -> None:
    names = [
        (str(project), f"/home/anna/{project.name}"),
        (platform.node(), "laptop"),
        (getpass.getuser(), "anna"),
    ]
    for shot in shots:
        width, height = shot.size
        context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=shot.scheme)
        page = context.new_page()
        page.goto(board.url + shot.path)
        page.locator(shot.ready).first.wait_for()
        # what comes later is there when no request is left
        if not page.locator("main[data-live]").count():
            page.wait_for_load_state("networkidle")
        page.evaluate(_RENAME, names)
        _write(page.screenshot(), FOLDER / f"board-{shot.name}.png")
        context.close()


def _write(png: bytes, path: Path) -> None:
    """Write a picture, with few colours if it is large else: those of few points are lost."""
    picture, packed = Image.open(io.BytesIO(png)).convert("RGB"), io.BytesIO()
    picture.save(packed, "PNG", optimize=True)
    if packed.tell() > _MOST_BYTES:
        packed = io.BytesIO()
        picture.quantize(256, dither=Image.Dither.NONE).save(packed, "PNG", optimize=True)
    path.write_bytes(packed.getvalue())


if __name__ == "__main__":
    main()
