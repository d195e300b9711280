"""Methods by their names, from files to declarations."""

import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from textwrap import dedent

import pytest

from cas.formats.canonical import Json
from cas.formats.node import encode
from cas.oid import oid_of
from jobs.errors import MethodError
from jobs.method.cache import Cache
from jobs.method.catalog import Catalog, find_packages
from jobs.method.closure import Closure
from jobs.method.definition import describe

TRIVIAL = "def synthesis(): return 1\n"
STANDARD = ("porcelain.methods", Path("/nowhere/porcelain/methods"))


class Site:
    """A project in a folder, and how its methods are asked for."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.described: list[str] = []
        self.cache = Cache(root / ".acc" / "cache.sqlite")
        self.write("mymethods/__init__.py", "")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")

    def catalog(self, *packages: str, standard: tuple[str, Path] = STANDARD) -> Catalog:
        folders = find_packages(packages or ["mymethods"], self.root)
        return Catalog(self.root, folders, standard, cache=self.cache, describe=self._describe)

    def _describe(self, closure: Closure, packages: Mapping[str, Path]) -> Json:
        self.described.append(closure.name)
        return describe(closure, packages)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    site = Site(tmp_path)
    yield site
    site.cache.close()


def test_methods_are_listed_by_name_without_being_read(site: Site) -> None:
    site.write("mymethods/a_b.py", "def (")
    site.write("mymethods/a_a.py", TRIVIAL)
    site.write("mymethods/helper.py", "")
    site.write("mymethods/a_not-a-name.py", "")
    site.write("mymethods/build_x.py", "")

    assert [(found.name, found.package) for found in site.catalog().names()] == [
        ("a", "mymethods"),
        ("b", "mymethods"),
    ]


def test_a_method_is_got_by_its_name(site: Site) -> None:
    site.write(
        "mymethods/a_count.py",
        "from . import helper\nimport numpy\noptions = {'x': helper.default}\n" + TRIVIAL,
    )
    site.write("mymethods/helper.py", "default = 5")
    method = site.catalog().get("count")

    assert (method.name, method.package, method.module) == ("count", "mymethods", "mymethods.a_count")
    assert method.path == site.root / "mymethods" / "a_count.py"
    assert method.source == oid_of(encode(method.source_node))
    assert method.source_node.files["mymethods/helper.py"] == oid_of(b"default = 5")
    assert method.declarations.options["x"].default(None) == 5
    assert (method.installed, method.version, method.preload) == (False, None, ["numpy"])


def test_describing_leaves_nothing_imported(site: Site) -> None:
    site.write("mymethods/a_count.py", TRIVIAL)
    before = set(sys.modules)
    site.catalog().get("count")

    assert not any(name.startswith("mymethods") for name in sys.modules.keys() - before)


def test_declarations_are_remembered_by_source(site: Site) -> None:
    site.write("mymethods/a_count.py", "options = {'x': 1}\n" + TRIVIAL)
    first = site.catalog().get("count")
    again = site.catalog().get("count")

    assert site.described == ["mymethods.a_count"]
    assert again == first


def test_an_edit_shows_in_a_new_catalog_only(site: Site) -> None:
    site.write("mymethods/a_count.py", "options = {'x': 1}\n" + TRIVIAL)
    catalog = site.catalog()
    first = catalog.get("count")
    site.write("mymethods/a_count.py", "options = {'x': 2}\n" + TRIVIAL)
    second = site.catalog().get("count")

    assert catalog.get("count") is first
    assert first.source != second.source
    assert second.declarations.options["x"].default(None) == 2


def test_declarations_that_hidden_code_had_a_part_in_are_not_remembered(site: Site) -> None:
    site.write(
        "mymethods/a_count.py",
        "import importlib\noptions = {'x': importlib.import_module('mymethods.' + 'hidden').default}\n"
        + TRIVIAL,
    )
    for default in (1, 2):
        site.write("mymethods/hidden.py", f"default = {default}")
        assert site.catalog().get("count").declarations.options["x"].default(None) == default


def test_a_broken_method_hurts_only_its_users(site: Site) -> None:
    site.write("mymethods/a_count.py", TRIVIAL)
    site.write("mymethods/a_broken.py", "\ndef (")
    catalog = site.catalog()

    assert catalog.get("count").name == "count"
    with pytest.raises(MethodError, match=r"cannot parse '.*/a_broken.py': line 2: "):
        catalog.get("broken")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "import nothing_of_this_name",
            "cannot load method 'x': ModuleNotFoundError: No module named 'nothing",
        ),
        ("raise SystemExit(3)", "cannot load method 'x': SystemExit: 3"),
        ("from .missing import y", "cannot load method 'x': ModuleNotFoundError"),
        ("options = {'x': object}", "option 'x' of method 'x' is declared wrongly"),
    ],
)
def test_a_method_that_does_not_load_is_an_error(site: Site, text: str, message: str) -> None:
    site.write("mymethods/a_x.py", text + "\n" + TRIVIAL)
    with pytest.raises(MethodError) as caught:
        site.catalog().get("x")
    assert message in str(caught.value)


def test_a_method_that_does_not_load_is_shown_with_its_line(site: Site) -> None:
    site.write("mymethods/a_x.py", "from . import helper")
    site.write("mymethods/helper.py", "\n1 / 0")
    with pytest.raises(MethodError) as caught:
        site.catalog().get("x")
    assert caught.value.hint == f"at {site.root}/mymethods/helper.py:2"


def test_an_unknown_method_is_an_error_with_what_is_close(site: Site) -> None:
    site.write("mymethods/a_count.py", TRIVIAL)
    with pytest.raises(MethodError, match="no method 'counts'") as caught:
        site.catalog().get("counts")
    assert caught.value.hint == "did you mean 'count'?"


def test_a_method_in_two_packages_is_an_error_for_its_users(site: Site) -> None:
    for package in ("mymethods", "more"):
        site.write(f"{package}/__init__.py", "")
        site.write(f"{package}/a_count.py", TRIVIAL)
    site.write("more/a_other.py", TRIVIAL)
    catalog = site.catalog("mymethods", "more")

    assert catalog.get("other").package == "more"
    with pytest.raises(MethodError, match="method 'count' is in two packages: more and mymethods"):
        catalog.get("count")


@pytest.mark.parametrize(
    ("package", "message"),
    [
        ("nowhere", "no method package 'nowhere'"),
        ("bare", "method package 'bare' has no __init__.py"),
        ("json", "method package 'json' has a name that Python or acc uses"),
        ("jobs", "method package 'jobs' has a name that Python or acc uses"),
    ],
)
def test_a_wrong_package_is_an_error(site: Site, package: str, message: str) -> None:
    for name in ("json", "jobs"):
        site.write(f"{name}/__init__.py", "")
    (site.root / "bare").mkdir()
    with pytest.raises(MethodError, match=message) as caught:
        site.catalog(package).names()
    assert caught.value.hint


def test_packages_are_found_by_dotted_name_and_by_folder(tmp_path: Path) -> None:
    root = tmp_path / "project"

    assert find_packages(["one", "lib.two", "lib/three", "../four"], root) == {
        "one": root / "one",
        "lib.two": root / "lib" / "two",
        "lib.three": root / "lib" / "three",
        "four": tmp_path / "four",
    }


@pytest.fixture
def standard() -> tuple[str, Path]:
    import porcelain.methods

    return "porcelain.methods", Path(porcelain.methods.__path__[0])


@pytest.fixture
def installed(
    standard: tuple[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str, str], tuple[str, Path]]:
    """Return a function that adds a method to acc's own, for the time of the test."""
    import porcelain.methods

    folder = tmp_path / "installed" / "porcelain" / "methods"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("")
    monkeypatch.setattr(porcelain.methods, "__path__", [str(folder)])

    def add(name: str, text: str) -> tuple[str, Path]:
        (folder / name).write_text(dedent(text))
        monkeypatch.delitem(sys.modules, f"porcelain.methods.{name.removesuffix('.py')}", raising=False)
        return "porcelain.methods", folder

    return add


