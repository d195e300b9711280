"""What reads URLs: whether it is installed, and what installs it if not."""

import sys
import tomllib
from pathlib import Path

import pytest

from porcelain.settings.place import ConfigError
from porcelain.settings.service import SERVICES, check_installed

PYPROJECT = Path(__file__).parents[3] / "pyproject.toml"


@pytest.mark.parametrize("scheme", SERVICES)
def test_what_is_not_installed_is_told_with_the_extra_that_brings_it(monkeypatch, scheme):
    service = SERVICES[scheme]
    monkeypatch.setitem(sys.modules, service.module, None)
    with pytest.raises(
        ConfigError, match=f"'{scheme}' URLs need {service.module}, which is not installed"
    ) as caught:
        check_installed(scheme)
    assert caught.value.hint == f"pip install 'acc[{service.extra}]'"


@pytest.mark.parametrize("scheme", SERVICES)
def test_the_extra_brings_what_reads_the_urls(scheme):
    extras = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"]
    service = SERVICES[scheme]
    assert any(wanted.startswith(service.module) for wanted in extras[service.extra])
    assert service.extra == "remote" or "acc[remote]" in extras[service.extra]


@pytest.mark.parametrize(("scheme", "extra"), [("s3", "s3"), ("file", "remote"), ("memory", "remote")])
def test_nothing_goes_without_fsspec(monkeypatch, scheme, extra):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ConfigError, match=f"'{scheme}' URLs need fsspec") as caught:
        check_installed(scheme)
    assert caught.value.hint == f"pip install 'acc[{extra}]'"


@pytest.mark.parametrize("scheme", ["file", "memory", "http", "ftp"])
def test_what_is_installed_is_taken(scheme):
    check_installed(scheme)


def test_a_scheme_that_nothing_reads_is_an_error():
    with pytest.raises(ConfigError, match="no filesystem for 'frob' URLs"):
        check_installed("frob")


def test_a_filesystem_of_others_is_named_by_them(monkeypatch):
    monkeypatch.setitem(sys.modules, "boxfs", None)
    with pytest.raises(ConfigError, match="'box' URLs need boxfs, which is not installed"):
        check_installed("box")
