"""What a process is doing, in nested texts: `with status("reading") as update`, and other processes can look.

A text costs next to nothing until somebody wants to see it. The texts of a process that runs a job, or a build, are
kept in a small file that it has mapped into memory: so who looks always sees the last ones, also when the process
was killed, and who updates one a million times writes into its own memory.
"""

import os
import struct
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType, TracebackType
from typing import Final, NamedTuple

_PAGE_BYTES: Final = 4096
# a page has as many lines as there is room for; those nested deeper are not kept in it
_LINE_BYTES: Final = 256
_LINES: Final = _PAGE_BYTES // _LINE_BYTES - 1
_DEPTH: Final = struct.Struct("<H")
_LINE: Final = struct.Struct("<dH")
_TEXT_BYTES: Final = _LINE_BYTES - _LINE.size
_RAISED: Final = "Status when it was raised:"
_DIED: Final = "Status when it died:"


class Line(NamedTuple):
    """One text, and since when it is there, in seconds since 1970."""

    text: str
    begun: float


class Status:
    """A text that says what happens inside its block; `with` it one gets the function that changes it.

    Parameters
    ----------
    text
        What is being done.
    brief
        It will soon be over: no page is begun for it, but it stands in one that is there.
    """

    def __init__(self, text: str, *, brief: bool = False) -> None:
        self._text = text
        self._place = 0
        self.brief = brief

    def __enter__(self) -> Callable[[str], None]:
        self.begun = time.time()
        self._stack = _state.stack
        self._stack.push(self)
        return self.update

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # here, not where the error is caught: by then this text is gone
        if isinstance(error, Exception) and not isinstance(error, StopIteration):
            note_stack(error)
        elif kind is GeneratorExit:
            self.settle()
            self._stack.note_left(_line_of(self), sys._getframe(1).f_back)  # noqa: SLF001 - the way to it
        self._stack.drop(self)

    @property
    def text(self) -> str:
        """The text as it is now."""
        return self._text

    def update(self, text: str) -> None:
        """Change the text."""
        self._text = text
        if self._stack.page is not None:
            self._stack.page.set_text(self._place, text)

    def is_news(self) -> bool:
        """Return whether an error may have to do with this text."""
        return True

    def settle(self) -> None:
        """Make the text as exact as can be: who has read the generator that said it goes no further."""

    def place(self, number: int) -> None:
        """Take another place in the stack."""
        self._place = number

    def show(self) -> None:
        """Have those who look at the process see the text as it is now."""
        if self._stack.page is not None:
            self._stack.page.set_text(self._place, self.text)


def status(text: str) -> Status:
    """Return a block inside which the process says that it does `text`; `update` of it says what it does now.

    The texts are shown by `acc build` and `acc status` while they last, and with an error that is raised inside.

    Parameters
    ----------
    text
        What is being done, in a few words.

    Examples
    --------
    >>> with status("reading") as update:
    ...     update("reading january")
    ...     [line.text for line in stack()]
    ['reading january']
    """
    return Status(text)


@contextmanager
def dummy_status(text: str) -> Iterator[Callable[[str], None]]:
    """Return a block in the place of a `status` that says nothing."""
    del text
    yield _say_nothing


def _say_nothing(text: str) -> None:
    del text


def stack() -> list[Line]:
    """Return what this process is doing, outermost first."""
    return _state.stack.lines()


def note_stack(error: BaseException) -> None:
    """Add what this process is doing to the notes of `error`, which its traceback ends with; only once."""
    if any(str(note).startswith(_RAISED) for note in getattr(error, "__notes__", ())):
        return
    lines = _state.stack.lines_at(error)
    if lines:
        with suppress(TypeError):  # whose notes somebody has put something else in the place of
            error.add_note(_in_words(_RAISED, lines))


def last_words(path: Path) -> str:
    """Return what a process that died was doing, as it kept it in the file at `path`; "" when that was nothing."""
    lines = read_stack(path)
    return _in_words(_DIED, lines) if lines else ""


def _in_words(heading: str, lines: list[Line]) -> str:
    return "\n".join([heading, *(f"  {line.text}" for line in lines)])


# -- where the texts are ---------------------------------------------------------------------------------------


