"""The texts that say what a process is doing, and the page that others read them from."""

import os
import signal
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs.status import dummy_status, keeping, last_words, note_stack, read_stack, stack, status


def texts() -> list[str]:
    return [line.text for line in stack()]


@pytest.fixture(autouse=True)
def own_stack() -> Iterator[None]:
    """Leave out what other tests have not finished."""
    with keeping(Path(os.devnull), nothing):
        yield


def kept(path: Path) -> list[str]:
    return [line.text for line in read_stack(path)]


def nothing() -> None:
    pass


def test_texts_nest_change_and_go() -> None:
    with status("outer") as update_outer:
        with status("inner") as update:
            update("inner, further")
            update_outer("outer, further")
            assert texts() == ["outer, further", "inner, further"]
        assert texts() == ["outer, further"]
    assert texts() == []


def test_texts_go_in_any_order() -> None:
    def reading(name):
        with status(name):
            yield 1
            yield 2

    first, second = reading("first"), reading("second")
    next(first), next(second)
    assert texts() == ["first", "second"]
    first.close()
    assert texts() == ["second"]
    second.close()
    assert texts() == []


def test_a_dummy_says_nothing() -> None:
    with dummy_status("outer") as update:
        update("further")
        assert texts() == []


def test_a_text_knows_since_when_it_is_there() -> None:
    with status("outer"), status("inner") as update:
        begun = [line.begun for line in stack()]
        update("later")
        assert [line.begun for line in stack()] == begun
        assert begun == sorted(begun)


# -- the page --------------------------------------------------------------------------------------------------


def test_the_page_holds_the_last_texts(tmp_path: Path) -> None:
    page, calls = tmp_path / "page", []
    with keeping(page, lambda: calls.append("begun")):
        assert not page.exists()
        with status("outer") as update:
            assert calls == ["begun"]
            for number in range(1000):
                update(f"outer {number}")
            with status("inner"):
                assert kept(page) == ["outer 999", "inner"]
                assert read_stack(page) == stack()
            assert kept(page) == ["outer 999"]
        with status("again"):
            assert kept(page) == ["again"]
    assert calls == ["begun"]


def test_a_stack_of_its_own_leaves_the_one_around_it(tmp_path: Path) -> None:
    with status("around"):
        with keeping(tmp_path / "page", nothing):
            assert texts() == []
            with status("inside"):
                assert texts() == ["inside"]
        assert texts() == ["around"]


@pytest.mark.parametrize(
    ("text", "shown"),
    [("x" * 1000, "x" * 246), ("\N{SNOWMAN}" * 100, "\N{SNOWMAN}" * 82), ("a\ud800b", "a?b"), ("", "")],
    ids=["long", "wide", "no unicode", "empty"],
)
def test_the_page_holds_what_there_is_room_for(tmp_path: Path, text: str, shown: str) -> None:
    with keeping(tmp_path / "page", nothing), status(text):
        assert kept(tmp_path / "page") == [shown]


def test_texts_that_are_nested_too_deep_are_not_on_the_page(tmp_path: Path) -> None:
    def nest(depth):
        with status(f"depth {depth}"):
            if depth < 30:
                nest(depth + 1)
            else:
                assert len(stack()) == 30
                assert kept(tmp_path / "page") == [f"depth {number}" for number in range(1, 16)]

    with keeping(tmp_path / "page", nothing):
        nest(1)


def test_a_page_that_cannot_be_made_stops_nobody(tmp_path: Path) -> None:
    said = []
    with keeping(tmp_path / "no folder" / "page", lambda: said.append("begun")), status("outer") as update:
        update("further")
        assert texts() == ["further"]
    assert said == []


def test_a_brief_text_begins_no_page_and_stands_in_one_that_is_there(tmp_path: Path) -> None:
    from jobs.status import Status

    page = tmp_path / "page"
    with keeping(page, nothing):
        with Status("brief", brief=True):
            assert not page.exists()
            with status("long"):
                assert kept(page) == ["brief", "long"]
        with Status("brief again", brief=True):
            assert kept(page) == ["brief again"]


@pytest.mark.parametrize(
    "damage", [b"", b"short", bytes(4096), b"\xff" * 4096], ids=["empty", "short", "zeros", "ones"]
)
def test_a_damaged_page_is_read_without_an_error(tmp_path: Path, damage: bytes) -> None:
    (tmp_path / "page").write_bytes(damage)
    assert len(read_stack(tmp_path / "page")) <= 15


def test_a_killed_process_leaves_its_last_words(tmp_path: Path) -> None:
    page = tmp_path / "page"
    pid = os.fork()
    if pid == 0:
        with keeping(page, nothing), status("counting") as update:
            for number in range(100):
                update(f"counted {number}")
            os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(pid, 0)
    assert last_words(page) == "Status when it died:\n  counted 99"


def test_a_forked_process_does_not_write_on_its_parents_page(tmp_path: Path) -> None:
    page = tmp_path / "page"
    with keeping(page, nothing), status("parent") as update:
        pid = os.fork()
        if pid == 0:
            update("child")
            with status("of the child"):
                os._exit(texts() != ["child", "of the child"])
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert kept(page) == ["parent"]


def test_threads_may_say_what_they_do(tmp_path: Path) -> None:
    def work(number):
        for _ in range(200):
            with status(f"thread {number}") as update:
                update(f"thread {number}, further")

    with keeping(tmp_path / "page", nothing), status("main"):
        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert texts() == kept(tmp_path / "page") == ["main"]


# -- errors ----------------------------------------------------------------------------------------------------


def shown(error: BaseException) -> list[str]:
    """Return what a traceback shows of the status."""
    lines = "".join(traceback.format_exception(error)).splitlines()
    if "Status when it was raised:" not in lines:
        return []
    return [line.strip() for line in lines[lines.index("Status when it was raised:") + 1 :]]


def shown_of(fail) -> list[str]:
    """Return what a traceback shows of the status when `fail` raises."""
    with pytest.raises(ArithmeticError) as caught:
        fail()
    return shown(caught.value)


def test_a_traceback_ends_with_the_texts_at_the_error() -> None:
    def fail():
        with status("outer") as update:
            update("outer, further")
            with status("inner"):
                raise ArithmeticError

    assert shown_of(fail) == ["outer, further", "inner"]


def test_an_error_without_texts_has_no_notes() -> None:
    error = ValueError("no good")
    note_stack(error)
    assert not hasattr(error, "__notes__")


def reading(name):
    with status(name):
        yield from range(10)


def test_a_generator_that_an_error_ended_is_among_the_texts() -> None:
    def inner():
        for number in reading("inner"):
            if number == 3:
                raise ArithmeticError

    def fail():
        with status("outer"):
            for _ in reading("middle"):
                inner()

    assert shown_of(fail) == ["outer", "middle", "inner"]


def test_a_generator_that_was_left_before_the_error_is_not() -> None:
    def fail():
        with status("outer"):
            for number in reading("left"):
                if number == 3:
                    break
            return 1 / (number - 3)

    assert shown_of(fail) == ["outer"]
