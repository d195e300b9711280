"""Project code runs from the bytes that were read, and from nothing else."""

import importlib.util
import inspect
import linecache
import sys
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path

import pytest

from jobs.method.finder import Misses, SourceFinder, import_live
from jobs.method.modules import Module, find_on_path, is_found, is_missing

Make = Callable[..., SourceFinder]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Return a function that installs a finder for modules given as texts, with `tmp_path/mymethods` as live root."""
    finders = []
    (tmp_path / "mymethods").mkdir()

    def install(texts: Mapping[str, str] | None = None, **options: object) -> SourceFinder:
        modules = {name: module(tmp_path, name, text) for name, text in (texts or {}).items()}
        finder = SourceFinder(modules, {"mymethods": tmp_path / "mymethods"}, **options)  # type: ignore[arg-type]
        finder.install()
        finders.append(finder)
        return finder

    yield install
    for finder in reversed(finders):
        finder.remove()


def module(root: Path, name: str, text: str) -> Module:
    path = root.joinpath(*name.removesuffix("/").split("."))
    name = name.removesuffix("/")
    return Module(
        name, path / "__init__.py" if text.startswith("# package") else path.with_suffix(".py"), text.encode()
    )


PACKAGE = "# package\n"


def test_the_bytes_run_and_not_the_file(make: Make, tmp_path: Path) -> None:
    (tmp_path / "mymethods" / "a_x.py").write_text("value = 'file'")
    finder = make({"mymethods": PACKAGE, "mymethods.a_x": "value = 'bytes'"})

    assert finder.execute("mymethods.a_x").value == "bytes"


def test_a_module_knows_its_real_file_and_package(make: Make, tmp_path: Path) -> None:
    found = make({"mymethods": PACKAGE, "mymethods.a_x": ""}).execute("mymethods.a_x")

    assert found.__file__ == str(tmp_path / "mymethods" / "a_x.py")
    assert found.__package__ == "mymethods"
    assert sys.modules["mymethods"].__path__ == [str(tmp_path / "mymethods")]


def test_modules_import_each_other(make: Make) -> None:
    finder = make(
        {
            "mymethods": PACKAGE + "from .helper import f",
            "mymethods.a_x": "from . import helper\nimport lib.deep\nvalue = helper.f() + lib.deep.g()",
            "mymethods.helper": "def f(): return 1",
            "lib": PACKAGE,
            "lib.deep": "def g(): return 2",
        }
    )

    assert finder.execute("mymethods.a_x").value == 3


def test_a_package_without_init_is_found_above_its_modules(make: Make, tmp_path: Path) -> None:
    finder = make({"space.deep.thing": "value = 1", "space.pack": PACKAGE + "value = 2"})

    assert finder.execute("space.deep.thing").value == 1
    assert finder.execute("space.pack").value == 2
    assert list(sys.modules["space.deep"].__path__) == [str(tmp_path / "space" / "deep")]


def test_a_traceback_shows_the_text_that_ran(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "mymethods" / "a_x.py"
    path.write_text("another text\nof other lines")
    finder = make({"mymethods": PACKAGE, "mymethods.a_x": "def f():\n    raise ValueError('here')"})
    try:
        finder.execute("mymethods.a_x").f()
    except ValueError:
        shown = traceback.format_exc()
    linecache.checkcache()

    assert f"File \"{path}\", line 2, in f\n    raise ValueError('here')" in shown
    assert linecache.getline(str(path), 2) == "    raise ValueError('here')"
    assert inspect.getsource(sys.modules["mymethods.a_x"].f).startswith("def f():")


def test_an_error_at_import_shows_no_line_of_ours(make: Make) -> None:
    finder = make({"mymethods": PACKAGE, "mymethods.a_x": "from . import b", "mymethods.b": "1 / 0"})
    with pytest.raises(ZeroDivisionError) as caught:
        finder.execute("mymethods.a_x")
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]

    assert names[-2:] == ["<module>", "<module>"]


def test_no_pyc_is_read_or_written(make: Make, tmp_path: Path) -> None:
    path = tmp_path / "mymethods" / "helper.py"
    (tmp_path / "mymethods" / "__init__.py").write_text("")
    path.write_text("value = 1")
    make().execute("mymethods.helper")
    path.write_text("value = 2")  # same size, and within the tick of the clock

    assert make().execute("mymethods.helper").value == 2
    assert not list(tmp_path.rglob("__pycache__"))


def test_a_module_that_is_not_known_comes_from_its_file_and_is_reported(make: Make, tmp_path: Path) -> None:
    (tmp_path / "mymethods" / "helper.py").write_text("from . import deeper")
    (tmp_path / "mymethods" / "deeper.py").write_text("value = 1")
    (tmp_path / "beside.py").write_text("")
    live: list[tuple[str, Path, bytes]] = []
    finder = make(
        {
            "mymethods": PACKAGE,
            "mymethods.a_x": "import importlib, beside\nimportlib.import_module('mymethods.helper')",
        },
        on_live=lambda *report: live.append(report),
    )
    finder.execute("mymethods.a_x")

    assert live == [
        ("beside", tmp_path / "beside.py", b""),
        ("mymethods.helper", tmp_path / "mymethods" / "helper.py", b"from . import deeper"),
        ("mymethods.deeper", tmp_path / "mymethods" / "deeper.py", b"value = 1"),
    ]


def test_looking_for_a_module_reports_nothing(make: Make, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("")
    live: list[object] = []
    make(on_live=lambda *report: live.append(report))

    assert importlib.util.find_spec("beside") is not None
    assert not live


@pytest.mark.parametrize("name", ["json", "colorsys", "jobs.errors", "cas", "acc.version"])
def test_project_code_hides_neither_the_standard_library_nor_acc(
    make: Make, tmp_path: Path, name: str
) -> None:
    top = name.partition(".")[0]
    (tmp_path / f"{top}.py").write_text("hidden = True")
    finder = make({top: "hidden = True", name: "hidden = True"})

    assert not hasattr(finder.execute(name), "hidden")


def test_installed_packages_are_left_alone(make: Make, tmp_path: Path) -> None:
    (tmp_path / "pytest").mkdir()  # a mere folder
    finder = make()

    assert finder.find_spec("pytest", None) is None
    assert finder.find_spec("numpy.linalg", ["/anywhere"]) is None


def test_removing_brings_back_what_was_imported_before(make: Make) -> None:
    first = make({"mymethods": PACKAGE, "mymethods.a_x": "value = 1"}).execute("mymethods.a_x")
    second = make({"mymethods": PACKAGE, "mymethods.a_x": "value = 2", "mymethods.b": ""})
    assert second.execute("mymethods.a_x").value == 2
    second.execute("mymethods.b")
    second.remove()

    assert sys.modules["mymethods.a_x"] is first
    assert "mymethods.b" not in sys.modules
    second.install()


def test_an_extension_module_that_changed_is_not_loaded(make: Make, tmp_path: Path) -> None:
    path = tmp_path / f"mymethods/fast{importlib.machinery.EXTENSION_SUFFIXES[0]}"
    path.write_bytes(b"new")
    finder = SourceFinder({"fast": Module("fast", path, b"old")}, {})
    with pytest.raises(ImportError, match="is not what it was when the job was asked for"):
        finder.find_spec("fast", None)


def test_a_package_finds_files_beside_its_modules(make: Make, tmp_path: Path) -> None:
    from importlib import resources

    (tmp_path / "mymethods" / "data.txt").write_text("data")
    make({"mymethods": PACKAGE}).execute("mymethods")

    assert resources.files("mymethods").joinpath("data.txt").read_text() == "data"


@pytest.fixture
def scripts(tmp_path: Path) -> Iterator[Callable[[str, str], object]]:
    """Return a function that writes a build script and imports it."""
    (tmp_path / "mymethods").mkdir()
    (tmp_path / "mymethods" / "__init__.py").write_text("")
    (tmp_path / "other").mkdir()
    roots = {"mymethods": tmp_path / "mymethods"}

    def run(place: str, text: str) -> object:
        path = tmp_path / place
        path.write_text(text)
        return import_live(path, "mymethods" if place.startswith("mymethods/") else "", roots)

    yield run
    (tmp_path / "end.py").write_text("")
    import_live(tmp_path / "end.py", "", {})


def test_a_build_script_imports_live_code_and_sees_each_change(
    scripts: Callable[[str, str], object], tmp_path: Path
) -> None:
    script = "from . import helper\ndef main(): from .late import value; return helper.value + value"
    (tmp_path / "mymethods" / "late.py").write_text("value = 10")
    totals = []
    for number in (1, 2):
        (tmp_path / "mymethods" / "helper.py").write_text(f"value = {number}")
        totals.append(scripts("mymethods/build_x.py", script).main())  # type: ignore[attr-defined]

    assert totals == [11, 12]


def test_a_build_script_elsewhere_finds_what_is_beside_it(
    scripts: Callable[[str, str], object], tmp_path: Path
) -> None:
    (tmp_path / "other" / "beside.py").write_text("value = 1")
    script = scripts("other/json.py", "import beside, json\nvalue = beside.value, json.loads('2')")

    assert script.value == (1, 2)  # type: ignore[attr-defined]


# what was looked for in vain


@pytest.fixture
def missed(make: Make, tmp_path: Path) -> Callable[..., list[str]]:
    """A function that runs code in a method and returns where it looked for modules in vain."""

    def run(code: str, known: frozenset[str] = frozenset()) -> list[str]:
        paths: list[Path] = []
        finder = make(
            {"mymethods": PACKAGE, "mymethods.a_x": f"import importlib\n{code}\n"},
            misses=Misses(paths.append, known),
        )
        with suppress(ImportError):
            finder.execute("mymethods.a_x")
        finder.remove()
        finder.install()
        return [path.relative_to(tmp_path).as_posix() for path in paths]

    return run


def test_a_module_of_the_project_that_is_not_there_is_told(missed: Callable[..., list[str]]) -> None:
    assert missed("importlib.import_module('mymethods.plugin')") == ["mymethods/plugin"]
    assert missed("importlib.import_module('plugin')") == ["plugin"]
    assert missed("import plugin", frozenset({"plugin"})) == []
    assert missed("import json, numpy.linalg, mymethods") == []


def test_what_installed_code_looks_for_is_not_told(
    missed: Callable[..., list[str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site-packages"
    site.mkdir()
    (site / "thirdparty.py").write_text("try:\n    import optional\nexcept ImportError:\n    pass\n")
    monkeypatch.syspath_prepend(site)
    try:
        assert missed("import thirdparty", frozenset({"thirdparty"})) == []
    finally:
        sys.modules.pop("thirdparty", None)


def test_a_folder_that_may_become_a_package_is_told(missed: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "mymethods" / "space").mkdir()
    (tmp_path / "mymethods" / "space" / "x.py").write_text("")
    assert missed("importlib.import_module('mymethods.space.x')") == ["mymethods/space"]


def test_a_file_is_found_while_nothing_hides_it(tmp_path: Path) -> None:
    module = tmp_path / "x.py"
    assert is_missing(tmp_path / "x")
    assert not is_found(module)
    module.write_text("")
    assert is_found(module)
    assert not is_missing(tmp_path / "x")
    (tmp_path / "x").mkdir()
    assert is_found(module)
    package = tmp_path / "x" / "__init__.py"
    package.write_text("")
    assert is_found(package)
    assert not is_found(module)


def test_a_finder_of_a_project_is_not_asked_where_python_finds_a_module(make: Make, tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("")
    make()
    assert importlib.util.find_spec("beside") is not None
    assert find_on_path("beside") is None
