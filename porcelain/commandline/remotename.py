"""Which remote a command line means, and which of its words are names there."""

from collections.abc import Sequence
from typing import Final

from jobs.errors import UsageError
from jobs.nodes.listing import split_label
from jobs.reuse.refnames import label_ref
from porcelain.config import Config
from porcelain.sharing.wings import TRAVELLING

ORIGIN: Final = "origin"


def split_words(config: Config, words: Sequence[str]) -> tuple[str, list[str]]:
    """Return the remote that the first of `words` names, or else the usual one, and the words behind it."""
    if words and words[0] in config.remotes:
        return words[0], [*words[1:]]
    return usual_remote(config, words[:1]), [*words]


def usual_remote(config: Config, words: Sequence[str] = ()) -> str:
    """Return the remote that is meant when none is named: "origin", or the only one."""
    names = [*config.remotes]
    if ORIGIN in names or len(names) == 1:
        return ORIGIN if ORIGIN in names else names[0]
    if not names:
        return config.get_remote(words[0] if words else ORIGIN).name
    raise UsageError("which remote is meant?", hint=f"name one: {', '.join(names)}")


def without_remote(word: str, remote: str) -> str:
    """Return a word without the `@origin` at its end."""
    return word.removesuffix(f"@{remote}")


def names_of(word: str, there: Sequence[str]) -> list[str]:
    """Return the refs of a remote that a word names: by a label, or as `urd/anna/import` all that begin so.

    >>> names_of("urd/anna", ["jobs/dev/1", "urd/anna/import/2019-12"])
    ['urd/anna/import/2019-12']
    """
    label = split_label(word)
    if label is not None:
        wanted = f"builds/{label[1]}" if label[0] == "build" else label_ref(*label)
        return [name for name in there if name == wanted]
    if not word.startswith(TRAVELLING):
        return []
    return [name for name in there if name == word or name.startswith(word.rstrip("/") + "/")]
