"""Methods, build scripts and workdirs in the board."""

import threading

import pytest

from jobs.errors import MethodError
from jobs.execution.executors.processes import ProcessExecutor
from porcelain import config
from porcelain.board.methodshelf import MethodsBeingRead, taken
from porcelain.board.opened import ShownProject
from porcelain.board.page import Asked, NoSuchPage
from porcelain.board.pages import methods, workdirs
from porcelain.board.rendering import to_html
from porcelain.project import Project
from tests.projects import Folder

FILES = {
    "mine/a_make.py": '''
        """Make <b>numbers</b>.

        Much.
            More so, set in.
        """
        options = dict(
            count=3,  # how <i>many</i>
        )
        datasets = ("source",)

        def synthesis(options):
            return options.count
        ''',
    "mine/a_broken.py": "import nothing_of_that_name\ndef synthesis():\n    pass\n",
    "mine/build.py": '"""Make all."""\ndef main(urd):\n    urd.build("make", count=4)\n',
}


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    folder = Folder(tmp_path_factory.mktemp("methods"), FILES)
    with ShownProject(config.load(folder.root)) as project:
        yield project


def html_of(shown, page, **names):
    asked = Asked("/here", names, {})
    found = page(shown, asked)
    return found.view, to_html(found, asked, "project")


def test_methods_are_listed_and_one_that_is_broken_says_why(shown):
    view, html = html_of(shown, methods.methods)
    lines = {each["name"]: each for each in view["methods"]}
    assert lines["make"]["description"].startswith("Make <b>numbers</b>.")
    assert "nothing_of_that_name" in lines["broken"]["error"]
    assert lines["csvimport"]["description"].startswith("Dataset from CSV files")
    assert "Make &lt;b&gt;numbers&lt;/b&gt;." in html
    assert [each["name"] for each in view["scripts"]] == ["build"]


def test_a_method_shows_its_words_options_and_code_as_text(shown):
    view, html = html_of(shown, methods.method, name="make")
    assert [(each["name"], each["takes"], each["default"]) for each in view["options"]] == [
        ("count", "int", 3)
    ]
    assert "\n    More so, set in." in html
    assert "how &lt;i&gt;many&lt;/i&gt;" in html
    assert "<b>numbers" not in html
    assert 'class="code numbered"' in html


def test_a_broken_method_has_a_page(shown):
    view, html = html_of(shown, methods.method, name="broken")
    assert "nothing_of_that_name" in view["error"]
    assert 'class="code numbered"' in html


def test_a_method_is_read_again_when_its_file_has_changed(shown):
    path = shown.config.root / "mine" / "a_new.py"
    path.write_text('"""One."""\ndef synthesis():\n    pass\n')
    assert html_of(shown, methods.method, name="new")[0]["description"] == "One."
    path.write_text('"""Another one."""\ndef synthesis():\n    pass\n')
    assert html_of(shown, methods.method, name="new")[0]["description"] == "Another one."
    path.unlink()
    with pytest.raises(NoSuchPage, match="no method 'new'"):
        html_of(shown, methods.method, name="new")


def test_many_who_ask_at_once_are_answered_by_one_reading(shown, monkeypatch):
    (shown.config.root / "mine" / "a_asked.py").write_text('"""Asked."""\ndef synthesis():\n    pass\n')
    read = []
    real = shown.read_catalog
    monkeypatch.setattr(shown, "read_catalog", lambda: read.append(1) or real())
    threads = [threading.Thread(target=shown.shelf.lines) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(read) == 1


def test_a_script_shows_its_words_and_code(shown):
    view, html = html_of(shown, methods.script, name="build")
    assert view["scripts"][0]["description"] == "Make all."
    assert "It was not run yet" in html
    with pytest.raises(NoSuchPage):
        html_of(shown, methods.script, name="nothing")


def test_a_method_that_is_gone_still_has_its_jobs(project, see):
    row = project.job("gone_since")
    shown = see(methods.method, {"name": "gone_since"})
    assert [each["label"] for each in shown.view["newest"]] == [row.label]
    assert "no method" in shown.view["error"]


def test_workdirs_are_shown_with_labels_that_nobody_uses(project, see):
    rows = [project.job("make") for _ in range(3)]
    project.index.drop([rows[1]], "gc")
    shown = see(workdirs.workdirs)
    dev, old = shown.view["workdirs"]
    assert (dev["jobs"], dev["newest"], dev["unused_labels"], dev["target"]) == (2, "dev-3", 1, True)
    assert (old["jobs"], old["newest"], old["unused_labels"]) == (0, None, 0)
    assert 'href="/jobs?workdir=dev"' in shown.html


def test_a_method_that_never_loads_is_given_up(tmp_path):
    here = config.load(Folder(tmp_path, {"mine/a_hangs.py": "while True: pass\n"}).root)
    patient = ProcessExecutor(config.job_environment(), 1, describe_seconds=0.3)
    with (
        Project(here, executor=patient) as project,
        pytest.raises(MethodError, match=r"'mine/a_hangs\.py' takes more than 0\.3 s to load"),
    ):
        project.catalog.get("hangs")


def test_who_waits_for_methods_that_do_not_load_is_sent_away():
    lock = threading.Lock()
    with lock, pytest.raises(MethodsBeingRead), taken(lock, seconds=0.01):
        pass
    with taken(lock, seconds=0.01):
        assert lock.locked()
    assert not lock.locked()
