"""The only room that prints: lines, records, JSON, tables, errors; rich is loaded for a terminal only."""

import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, BinaryIO, TextIO

from cas.errors import AccError
from porcelain.layout import GAP, Column, aligned, by_column, filled, fitted

if TYPE_CHECKING:
    from rich.console import Console

_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_ESCAPES = _CONTROLS | {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_DIFF_STYLES = {"-": "31", "+": "32", "@": "36", " ": ""}
_BOX_SIDE, _BOX_WIDTH, _BOX_LEAST = "## ", 80, 30
_BLOCKS = ("", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█")


class _Ticked:
    """The line that `tick` shows, on which nothing else is to be printed."""

    text = ""


def prepare() -> None:
    """Make the standard streams take every text, whatever encoding the user's shell says, and be there at all."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            # the shell has closed it: the next file that is opened would get its number, and be the stdout of
            # whatever we start
            nothing = open(os.devnull, mode, encoding="utf-8")  # noqa: SIM115 - open as long as the process
            os.set_inheritable(nothing.fileno(), True)  # noqa: FBT003 - it has no keyword
            setattr(sys, name, nothing)
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def is_terminal(stream: TextIO | None = None) -> bool:
    """Return whether `stream` (by default stdout) is a terminal."""
    return (stream or sys.stdout).isatty()


def console(stream: TextIO | None = None) -> "Console":
    """Return rich's console on `stream`; only worth its 90 ms when that is a terminal."""
    from rich.console import Console

    # not what keeps a script's output: that has no use for what moves the cursor
    target = stream or getattr(sys.stdout, "screen", sys.stdout)
    return Console(file=target, highlight=False, no_color=not _wants_color())


def line(text: str = "") -> None:
    """Print one line."""
    print(text)


def note(text: str) -> None:
    """Print one line for the user to stderr, beside what the command reports."""
    print(text, file=sys.stderr)


def tick(text: str) -> None:
    """Show one line that the next replaces, on a terminal only; an empty one takes it away."""
    if is_terminal(sys.stderr):
        print(f"\r\x1b[K{text}", end="", file=sys.stderr, flush=True)
        _Ticked.text = text


def urgent(text: str) -> None:
    """Print lines to stderr at once, past all that waits to be printed: also from within a signal."""
    os.write(2, "".join(printable(part) + "\n" for part in text.split("\n")).encode("utf-8", "replace"))


def heading(text: str) -> None:
    """Print a line that stands above others."""
    print(_styled(text, "1", sys.stdout))


def raw(data: bytes, *, hold: bool = False) -> None:
    """Print bytes as they are; with `hold` they may wait for those that follow."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    if not hold:
        sys.stdout.buffer.flush()


def marked(text: str) -> str:
    """Return a text that stands out of others, whatever it is printed to."""
    return f"\x1b[1;31m{text}\x1b[0m"


def colors() -> bool:
    """Return whether stdout is a terminal whose user wants colours."""
    return is_terminal() and _wants_color()


def width() -> int:
    """Return the number of characters of a line of the terminal."""
    import shutil

    return shutil.get_terminal_size().columns


def bar(share: float, room: int) -> str:
    """Return a bar that fills a share of `room` characters, and at least an eighth of one unless the share is 0.

    >>> bar(0.5, 4)
    '██'
    """
    eighths = round(share * room * 8) or (share > 0)
    if not (sys.stdout.encoding or "utf-8").lower().startswith("utf"):
        return "#" * -(-eighths // 8)
    return _BLOCKS[-1] * (eighths // 8) + _BLOCKS[eighths % 8]


def binary() -> BinaryIO:
    """Return stdout as a stream of bytes, for a library that writes by itself."""
    sys.stdout.flush()
    return sys.stdout.buffer


def record(*fields: object, nul: bool = False) -> None:
    """Print one record: its fields with a tab between, ended by a newline, or by NUL and then as they are."""
    if nul:
        raw(os.fsencode("\t".join(map(str, fields))) + b"\0", hold=True)
    else:
        print(*(printable(str(field)) for field in fields), sep="\t")


def emit_json(structure: object) -> None:
    """Print `structure` as JSON."""
    print(to_json(structure))


def to_json(structure: object) -> str:
    """Return `structure` as JSON text for people and programs."""
    import json

    return json.dumps(structure, indent=2, ensure_ascii=False, allow_nan=False)


def table(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> None:
    """Print rows under the titles of their columns: to fit a terminal, else uncut and aligned by spaces."""
    cells = [[printable(cell) for cell in row] for row in rows]
    if is_terminal():
        _rich_table(columns, cells)
    else:
        for text in aligned(columns, [[column.title for column in columns], *cells]):
            print(text)


def fields(pairs: Mapping[str, str]) -> None:
    """Print names and values, the values under each other; a terminal wraps them."""
    name_width = max((len(name) for name in pairs), default=0)
    set_in = " " * (name_width + len(GAP))
    for name, value in pairs.items():
        lines = [printable(line) for line in value.split("\n")]
        if is_terminal():
            lines = [part.strip() for line in lines for part in filled(line, set_in, set_in, width())]
        print(_styled(name.ljust(name_width), "2", sys.stdout) + GAP + lines[0])
        for text in lines[1:]:
            print(set_in + text)


def section(title: str, rows: Iterable[Sequence[str]]) -> None:
    """Print an empty line, a heading and the rows below it; nothing when there are no rows."""
    listed = list(rows)
    if listed:
        print()
        heading(title)
        columns(listed)


def diff(lines: Iterable[str], *, set_in: str = "") -> None:
    """Print lines about what differs, without control characters; a terminal wraps sentences.

    Those of a diff stay as they are; on a terminal what goes is red and what comes is green.
    """
    for text in lines:
        shown = text.expandtabs().translate(_CONTROLS)
        style = _DIFF_STYLES.get(text[:1])
        if style is not None:
            print(set_in + (_styled(shown, style, sys.stdout) if style else shown))
        elif is_terminal():
            print("\n".join(filled(shown, set_in, set_in + GAP, width())))
        else:
            print(set_in + shown)


def columns(rows: Sequence[Sequence[str]]) -> None:
    """Print rows set in, their cells under each other, without titles; a terminal wraps the last cell."""
    cells = [[printable(cell) for cell in row] for row in rows]
    lines = [GAP + text for text in aligned([Column("")] * len(cells[0]), cells)]
    if is_terminal():
        before = len(GAP) + sum(
            max(len(row[i]) for row in cells) + len(GAP) for i in range(len(cells[0]) - 1)
        )
        lines = [
            part for text in lines for part in filled(text[before:], text[:before], " " * before, width())
        ]
    for text in lines:
        print(text)


def error(err: AccError) -> None:
    """Print an error to stderr: what is wrong, then what to do about it.

    Where the user's own code raised, their part of the traceback comes first.
    """
    _hand_on()
    where = getattr(err, "traceback", "")
    if where:
        print(where.rstrip("\n"), file=sys.stderr)
    print(_styled("acc:", "1;31", sys.stderr), printable(str(err)), file=sys.stderr)
    if err.hint:
        print(_styled("hint:", "2", sys.stderr), printable(err.hint), file=sys.stderr)


def warn(text: str) -> None:
    """Print a warning to stderr, in place of a line that `tick` shows."""
    if _Ticked.text:
        tick("")
    print(_styled("acc: warning:", "1;33", sys.stderr), printable(text), file=sys.stderr)


def boxed(lines: Sequence[str]) -> None:
    """Print lines in a box to stderr, wrapped to fit a terminal; nothing when there are none."""
    if not lines:
        return
    import textwrap

    room = max(_BOX_LEAST, (width() if is_terminal(sys.stderr) else _BOX_WIDTH) - 2 * len(_BOX_SIDE))
    texts = [part for text in lines for part in textwrap.wrap(printable(text), room) or [""]]
    widest = max(map(len, texts))
    edge = "#" * (widest + 2 * len(_BOX_SIDE))
    for text in (edge, *(f"{_BOX_SIDE}{text.ljust(widest)}{_BOX_SIDE[::-1]}" for text in texts), edge):
        print(_styled(text, "1;33", sys.stderr), file=sys.stderr)


def bug(err: BaseException) -> None:
    """Print a traceback of our own to stderr."""
    import traceback

    _hand_on()
    traceback.print_exception(err, file=sys.stderr)
    print("acc: this is a bug in acc, not in what you did; please report the lines above", file=sys.stderr)


def flush() -> None:
    """Hand on what was printed; raises BrokenPipeError when nobody reads it."""
    sys.stdout.flush()
    sys.stderr.flush()


def _hand_on() -> None:
    """Hand on what was printed before an error is, as far as stdout takes it: that may be the very error."""
    try:
        sys.stdout.flush()
    except OSError:
        abandon()


def abandon() -> None:
    """Let the rest of stdout go nowhere: nobody takes it, and Python would complain at the end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def printable(text: str) -> str:
    """Return `text` on one line, its control characters escaped, so that no caption commands a terminal."""
    return text if text.isprintable() else text.translate(_ESCAPES)


def moment(utc: str, *, short: bool = False) -> str:
    """Return a UTC text, as views hold times, in the time of this place; `short` leaves out what is clear.

    >>> len(moment("2026-11-23T08:05:25.000000Z"))
    19
    """
    from datetime import datetime

    then = datetime.fromisoformat(utc).astimezone()
    if short:
        return then.strftime("%m-%d %H:%M" if then.year == time.localtime().tm_year else "%Y-%m-%d")
    return then.strftime("%Y-%m-%d %H:%M:%S")


def duration(seconds: float) -> str:
    """Return a duration in as few characters as say enough.

    >>> duration(0.0123), duration(61.5), duration(7322)
    ('0.012', '1:01', '2:02:02')
    """
    if seconds < 60:
        return f"{seconds:.3f}" if seconds < 10 else f"{seconds:.1f}"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def size(count: int) -> str:
    """Return a number of bytes in the unit that suits it.

    >>> size(999), size(1_234_567)
    ('999 B', '1.2 MB')
    """
    value = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{count} B" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def count(number: int, noun: str) -> str:
    """Return a number with its noun.

    >>> count(1, "job"), count(12345, "line")
    ('1 job', '12,345 lines')
    """
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def _rich_table(columns: Sequence[Column], cells: Sequence[Sequence[str]]) -> None:
    from rich.cells import cell_len
    from rich.table import Table
    from rich.text import Text

    target = console()
    natural = [max(map(cell_len, (column.title, *texts))) for column, texts in by_column(columns, cells)]
    # a gap after the last column too: rich 13 counts the padding that pad_edge leaves out, and would cut for it
    widths = fitted(natural, columns, target.width - len(GAP) * len(columns))
    shown = Table(box=None, pad_edge=False, padding=(0, len(GAP), 0, 0), header_style="bold")
    for column, width in zip(columns, widths, strict=True):
        shown.add_column(
            column.title,
            justify="right" if column.right else "left",
            width=width,
            no_wrap=True,
            overflow="ellipsis",
        )
    for row in cells:
        shown.add_row(*map(Text, row))
    target.print(shown)


def _styled(text: str, style: str, stream: TextIO) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if is_terminal(stream) and _wants_color() else text


def _wants_color() -> bool:
    # here, not above: most output goes to no terminal, and the start of a plumbing command counts in milliseconds
    from porcelain import config

    return config.wants_color()
