"""What a caller gives a method: each argument finds its place, and each option is checked and converted."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from reprlib import repr as short_repr
from typing import Protocol

from jobs.errors import OptionError
from jobs.method.converter import Converter
from jobs.method.options import ResolveInput
from jobs.method.scalar import Refused, words


class Takes(Protocol):
    """What a method takes; `Declarations` is one."""

    @property
    def options(self) -> Mapping[str, Converter]:
        """The declared options."""

    @property
    def datasets(self) -> Mapping[str, bool]:
        """The declared datasets, each with whether it is a list of them (declared as `["name"]`)."""

    @property
    def jobs(self) -> Mapping[str, bool]:
        """The declared jobs, each with whether it is a list of them."""


@dataclass(frozen=True, slots=True)
class Arguments:
    """What a caller gave, by section and name; what was not given is not in it."""

    options: dict[str, object]
    datasets: dict[str, object]
    jobs: dict[str, object]


def split_arguments(
    takes: Takes, given: Arguments, keywords: Mapping[str, object], *, method: str
) -> Arguments:
    """Return `given` with each of `keywords` in the section that declares its name.

    A keyword overrides what the sections have under its name.

    Raises
    ------
    OptionError
        When a name is declared nowhere, or a keyword's name in two sections.
    """
    _refuse_unknown("option", given.options, takes.options, method)
    _refuse_unknown("dataset", given.datasets, takes.datasets, method)
    _refuse_unknown("job", given.jobs, takes.jobs, method)
    split = Arguments(dict(given.options), dict(given.datasets), dict(given.jobs))
    places = (
        ("options", takes.options, split.options),
        ("datasets", takes.datasets, split.datasets),
        ("jobs", takes.jobs, split.jobs),
    )
    for name, value in keywords.items():
        fitting = [(section, values) for section, names, values in places if name in names]
        if len(fitting) != 1:
            raise _misplaced(name, [section for section, _ in fitting], takes, method)
        fitting[0][1][name] = value
    return split


def _misplaced(name: str, sections: Collection[str], takes: Takes, method: str) -> OptionError:
    if not sections:
        return _unknown(
            "option, dataset or job", name, [*takes.options, *takes.datasets, *takes.jobs], method
        )
    return OptionError(
        f"'{name}' of method '{method}' is among {' and '.join(sections)}",
        hint="say which is meant: " + " or ".join(f"{section}={{'{name}': ...}}" for section in sections),
    )


def _refuse_unknown(section: str, given: Iterable[str], names: Collection[str], method: str) -> None:
    for name in given:
        if name not in names:
            raise _unknown(section, name, names, method)


def _unknown(section: str, name: str, names: Collection[str], method: str) -> OptionError:
    return OptionError(f"method '{method}' has no {section} '{name}'", hint=_close(name, names))


def _close(name: str, names: Collection[str]) -> str:
    close = get_close_matches(name, names, n=3)
    if close:
        return "did you mean " + " or ".join(f"'{each}'" for each in close) + "?"
    return "it has " + ", ".join(sorted(names)[:12]) if names else ""


def check_options(
    declared: Mapping[str, Converter],
    given: Mapping[str, object],
    *,
    method: str,
    resolve_input: ResolveInput | None = None,
) -> dict[str, object]:
    """Return all declared options, in their order: those given converted, the others at their defaults.

    Checking what was returned again returns an equal dict.

    Parameters
    ----------
    declared : mapping of str to Converter
        What `declare` made of the method's options.
    given : mapping
        What the caller gave.
    method : str
        Name of the method, for messages.
    resolve_input : callable, optional
        Finds the file for the text of an `InputFile` option; without it only an `InputPath` will do.

    Raises
    ------
    OptionError
        When an option is unknown, missing, or has a value that it does not take.
    """
    _refuse_unknown("option", given, declared, method)
    checked = {}
    for name, converter in declared.items():
        if name in given:
            try:
                checked[name] = converter.convert(given[name], resolve_input)
            except Refused as refused:
                raise _refusal(name, method, refused) from refused
        elif converter.mandatory:
            raise OptionError(f"method '{method}' needs the option '{name}'")
        else:
            checked[name] = converter.default(resolve_input)
    return checked


def _refusal(name: str, method: str, refused: Refused) -> OptionError:
    culprit = short_repr(refused.value)
    return OptionError(
        f"option '{name}{refused.place}' of method '{method}' cannot be {culprit}: it takes {refused.takes}"
    )


def check_inputs(
    declared: Mapping[str, bool], given: Mapping[str, object], *, section: str, method: str
) -> dict[str, object]:
    """Return all declared datasets or jobs, in their order: a list for each that is many, else one or None.

    What they name is not looked up here: a text stays a text.

    Parameters
    ----------
    declared : mapping of str to bool
        The method's datasets, or its jobs, each with whether it is many.
    given : mapping
        What the caller gave: texts, jobs, datasets, None, or for many a collection or a comma separated text.
    section, method : str
        "dataset" or "job", and the name of the method, for messages.
    """
    checked: dict[str, object] = {}
    for name, many in declared.items():
        value = given.get(name)
        if many:
            checked[name] = _many(value)
        elif isinstance(value, Collection) and not isinstance(value, str):
            raise OptionError(f"{section} '{name}' of method '{method}' is one {section}, not a list of them")
        else:
            checked[name] = None if value is None or value == "" else value
    return checked


def _many(value: object) -> list[object]:
    if value is None:
        return []
    if type(value) is str:
        return list(words(value))
    if isinstance(value, Collection) and not isinstance(value, str):
        return [item for item in value if item is not None and item != ""]
    return [value]
