"""What the words KEY=VALUE of a command line mean to a method: each value is read as the method declares it."""

import ast
import json
from collections.abc import Callable, Mapping
from typing import Any

from jobs.errors import NoSuchFile, OptionError
from jobs.job import Job
from jobs.method.containers import Items, Table
from jobs.method.converter import Anything, Converter, FileOfJob, Typed, bare
from jobs.method.declarations import Declarations
from jobs.withfile import JobWithFile
from porcelain.spec import Resolver
from porcelain.specgrammar import parse


def read_arguments(texts: Mapping[str, str], declared: Declarations, resolver: Resolver) -> dict[str, Any]:
    """Return the arguments of a method by name.

    Parameters
    ----------
    texts
        Each value as it was typed; that of a job, dataset or file is a spec.
    declared
        What the method takes; what it does not take is read as a literal, for the method to refuse.
    """
    for key, text in texts.items():
        if not _is_unicode(text):
            raise OptionError(f"'{key}' cannot be '{text}': that is no UTF-8 text")
    return {key: _argument(text, key, declared, resolver) for key, text in texts.items()}


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _argument(text: str, key: str, declared: Declarations, resolver: Resolver) -> Any:
    """Return what the text of one argument means, read as the method declares it."""
    if key in declared.datasets:
        return _inputs(text, _dataset, resolver, many=declared.datasets[key])
    if key in declared.jobs:
        return _inputs(text, _job, resolver, many=declared.jobs[key])
    return _value(text, declared.options.get(key, Anything()), resolver)


def _job(text: str, resolver: Resolver) -> Job:
    return Job.of(resolver.job(text))


def _dataset(text: str, resolver: Resolver) -> Any:
    # here, not above: it loads numpy, and most arguments are no datasets
    from jobs.dataset.dataset import Dataset

    target = resolver.dataset(text)
    assert target.row is not None
    assert target.oid is not None
    return Dataset.of(Job.of(target.row), target.name, target.oid)


def _inputs(text: str, find: Callable[[str, Resolver], Any], resolver: Resolver, *, many: bool) -> Any:
    if many:
        return [find(word.strip(), resolver) for word in text.split(",") if word.strip()]
    return find(text, resolver) if text else None


def _withfile(text: str, resolver: Resolver) -> JobWithFile:
    """Return the file that SPEC:FILE names; a sliced file is named without its slice number."""
    spec = parse(text)
    if spec.file is None:
        raise NoSuchFile(f"'{text}' is no file of a job", hint="name one as dev-12:plot.png")
    job = _job(text.removesuffix(f":{spec.file}"), resolver)
    files = job.files()
    return job.withfile(spec.file, sliced=spec.file not in files and f"{spec.file}.0" in files)


def _value(text: str, converter: Converter, resolver: Resolver) -> Any:
    """Return what a text on the command line means for an option; what it cannot be is refused by the option."""
    declared = bare(converter)
    if isinstance(declared, Typed):
        return _typed(text, declared)
    if isinstance(declared, FileOfJob):
        return _withfile(text, resolver) if text else None
    if isinstance(declared, Items) and not text.startswith(("[", "(", "{")):
        return [_value(word.strip(), declared.item, resolver) for word in text.split(",") if word.strip()]
    return _literal(text) if isinstance(declared, Items | Table | Anything) else text


def _typed(text: str, declared: Typed) -> Any:
    try:
        return declared.scalar.coerce(text)
    except (TypeError, ValueError, OverflowError):
        return text


def _literal(text: str) -> Any:
    """Return the value of a JSON or Python literal, and any other text as it is."""
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
        return text
