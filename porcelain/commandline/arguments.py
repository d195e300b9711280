"""The command line of one command: argparse with our manners, for people's commands and for programs'."""

import argparse
from collections.abc import Sequence
from typing import NoReturn

from porcelain import term

_WIDTH = 79
_SET_IN = "  "


class _Formatter(argparse.HelpFormatter):
    def __init__(self, prog: str) -> None:
        # a width of its own: to ask the terminal for one loads shutil and all that it loads, at every start
        super().__init__(prog, width=_WIDTH)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        # paragraphs are filled, but for those that are set in
        parts = text.split("\n\n")
        filled = super()._fill_text
        return "\n\n".join(
            part if part.startswith(_SET_IN) else filled(part, width, indent) for part in parts
        )


class Parser(argparse.ArgumentParser):
    """The arguments of one command.

    Parameters
    ----------
    command
        As the user types it.
    summary
        What it does, one sentence.
    prints
        What it prints; ends its `--help`. A paragraph that is set in keeps its lines.
    """

    def __init__(self, command: str, summary: str, *, prints: str) -> None:
        super().__init__(
            prog=f"acc {command}",
            description=summary,
            epilog=f"prints: {prints}",
            formatter_class=_Formatter,
            allow_abbrev=False,
        )

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the command line, and leave with code 2."""
        term.note(f"{self.prog}: {term.printable(message)}")
        term.note(f"hint: '{self.prog} --help' says what it takes")
        self.exit(2)

    def add_nul(self) -> None:
        """Offer `-z`: records end with NUL and hold names as they are."""
        self.add_argument("-z", action="store_true", dest="nul", help="end records with NUL, escape nothing")

    def add_slices(self) -> None:
        """Offer `-s`: only some slices of a dataset."""
        self.add_argument(
            "-s",
            "--slice",
            dest="slices",
            type=count,
            action="append",
            metavar="N",
            help="only this slice; repeatable",
        )

    def add_json(self) -> None:
        """Offer `--json`."""
        self.add_argument("--json", action="store_true", help="print JSON")

    def key_values(self, words: Sequence[str]) -> dict[str, str]:
        """Return words of the form KEY=VALUE by their keys; leaves with code 2 when one is none, or comes twice."""
        texts: dict[str, str] = {}
        for word in words:
            key, equals, text = word.partition("=")
            if not (equals and key) or key in texts:
                self.error(f"'{key}' is given twice" if key in texts else f"'{word}' is not KEY=VALUE")
            texts[key] = text
        return texts

    def parse(self, arguments: Sequence[str], *, intermixed: bool = False) -> argparse.Namespace:
        """Return the arguments; leaves with code 2 when they make no sense.

        Parameters
        ----------
        intermixed
            Options may stand between words that belong together.
        """
        return self.parse_intermixed_args(list(arguments)) if intermixed else self.parse_args(list(arguments))


def count(text: str) -> int:
    """Return a number that is not negative, for `type=` of an argument."""
    return _at_least(0, text)


def positive(text: str) -> int:
    """Return a number that is at least 1, for `type=` of an argument."""
    return _at_least(1, text)


def _at_least(least: int, text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"'{text}' is no whole number") from None
    if number < least:
        raise argparse.ArgumentTypeError(f"'{text}' is less than {least}")
    return number
