"""What a method declares: options, inputs, stages, description; read off its module, or kept as JSON."""

import ast
import inspect
import io
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import Final, Self

from cas.formats.canonical import Json
from jobs.errors import MethodError, UsageError
from jobs.limits import NO_LIMITS, Limits, parse_bytes, parse_seconds
from jobs.method.converter import Converter
from jobs.method.grammar import converter_from_json, declare
from jobs.nodes.fields import as_bool, as_int, as_list, as_map, as_text, as_texts, to_json
from jobs.nodes.parts import ANALYSIS, PREPARE, SYNTHESIS

_ANYWHERE: Final = frozenset({"job", "slices", "params", "options", "datasets", "jobs"})
_STAGES: Final[Mapping[str, frozenset[str]]] = {
    PREPARE: _ANYWHERE,
    ANALYSIS: _ANYWHERE | {"sliceno", "prepare_res"},
    SYNTHESIS: _ANYWHERE | {"prepare_res", "analysis_res"},
}
_COLLECTING: Final = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)


@dataclass(frozen=True, slots=True)
class Declarations:
    """What a method says of itself.

    Attributes
    ----------
    options : mapping of str to Converter
        What each option takes.
    datasets, jobs : mapping of str to bool
        Its dataset and job parameters, each with whether it is a list of them.
    stages : mapping of str to tuple of str
        Those of prepare, analysis and synthesis that it has, each with the arguments that it asks for.
    description : str
        Its own words; the first line is the short text.
    comments : mapping of str to str
        What stands behind an option in the text of the method.
    equivalent_hashes : mapping of str to tuple of str
        At most one entry: the id of this source without the entry, and the ids of sources that do the same.
    version : int or None
        What a standard method counts by.
    concurrency : int or None
        At most so many slices at once.
    limits : Limits
        What a job may take, by `max_rss` and `timeout`.
    settled : bool
        Whether no code outside of the closure had a part in all this.
    """

    options: Mapping[str, Converter] = field(default_factory=dict)
    datasets: Mapping[str, bool] = field(default_factory=dict)
    jobs: Mapping[str, bool] = field(default_factory=dict)
    stages: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    description: str = ""
    comments: Mapping[str, str] = field(default_factory=dict)
    equivalent_hashes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    version: int | None = None
    concurrency: int | None = None
    limits: Limits = NO_LIMITS
    settled: bool = True

    @classmethod
    def from_module(cls, module: ModuleType, code: bytes, *, method: str, settled: bool = True) -> Self:
        """Return what the module of a method declares; raise `MethodError` for what cannot be.

        Parameters
        ----------
        module : module
            The method, imported.
        code : bytes
            Its text, for the comments.
        method : str
            Its name, for messages.
        settled : bool
            See the attribute.
        """
        options = getattr(module, "options", {})
        if not isinstance(options, Mapping):
            raise MethodError(f"'options' of method '{method}' is no dict")
        stages = {stage: _arguments(module, stage, method) for stage in _STAGES if hasattr(module, stage)}
        if not stages:
            raise MethodError(f"method '{method}' has neither prepare nor analysis nor synthesis")
        return cls(
            options=declare(options, method=method),
            datasets=_parameters(module, "datasets", method),
            jobs=_parameters(module, "jobs", method),
            stages=stages,
            description=inspect.cleandoc(str(getattr(module, "description", None) or "")),
            comments=_comments(code),
            equivalent_hashes=_equivalent_hashes(module, method),
            version=_number(module, "version", method),
            concurrency=_number(module, "concurrency", method),
            limits=_limits(module, method),
            settled=settled,
        )

    def to_json(self) -> dict[str, Json]:
        """Return the declarations as JSON."""
        return {
            # pairs, not a dict: the order in which they are declared is for people
            "options": [[name, converter.to_json()] for name, converter in self.options.items()],
            "datasets": [[name, many] for name, many in self.datasets.items()],
            "jobs": [[name, many] for name, many in self.jobs.items()],
            "stages": [[stage, list(arguments)] for stage, arguments in self.stages.items()],
            "description": self.description,
            "comments": to_json(self.comments),
            "equivalent_hashes": {name: list(hashes) for name, hashes in self.equivalent_hashes.items()},
            "version": self.version,
            "concurrency": self.concurrency,
            "max_rss": self.limits.max_rss,
            "timeout": None if self.limits.timeout is None else self.limits.timeout.hex(),
            "settled": self.settled,
        }

    @classmethod
    def from_json(cls, body: Json) -> Self:
        """Return the declarations whose `to_json` gave `body`; raise KeyError, TypeError or ValueError for none."""
        fields = as_map(body)
        hashes = as_map(fields["equivalent_hashes"])
        return cls(
            options={name: converter_from_json(each) for name, each in _pairs(fields["options"])},
            datasets={name: as_bool(many) for name, many in _pairs(fields["datasets"])},
            jobs={name: as_bool(many) for name, many in _pairs(fields["jobs"])},
            stages={name: _texts(arguments) for name, arguments in _pairs(fields["stages"])},
            description=as_text(fields["description"]),
            comments=as_texts(fields["comments"]),
            equivalent_hashes={name: _texts(each) for name, each in hashes.items()},
            version=_int_or_none(fields["version"]),
            concurrency=_int_or_none(fields["concurrency"]),
            limits=Limits(_int_or_none(fields["max_rss"]), _float_or_none(fields["timeout"])),
            settled=as_bool(fields["settled"]),
        )