def test_a_method_of_accs_own_counts_by_its_version(
    site: Site, installed: Callable[[str, str], tuple[str, Path]]
) -> None:
    installed("shared_words.py", "word = 'x'")
    standard = installed(
        "a_stdtest.py",
        f"from porcelain.methods import shared_words\nfrom jobs.errors import MethodError\nversion = 4\n{TRIVIAL}",
    )
    method = site.catalog(standard=standard).get("stdtest")

    assert (method.installed, method.version, method.module) == (True, 4, "porcelain.methods.a_stdtest")
    assert set(method.closure.files) == {
        "porcelain/methods/__init__.py",
        "porcelain/methods/a_stdtest.py",
        "porcelain/methods/shared_words.py",
    }


def test_a_method_of_accs_own_without_version_is_a_bug(
    site: Site, installed: Callable[[str, str], tuple[str, Path]]
) -> None:
    standard = installed("a_stdtest.py", TRIVIAL)
    with pytest.raises(AssertionError):
        site.catalog(standard=standard).get("stdtest")


def test_a_project_may_have_its_own_of_a_standard_method(
    site: Site, installed: Callable[[str, str], tuple[str, Path]]
) -> None:
    standard = installed("a_stdtest.py", f"version = 4\n{TRIVIAL}")
    site.write("mymethods/a_stdtest.py", TRIVIAL)
    catalog = site.catalog(standard=standard)

    assert [found.package for found in catalog.names()] == ["mymethods"]
    assert not catalog.get("stdtest").installed


