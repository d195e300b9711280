"""How options are declared: from what a method writes to converters, and from JSON to the same converters."""

from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

from cas.errors import AccError
from cas.formats.canonical import Json, untag
from cas.oid import oid_of
from jobs.errors import MethodError
from jobs.method.containers import Items, Table
from jobs.method.converter import (
    Anything,
    Choice,
    Coercion,
    Converter,
    Defaulted,
    FileOfJob,
    FromOutside,
    Required,
    Text,
    Typed,
)
from jobs.method.options import (
    InputFile,
    InputPath,
    OptionDefault,
    OptionEnum,
    OptionEnumValue,
    OptionString,
    RequiredOption,
)
from jobs.method.scalar import find_type, find_type_of, get_scalar, plain
from jobs.nodes.fields import as_bool, as_list, as_map, as_text, text_or_none
from jobs.withfile import JobWithFile


def declare(options: Mapping[str, object], *, method: str) -> dict[str, Converter]:
    """Return a converter for each of a method's `options`; raise `MethodError` for a bad one."""
    declared = {}
    for name, spec in options.items():
        if not isinstance(name, str):
            raise MethodError(f"option {name!r} of method '{method}' has a name that is no text")
        try:
            declared[name] = _compile(spec)
        except AccError as err:
            raise MethodError(f"option '{name}' of method '{method}' is declared wrongly: {err}") from err
    return declared


def _compile(spec: object) -> Converter:
    if isinstance(spec, type):
        return _compile_class(spec)
    for kind, compile_kind in _KINDS.items():
        if isinstance(spec, kind):
            return compile_kind(spec)
    scalar = find_type_of(spec)
    if scalar is None:
        raise MethodError(f"a '{type(spec).__name__}' is no type or value of an option")
    return Typed(scalar, scalar.accept(plain(spec)), Coercion.ALL)


def _compile_class(spec: type) -> Converter:
    if spec in (OptionString, JobWithFile, InputFile):
        return _compile(spec())
    scalar = find_type(spec)
    if scalar is None:
        raise MethodError(f"'{spec.__name__}' is no type of an option")
    return Typed(scalar)


def _compile_required(spec: RequiredOption) -> Converter:
    return Required(_compile(spec.spec), spec.none_ok)


def _compile_default(spec: OptionDefault) -> Converter:
    return _checked(Defaulted(_compile(spec.spec), spec.default))


def _compile_enum_value(spec: OptionEnumValue) -> Converter:
    return Choice(spec.enum.names, spec.enum.none_ok, str.__str__(spec))


def _compile_items(spec: Collection[object]) -> Converter:
    initial = tuple(spec) if all(map(_is_value, spec)) else ()
    container = next(kind.__name__ for kind in (list, tuple, set, frozenset) if isinstance(spec, kind))
    return _checked(Items(container, _common(spec), initial))


def _compile_table(spec: Mapping[Any, object]) -> Converter:
    initial = spec if all(map(_is_value, spec.values())) else {}
    return _checked(Table(_common(spec.values()), initial))


def _checked(converter: Converter) -> Converter:
    """Return `converter`, whose default is one that it takes itself and that JSON can keep."""
    if not converter.mandatory:
        converter.default(lambda path: InputPath(path, Path(path), oid_of(b"")))
    converter.to_json()
    return converter


def _common(specs: Collection[object]) -> Converter:
    """Return the one converter for all that a container holds, which has no default of its own."""
    converters = [_element(_compile(spec)) for spec in specs]
    if not converters:
        return Anything()
    if all(converter == converters[0] for converter in converters):
        return converters[0]
    if all(map(_is_value, specs)):
        return Anything()
    raise MethodError("a container declares one type for all that it holds")


def _element(converter: Converter) -> Converter:
    if not isinstance(converter, Typed):
        return converter
    coercion = Coercion.TEXTS if converter.coercion is Coercion.NOTHING else converter.coercion
    return Typed(converter.scalar, None, coercion)


def _is_value(spec: object) -> bool:
    if isinstance(spec, Mapping):
        return all(map(_is_value, spec.values()))
    if isinstance(spec, list | tuple | set | frozenset):
        return all(map(_is_value, spec))
    return isinstance(spec, OptionEnumValue) or (spec is not None and find_type_of(spec) is not None)


_KINDS: Final[Mapping[Any, Callable[[Any], Converter]]] = {
    type(None): lambda _: Anything(),
    RequiredOption: _compile_required,
    OptionDefault: _compile_default,
    OptionString: lambda spec: Text(spec.example),
    OptionEnum: lambda spec: Choice(spec.names, spec.none_ok),
    OptionEnumValue: _compile_enum_value,
    JobWithFile: lambda _: FileOfJob(),
    InputFile: lambda spec: FromOutside(spec.default, spec.several),
    list: _compile_items,
    tuple: _compile_items,
    set: _compile_items,
    frozenset: _compile_items,
    Mapping: _compile_table,
}


def converter_from_json(body: Json) -> Converter:
    """Return the converter whose `to_json` gave `body`; raise KeyError, TypeError or ValueError for none."""
    fields = as_map(body)
    return _FROM_JSON[as_text(fields["kind"])](fields)


def _initial(fields: Mapping[str, Json]) -> Any:
    return untag(fields["initial"])


def _choice_from_json(fields: Mapping[str, Json]) -> Converter:
    names = tuple(map(as_text, as_list(fields["names"])))
    return Choice(names, as_bool(fields["none_ok"]), text_or_none(fields["initial"]))


_FROM_JSON: Final[Mapping[str, Callable[[Mapping[str, Json]], Converter]]] = {
    "anything": lambda _: Anything(),
    "typed": lambda b: Typed(get_scalar(as_text(b["type"])), _initial(b), Coercion(b["coercion"])),
    "items": lambda b: Items(as_text(b["container"]), converter_from_json(b["item"]), tuple(_initial(b))),
    "table": lambda b: Table(converter_from_json(b["item"]), _initial(b)),
    "text": lambda b: Text(as_text(b["example"])),
    "choice": _choice_from_json,
    "required": lambda b: Required(converter_from_json(b["inner"]), as_bool(b["none_ok"])),
    "defaulted": lambda b: Defaulted(converter_from_json(b["inner"]), _initial(b)),
    "withfile": lambda _: FileOfJob(),
    "input": lambda b: FromOutside(text_or_none(b["initial"]), as_bool(b["several"])),
}
