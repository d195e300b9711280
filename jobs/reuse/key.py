"""The action key: the id of all that decides a job's outcome and is known before it runs."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from cas.formats.canonical import Json, dumps
from cas.oid import ObjectId, oid_of
from jobs.nodes.fields import as_map
from jobs.nodes.outcome import Inputs
from jobs.nodes.run import ActionKey

KEY_FORMAT: Final = 1


@dataclass(frozen=True, slots=True)
class KeyParts:
    """What goes into a key, by name.

    Attributes
    ----------
    method : str
        Name of the method.
    source : ObjectId
        The source node of the method.
    version : int or None
        Of a standard method, which counts by it in place of its source.
    inputs : Inputs
        Options with defaults filled in, datasets and jobs; all by content.
    slices : int
        Number of slices.
    environment : mapping of str to str
        Versions that count.
    """

    method: str
    source: ObjectId
    version: int | None
    inputs: Inputs
    slices: int
    environment: Mapping[str, str]

    def to_json(self) -> dict[str, Json]:
        """Return the parts as the key counts them."""
        return {
            "format": KEY_FORMAT,
            "method": self.method,
            "code": self.source if self.version is None else {"version": self.version},
            "inputs": self.inputs.to_json(),
            "slices": self.slices,
            "environment": dict(self.environment),
        }

    def named(self) -> Iterator[tuple[str, Json]]:
        """Yield each part by its name, as "code", "environment.python" or "options.filename"."""
        for name, value in self.to_json().items():
            if name == "inputs":
                for group, values in as_map(value).items():
                    yield from ((f"{group}.{key}", item) for key, item in as_map(values).items())
            elif name == "environment":
                yield from ((f"{name}.{key}", version) for key, version in sorted(as_map(value).items()))
            else:
                yield name, value


def action_key(parts: KeyParts) -> ActionKey:
    """Return the action key: BLAKE3 of the canonical JSON of the parts.

    Notes
    -----
    Source: docs/reference/formats/action-key.md.
    """
    return ActionKey(oid_of(dumps(parts.to_json())))