def test_the_real_standard_methods_describe_themselves(site: Site, standard: tuple[str, Path]) -> None:
    catalog = site.catalog(standard=standard)
    for found in catalog.names():
        method = catalog.get(found.name)
        assert method.version is not None
        assert all(path.startswith("porcelain/methods/") for path in method.closure.files)


def test_the_environment_of_a_method_is_that_of_its_imports(site: Site) -> None:
    site.write("mymethods/a_count.py", "import pytest\n" + TRIVIAL)
    catalog = site.catalog()

    assert set(catalog.environment(catalog.get("count"))) == {"python", "acc", "pytest"}


EQUIVALENT = "def synthesis(): return 1\nequivalent_hashes = {%s}  # as before\nx = 'ä'\n"


def test_equivalent_hashes_count_when_their_verifier_fits(site: Site) -> None:
    site.write("mymethods/a_count.py", EQUIVALENT % "'': ()")
    verifier = site.catalog().get("count").verifier
    site.write("mymethods/a_count.py", EQUIVALENT % f"'{verifier}': ('old',)")
    method = site.catalog().get("count")

    assert method.verifier == verifier
    assert method.equivalents == ("old",)
    assert not list(method.warnings())


def test_equivalent_hashes_of_another_source_warn_with_the_right_verifier(site: Site) -> None:
    site.write("mymethods/a_count.py", EQUIVALENT % "'wrong': ('old',)")
    method = site.catalog().get("count")

    assert method.equivalents == ()
    assert list(method.warnings()) == [
        f"equivalent_hashes of 'count' does not fit its source: the key should be '{method.verifier}'"
    ]


def test_what_cannot_be_followed_is_a_warning(site: Site) -> None:
    code = "import importlib\ndef synthesis(options):\n    importlib.import_module(options.x)\n"
    site.write("mymethods/a_count.py", code)
    cannot = "mymethods/a_count.py:3: imports a module whose name shows only when it runs"
    assert list(site.catalog().get("count").warnings()) == [
        f"'count' imports what cannot be followed: {cannot}"
    ]
    site.write("mymethods/a_count.py", code + code)
    (warning,) = site.catalog().get("count").warnings()
    assert warning.endswith(f"{cannot} (and 1 more: 'acc method count')")
