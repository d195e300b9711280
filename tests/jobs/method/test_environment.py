"""Which versions count in a key."""

import platform
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.method.cache import Cache
from jobs.method.environment import ENGINE_VERSION, environment


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    cache = Cache(tmp_path / "cache.sqlite")
    yield cache
    cache.close()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of installed packages."""
    folder = tmp_path / "site-packages"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    return folder


def install(site: Path, distribution: str, *files: str, legacy: bool = False) -> None:
    for name in files:
        (site / name).parent.mkdir(exist_ok=True)
        (site / name).write_text("")
    metadata = site / f"{distribution}{'-py3.11.egg-info' if legacy else '.dist-info'}"
    metadata.mkdir()
    if legacy:
        (metadata / "top_level.txt").write_text("".join(f"{name.partition('/')[0]}\n" for name in files))
    else:
        (metadata / "RECORD").write_text("".join(f"{name},sha256=x,0\n" for name in files))


def found(cache: Cache, *imports: str, setting: str = "minor") -> dict[str, str]:
    versions = environment(imports, setting, cache)  # type: ignore[arg-type] # parametrised
    return {name: version for name, version in versions.items() if name not in ("python", "acc")}


def test_python_and_the_engine_count(cache: Cache) -> None:
    assert environment([], "minor", cache) == {
        "python": f"{sys.version_info[0]}.{sys.version_info[1]}",
        "acc": str(ENGINE_VERSION),
    }
    assert environment([], "exact", cache)["python"] == platform.python_version()


def test_with_none_nothing_counts(cache: Cache) -> None:
    assert environment(["pytest"], "none", cache) == {}


@pytest.mark.parametrize(
    ("version", "minor"),
    [("2.4.6", "2.4"), ("23", "23"), ("1.0rc1", "1.0rc1"), ("2024.10.1.post1", "2024.10")],
)
def test_minor_keeps_two_parts(cache: Cache, site: Path, version: str, minor: str) -> None:
    install(site, f"first-{version}", "first/__init__.py")

    assert found(cache, "first") == {"first": minor}
    assert found(cache, "first", setting="exact") == {"first": version}


def test_a_distribution_of_another_name_is_found(cache: Cache, site: Path) -> None:
    install(site, "Image_Tools-9.1", "PIX/__init__.py", "_pix.py")
    install(site, "other-1.0", "other.py", "PIXEL/__init__.py")

    assert found(cache, "PIX") == {"image-tools": "9.1"}
    assert found(cache, "_pix", "other") == {"image-tools": "9.1", "other": "1.0"}


def test_a_distribution_that_is_only_called_like_the_module_is_not_it(cache: Cache, site: Path) -> None:
    install(site, "first-1.0", "another/__init__.py")
    install(site, "second-2.0", "first.cpython-311-x86_64-linux-gnu.so", "first.py")

    assert found(cache, "first") == {"second": "2.0"}


def test_all_that_share_a_folder_count(cache: Cache, site: Path) -> None:
    install(site, "cloud_one-1.0", "shared/one.py")
    install(site, "cloud_two-2.0", "shared/two.py")

    assert found(cache, "shared") == {"cloud-one": "1.0", "cloud-two": "2.0"}


def test_an_old_installation_is_found(cache: Cache, site: Path) -> None:
    install(site, "Old-1.2.3", "old/__init__.py", legacy=True)

    assert found(cache, "old") == {"old": "1.2"}


def test_what_is_not_installed_does_not_count(cache: Cache) -> None:
    assert found(cache, "not_installed_at_all") == {}


def test_what_lies_there_without_a_record_has_no_version(cache: Cache, site: Path) -> None:
    (site / "lonely.py").write_text("")

    assert found(cache, "lonely") == {"lonely": "?"}


def test_an_upgrade_shows(cache: Cache, site: Path) -> None:
    install(site, "first-1.0", "first/__init__.py")
    before = found(cache, "first")
    stamp = site.stat().st_mtime_ns
    while site.stat().st_mtime_ns == stamp:  # until the filesystem's clock has ticked
        (site / "first-1.0.dist-info").rename(site / "first-2.0.dist-info")
        (site / "first-2.0.dist-info").rename(site / "first-1.0.dist-info")
    (site / "first-1.0.dist-info").rename(site / "first-2.0.dist-info")

    assert (before, found(cache, "first")) == ({"first": "1.0"}, {"first": "2.0"})


def test_what_is_remembered_is_not_looked_up(cache: Cache, site: Path) -> None:
    install(site, "first-1.0", "first/__init__.py")
    found(cache, "first")
    (site / "first-1.0.dist-info" / "RECORD").write_text("")

    assert found(cache, "first") == {"first": "1.0"}


def test_real_packages_are_found(cache: Cache) -> None:
    import numpy as np

    versions = environment(["numpy", "_pytest", "blake3"], "exact", cache)

    assert versions["numpy"] == np.__version__
    assert {"pytest", "blake3"} < set(versions)


def test_nothing_is_imported(cache: Cache, site: Path) -> None:
    install(site, "first-1.0", "first/__init__.py")
    (site / "first" / "__init__.py").write_text("1 / 0")
    found(cache, "first")

    assert "first" not in sys.modules
