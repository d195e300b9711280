"""What belongs to the source of a method, and what does not."""

import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from jobs.errors import MethodError
from jobs.method.closure import Closure, find_closure

Write = Callable[[dict[str, str]], Callable[..., Closure]]


@pytest.fixture
def project(tmp_path: Path) -> Write:
    """Return a function that writes files and returns one that finds the closure of `mymethods/a_x.py`."""

    def write(files: dict[str, str]) -> Callable[..., Closure]:
        write_all(tmp_path, {"mymethods/__init__.py": "", **files})
        return lambda *packages: closure_in(tmp_path, *packages)

    return write


def write_all(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")


def closure_in(root: Path, *packages: str) -> Closure:
    folders = {name: root.joinpath(*name.split(".")) for name in packages or ("mymethods",)}
    main = next(folder / "a_x.py" for folder in folders.values() if (folder / "a_x.py").exists())
    return find_closure(main, folders, root)


def files_of(closure: Closure) -> set[str]:
    return set(closure.files) - {"mymethods/__init__.py", "mymethods/a_x.py"}


def test_a_method_alone_is_its_file_and_its_package(project: Write, tmp_path: Path) -> None:
    closure = project({"mymethods/a_x.py": "x = 1"})()

    assert closure.name == "mymethods.a_x"
    assert closure.main == "mymethods/a_x.py"
    assert closure.files == {"mymethods/__init__.py": b"", "mymethods/a_x.py": b"x = 1"}
    assert closure.real["mymethods/a_x.py"] == tmp_path / "mymethods" / "a_x.py"
    assert closure.modules == {"mymethods": "mymethods/__init__.py", "mymethods.a_x": "mymethods/a_x.py"}
    assert not closure.imports
    assert not closure.unresolved


@pytest.mark.parametrize(
    "statement",
    [
        "from . import helper",
        "from .helper import f",
        "from .helper import *",
        "from mymethods import helper",
        "from mymethods.helper import f",
        "import mymethods.helper",
        "import mymethods.helper as h",
        "def f():\n    from . import helper",
        "if 0:\n    from . import helper",
        "import importlib\nimportlib.import_module('mymethods.helper')",
        "import importlib\nimportlib.import_module('.helper', __package__)",
        "from importlib import import_module as load\nload('mymethods.helper')",
    ],
)
def test_a_module_of_the_package_is_source(project: Write, statement: str) -> None:
    closure = project({"mymethods/a_x.py": statement, "mymethods/helper.py": "", "mymethods/other.py": ""})()

    assert files_of(closure) == {"mymethods/helper.py"}
    assert not closure.unresolved


def test_imports_are_followed(project: Write) -> None:
    closure = project(
        {
            "mymethods/a_x.py": "from . import one",
            "mymethods/one.py": "from .two import f",
            "mymethods/two.py": "from . import one; import numpy",
        }
    )()

    assert files_of(closure) == {"mymethods/one.py", "mymethods/two.py"}
    assert closure.imports == {"numpy"}


def test_a_long_chain_of_imports_is_followed(project: Write) -> None:
    modules = {f"mymethods/m{number}.py": f"from . import m{number + 1}" for number in range(2000)}
    closure = project({"mymethods/a_x.py": "from . import m0", "mymethods/m2000.py": "", **modules})()

    assert len(files_of(closure)) == 2001


def test_modules_beside_the_package_are_source(project: Write) -> None:
    closure = project(
        {
            "mymethods/a_x.py": "import common, lib.deep.thing\nfrom lib.deep import other",
            "common.py": "",
            "lib/__init__.py": "",
            "lib/deep/__init__.py": "from . import third",
            "lib/deep/thing.py": "",
            "lib/deep/other.py": "",
            "lib/deep/third.py": "",
            "lib/unused.py": "",
        }
    )()

    assert files_of(closure) == {
        "common.py",
        "lib/__init__.py",
        "lib/deep/__init__.py",
        "lib/deep/thing.py",
        "lib/deep/other.py",
        "lib/deep/third.py",
    }


def test_what_the_package_itself_imports_is_source(project: Write) -> None:
    closure = project(
        {"mymethods/__init__.py": "from .setup import x", "mymethods/setup.py": "", "mymethods/a_x.py": ""}
    )()

    assert files_of(closure) == {"mymethods/setup.py"}


def test_a_folder_without_init_is_a_package_when_a_module_in_it_is_meant(project: Write) -> None:
    closure = project({"mymethods/a_x.py": "import space.deep.thing", "space/deep/thing.py": ""})()

    assert files_of(closure) == {"space/deep/thing.py"}
    assert closure.modules["space.deep.thing"] == "space/deep/thing.py"


def test_a_mere_folder_does_not_hide_what_is_installed(project: Write) -> None:
    closure = project({"mymethods/a_x.py": "import pytest", "pytest/data.txt": ""})()

    assert not files_of(closure)
    assert closure.imports == {"pytest"}


def test_a_star_imports_the_modules_in_all(project: Write) -> None:
    closure = project(
        {
            "mymethods/a_x.py": "from lib import *",
            "lib/__init__.py": "__all__ = ['one', 'f']",
            "lib/one.py": "",
            "lib/two.py": "",
        }
    )()

    assert files_of(closure) == {"lib/__init__.py", "lib/one.py"}


def test_another_method_package_is_source(project: Write) -> None:
    closure = project({"mymethods/a_x.py": "import more.thing", "more/__init__.py": "", "more/thing.py": ""})

    assert files_of(closure("mymethods", "more")) == {"more/__init__.py", "more/thing.py"}


def test_a_package_in_a_package_keeps_its_whole_name(tmp_path: Path) -> None:
    write_all(
        tmp_path,
        {
            "lib/__init__.py": "",
            "lib/methods/__init__.py": "",
            "lib/methods/a_x.py": "from ..common import f",
            "lib/common.py": "",
        },
    )
    closure = closure_in(tmp_path, "lib.methods")

    assert closure.name == "lib.methods.a_x"
    assert set(closure.files) == {
        "lib/__init__.py",
        "lib/methods/__init__.py",
        "lib/methods/a_x.py",
        "lib/common.py",
    }


@pytest.mark.parametrize("name", ["json", "acc", "jobs.errors", "porcelain.methods", "cas"])
def test_neither_the_standard_library_nor_acc_is_source(project: Write, name: str) -> None:
    hiding = {f"{name.partition('.')[0]}.py": ""}
    closure = project({"mymethods/a_x.py": f"import {name}", **hiding})()

    assert not files_of(closure)
    assert not closure.imports


def test_installed_packages_are_not_source(
    project: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    site = tmp_path / ".venv" / "lib" / "site-packages"
    write_all(site, {"thirdparty/__init__.py": "from . import deep", "thirdparty/deep.py": ""})
    monkeypatch.syspath_prepend(site)
    closure = project({"mymethods/a_x.py": "from thirdparty import deep\nimport notinstalled.x"})()

    assert not files_of(closure)
    assert closure.imports == {"thirdparty", "notinstalled"}


def test_what_is_installed_beside_an_installed_method_is_not_source(tmp_path: Path) -> None:
    site = tmp_path / "site-packages"
    write_all(
        site,
        {
            "porcelain/__init__.py": "",
            "porcelain/methods/__init__.py": "",
            "porcelain/methods/a_x.py": "import thirdparty, jobs.errors\nfrom porcelain.methods import words",
            "porcelain/methods/words.py": "",
            "thirdparty.py": "",
        },
    )
    closure = closure_in(site, "porcelain.methods")

    assert set(closure.files) == {
        "porcelain/methods/__init__.py",
        "porcelain/methods/a_x.py",
        "porcelain/methods/words.py",
    }
    assert closure.imports == {"thirdparty"}


def test_code_that_python_finds_elsewhere_is_source(
    project: Write, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    write_all(tmp_path / "elsewhere", {"mine/__init__.py": "", "mine/deep.py": "", "single.py": ""})
    monkeypatch.syspath_prepend(tmp_path / "elsewhere")
    closure = project({"mymethods/a_x.py": "import mine.deep, single"})()

    assert files_of(closure) == {"mine/__init__.py", "mine/deep.py", "single.py"}


def test_the_ids_of_a_closure_do_not_depend_on_where_it_lies(tmp_path: Path) -> None:
    files = {
        "mymethods/__init__.py": "",
        "mymethods/a_x.py": "import common\ndepend_extra = ('q.sql',)",
        "mymethods/q.sql": "select",
        "common.py": "",
    }
    write_all(tmp_path / "one", files)
    write_all(tmp_path / "far" / "away", files)

    assert closure_in(tmp_path / "one").files == closure_in(tmp_path / "far" / "away").files


def test_an_extension_module_is_source(project: Write, tmp_path: Path) -> None:
    from importlib.machinery import EXTENSION_SUFFIXES

    closure = project(
        {"mymethods/a_x.py": "from . import fast", f"mymethods/fast{EXTENSION_SUFFIXES[0]}": "machine"}
    )()

    assert closure.files[f"mymethods/fast{EXTENSION_SUFFIXES[0]}"] == b"machine"


def test_depend_extra_files_are_source(project: Write) -> None:
    closure = project(
        {
            "mymethods/a_x.py": "depend_extra = ('q.sql', '../shared/more.txt')",
            "mymethods/q.sql": "select",
            "shared/more.txt": "more",
        }
    )()

    assert closure.files["mymethods/q.sql"] == b"select"
    assert closure.files["shared/more.txt"] == b"more"


def test_the_order_of_depend_extra_does_not_count_but_what_is_where_does(tmp_path: Path) -> None:
    def files(order: str, one: str, two: str) -> dict[str, bytes]:
        write_all(
            tmp_path,
            {
                "mymethods/__init__.py": "",
                "mymethods/a_x.py": f"depend_extra = {order}",
                "mymethods/1": one,
                "mymethods/2": two,
            },
        )
        found = dict(closure_in(tmp_path).files)
        del found["mymethods/a_x.py"]
        return found

    assert files("('1', '2')", "a", "b") == files("('2', '1')", "a", "b")
    assert files("('1', '2')", "a", "b") != files("('1', '2')", "b", "a")


@pytest.mark.parametrize("extra", ["helper", "'mymethods.helper'"])
def test_depend_extra_names_modules_too(project: Write, extra: str) -> None:
    closure = project(
        {
            "mymethods/a_x.py": f"from . import helper\ndepend_extra = ({extra},)",
            "mymethods/helper.py": "from . import deeper",
            "mymethods/deeper.py": "",
        }
    )()

    assert files_of(closure) == {"mymethods/helper.py", "mymethods/deeper.py"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "depend_extra = ('none.txt',)",
            "depend_extra in 'mymethods/a_x.py' names 'none.txt', which is not there",
        ),
        ("depend_extra = ('..',)", "names '..', which is not there"),
        ("depend_extra = ('../../outside.txt',)", "which lies outside of the project"),
        ("depend_extra = ('/etc/passwd',)", "which lies outside of the project"),
        ("depend_extra = names()", "depend_extra in 'mymethods/a_x.py' is not written out"),
    ],
)
def test_a_wrong_depend_extra_is_an_error(project: Write, tmp_path: Path, text: str, message: str) -> None:
    (tmp_path.parent / "outside.txt").write_text("")
    with pytest.raises(MethodError) as caught:
        project({"mymethods/a_x.py": text})()
    assert message in str(caught.value)


@pytest.mark.parametrize("broken", ["a_x", "helper"])
def test_a_file_that_does_not_parse_is_named_with_its_line(
    project: Write, tmp_path: Path, broken: str
) -> None:
    files = {
        "mymethods/a_x.py": "from . import helper",
        "mymethods/helper.py": "",
        f"mymethods/{broken}.py": "\n\ndef (",
    }
    with pytest.raises(MethodError) as caught:
        project(files)()
    assert str(caught.value).startswith(f"cannot parse '{tmp_path}/mymethods/{broken}.py': line 3: ")


def test_a_file_that_cannot_be_read_is_an_error(project: Write, tmp_path: Path) -> None:
    find = project({"mymethods/a_x.py": "from . import helper"})
    (tmp_path / "mymethods" / "helper.py").symlink_to("nowhere")
    with pytest.raises(MethodError, match=r"cannot read 'mymethods/helper.py': No such file"):
        find()


def test_what_cannot_be_followed_is_noted(project: Write) -> None:
    closure = project(
        {
            "mymethods/a_x.py": """\
                import importlib
                from .missing import f
                from .... import beyond
                importlib.import_module(f"mymethods.{name}")
                """
        }
    )()

    assert set(closure.unresolved) == {
        "mymethods/a_x.py:2: no module '.missing'",
        "mymethods/a_x.py:3: no module '....'",
        "mymethods/a_x.py:4: imports a module whose name shows only when it runs",
    }


def test_nothing_of_the_project_is_imported(project: Write) -> None:
    before = set(sys.modules)
    project({"mymethods/a_x.py": "import common; 1 / 0", "common.py": "1 / 0"})()

    assert not {"mymethods", "mymethods.a_x", "common"} & (set(sys.modules) - before)


def test_the_modules_of_a_closure_carry_their_bytes(project: Write, tmp_path: Path) -> None:
    modules = project(
        {"mymethods/a_x.py": "from . import helper", "mymethods/helper.py": "y = 2"}
    )().to_modules()

    assert modules["mymethods.helper"].code == b"y = 2"
    assert modules["mymethods.helper"].path == tmp_path / "mymethods" / "helper.py"
    assert [name for name, module in modules.items() if module.is_package] == ["mymethods"]