# ---- from JSON


def _pairs(body: Json) -> Iterator[tuple[str, Json]]:
    for name, value in map(as_list, as_list(body)):
        yield as_text(name), value


def _texts(body: Json) -> tuple[str, ...]:
    return tuple(map(as_text, as_list(body)))


def _int_or_none(body: Json) -> int | None:
    return None if body is None else as_int(body)


def _float_or_none(body: Json) -> float | None:
    return None if body is None else float.fromhex(as_text(body))


# ---- from a module


def _arguments(module: ModuleType, stage: str, method: str) -> tuple[str, ...]:
    function = getattr(module, stage)
    if not callable(function):
        raise MethodError(f"'{stage}' of method '{method}' is no function")
    parameters = inspect.signature(function).parameters.values()
    asked = []
    for parameter in parameters:
        if parameter.name in _STAGES[stage]:
            asked.append(parameter.name)
        elif parameter.default is parameter.empty or parameter.kind in _COLLECTING:
            raise MethodError(
                f"{stage} of method '{method}' asks for '{parameter.name}'",
                hint="it can have " + ", ".join(sorted(_STAGES[stage])),
            )
    return tuple(asked)


def _parameters(module: ModuleType, section: str, method: str) -> dict[str, bool]:
    declared = getattr(module, section, ())
    hint = f"write {section} = ('name', ['names'])"
    if not isinstance(declared, list | tuple | set | frozenset):
        raise MethodError(f"'{section}' of method '{method}' is no tuple of names", hint=hint)
    parameters: dict[str, bool] = {}
    for item in declared:
        many = isinstance(item, list | tuple) and len(item) == 1
        name = item[0] if many else item
        if not isinstance(name, str) or not name:
            raise MethodError(f"{item!r} in '{section}' of method '{method}' is no name", hint=hint)
        if name in parameters:
            raise MethodError(f"'{name}' is twice in '{section}' of method '{method}'")
        parameters[name] = many
    return parameters


def _number(module: ModuleType, name: str, method: str) -> int | None:
    number = getattr(module, name, None)
    if number is not None and (not isinstance(number, int) or number < 1):
        raise MethodError(f"'{name}' of method '{method}' is no number above 0")
    return number


def _limits(module: ModuleType, method: str) -> Limits:
    max_rss, timeout = getattr(module, "max_rss", None), getattr(module, "timeout", None)
    try:
        return Limits(
            None if max_rss is None else parse_bytes(max_rss),
            None if timeout is None else parse_seconds(timeout),
        )
    except UsageError as err:
        raise MethodError(f"method '{method}' declares what is no limit: {err}", hint=err.hint) from None


def _equivalent_hashes(module: ModuleType, method: str) -> dict[str, tuple[str, ...]]:
    declared = getattr(module, "equivalent_hashes", {})
    try:
        hashes = {str(verifier): tuple(map(str, equals)) for verifier, equals in declared.items()}
    except (AttributeError, TypeError):
        hashes = {}
    if len(hashes) != 1 and declared != {}:
        raise MethodError(
            f"'equivalent_hashes' of method '{method}' is no dict of one entry",
            hint="write equivalent_hashes = {'verifier': ('source id', ...)}",
        )
    return hashes


# ---- from the text


def _comments(code: bytes) -> dict[str, str]:
    """Return the comment behind each entry of the dict that is assigned to `options`."""
    by_line = {
        token.start[0]: token.string.lstrip("#").strip()
        for token in tokenize.tokenize(io.BytesIO(code).readline)
        if token.type == tokenize.COMMENT
    }
    entries = [(name, value.end_lineno or value.lineno) for name, value in _entries(ast.parse(code))]
    on_line = Counter(line for _, line in entries)
    # behind several entries of one line it is about none of them
    return {name: by_line[line] for name, line in entries if line in by_line and on_line[line] == 1}


def _entries(tree: ast.Module) -> Iterator[tuple[str, ast.expr]]:
    for node in tree.body:
        value = node.value if isinstance(node, ast.Assign) and _assigns_options(node.targets) else None
        if isinstance(value, ast.Call):
            yield from ((word.arg, word.value) for word in value.keywords if word.arg)
        elif isinstance(value, ast.Dict):
            for key, item in zip(value.keys, value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(key.value, str):
                    yield key.value, item


def _assigns_options(targets: Iterable[ast.expr]) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "options" for target in targets)