class _Stack:
    """The texts of a process, or of one part of what it does."""

    def __init__(self, make_page: "Callable[[], _Page | None]") -> None:
        self._all: list[Status] = []
        self._left: deque[_Left] = deque(maxlen=_LINES)
        self._make_page = make_page
        self.page: _Page | None = None

    def push(self, status: Status) -> None:
        status.place(len(self._all))
        self._all.append(status)
        if self.page is None and not status.brief:
            make_page, self._make_page = self._make_page, _no_page
            self.page = make_page()
            if self.page is not None:
                self.page.set_all(self.lines())
        elif self.page is not None:
            self.page.set_line(len(self._all) - 1, _line_of(status))

    def drop(self, status: Status) -> None:
        # not always the last: iterations may be interleaved, and threads share the stack
        self._all.remove(status)
        for number, other in enumerate(self._all):
            other.place(number)
        if self.page is not None:
            self.page.set_all(self.lines())

    def lines(self) -> list[Line]:
        return [_line_of(status) for status in self._all]

    def note_left(self, line: Line, reader: FrameType | None) -> None:
        """Take down the text of a generator that `reader` has let go."""
        if reader is not None:
            self._left.append(_Left(line, id(reader), reader.f_lasti))

    def lines_at(self, error: BaseException) -> list[Line]:
        """Return the texts as they were where `error` was raised."""
        return [_line_of(status) for status in self._all if status.is_news()] + self._left_by(error)

    def _left_by(self, error: BaseException) -> list[Line]:
        """Return the texts of generators that were let go because `error` ended who read them, outermost first.

        When an error leaves a loop, Python lets its iterator go before anybody can see the error. But who has let it
        go at the very instruction that the error came from has not gone on since.
        """
        places = {(id(frame), trace.tb_lasti) for frame, trace in _frames(error.__traceback__)}
        left = [each.line for each in self._left if (each.reader, each.at) in places]
        self._left.clear()
        return left[::-1]

    def leave_page(self) -> "_Page | None":
        """Keep the texts in memory only from now on, and return the page that they were kept in."""
        page, self.page = self.page, None
        self._make_page = _no_page
        return page


class _Left(NamedTuple):
    """The last text of a generator, and who has let it go, and at which instruction."""

    line: Line
    reader: int
    at: int


def _frames(trace: TracebackType | None) -> Iterator[tuple[FrameType, TracebackType]]:
    while trace is not None:
        yield trace.tb_frame, trace
        trace = trace.tb_next


def _line_of(status: Status) -> Line:
    return Line(status.text, status.begun)


class _Page:
    """A file in memory with the texts of a process.

    Who reads it while a text is written may see half of two; the next look shows it right.
    """

    def __init__(self, path: Path) -> None:
        from mmap import mmap  # here, not above: few of those who import this room keep a page

        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
        try:
            # written, not only made so large: there is room for it on the disk, or an error now and no SIGBUS later
            os.write(descriptor, bytes(_PAGE_BYTES))
            self._memory: mmap = mmap(descriptor, _PAGE_BYTES)
        finally:
            os.close(descriptor)

    def set_all(self, lines: list[Line]) -> None:
        for number, line in enumerate(lines[:_LINES]):
            self._write(number, line)
        _DEPTH.pack_into(self._memory, 0, min(len(lines), _LINES))

    def set_line(self, number: int, line: Line) -> None:
        """Make `line` the last, as number `number`."""
        if number < _LINES:
            self._write(number, line)
            _DEPTH.pack_into(self._memory, 0, number + 1)

    def set_text(self, number: int, text: str) -> None:
        if number < _LINES:
            data = text.encode("utf-8", "replace")[:_TEXT_BYTES]
            at = (number + 1) * _LINE_BYTES + 8
            end = at + 2 + len(data)
            self._memory[at:end] = len(data).to_bytes(2, "little") + data

    def _write(self, number: int, line: Line) -> None:
        struct.pack_into("<d", self._memory, (number + 1) * _LINE_BYTES, line.begun)
        self.set_text(number, line.text)

    def close(self) -> None:
        self._memory.close()


def read_stack(path: Path) -> list[Line]:
    """Return the texts that a process keeps in the file at `path`, as it left them when it is gone."""
    try:
        page = path.read_bytes()
    except OSError:
        return []
    if len(page) < _PAGE_BYTES:
        return []
    (depth,) = _DEPTH.unpack_from(page, 0)
    return [_line_in(page, (number + 1) * _LINE_BYTES) for number in range(min(depth, _LINES))]


def _line_in(page: bytes, at: int) -> Line:
    begun, length = _LINE.unpack_from(page, at)
    start = at + _LINE.size
    return Line(page[start : start + min(length, _TEXT_BYTES)].decode("utf-8", "ignore"), begun)


@contextmanager
def keeping(path: Path, begun: Callable[[], None]) -> Iterator[None]:
    """Begin a stack of its own inside the block, kept in the file at `path` from its first text on.

    Parameters
    ----------
    begun
        Called once the file is there.
    """

    def make_page() -> _Page | None:
        try:
            page = _Page(path)
        except OSError:  # a full disk stops no job for a text
            return None
        begun()
        return page

    before, _state.stack = _state.stack, _Stack(make_page)
    try:
        yield
    finally:
        page, _state.stack = _state.stack.leave_page(), before
        if page is not None:
            page.close()


def _no_page() -> None:
    return None


class _State:
    stack = _Stack(_no_page)


_state = _State()


def _leave_page() -> None:
    _state.stack.leave_page()


# a forked process shares the memory of the page, and would write over the texts of its parent
os.register_at_fork(after_in_child=_leave_page)
