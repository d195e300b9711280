"""`acc verify-pack`: every byte of packs, and what is in them."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from cas.formats.pack import SUFFIX, Pack, open_pack
from cas.local.reading import verify_entries
from jobs.errors import NoSuchFile
from porcelain import config, storage, term
from porcelain.commandline.arguments import Parser


def main(arguments: Sequence[str]) -> int:
    """Run the command and return its exit code."""
    parser = Parser(
        "verify-pack",
        "Read every byte of packs again.",
        prints="ok<TAB>PATH for each sound pack, corrupt<TAB>PATH<TAB>reason for each flaw of another;\n"
        "with -v before that ID<TAB>RAW BYTES<TAB>STORED BYTES<TAB>OFFSET for each object;\n"
        "exit code 1 when a pack is corrupt",
    )
    parser.add_argument("-v", action="store_true", dest="verbose", help="list the objects too")
    parser.add_nul()
    parser.add_argument(
        "packs", nargs="*", metavar="PACK", help="files, or names in the store; default: all packs"
    )
    given = parser.parse(arguments)
    sound = True
    for path in _paths(given.packs):
        pack = open_pack(path)
        if given.verbose:
            for entry in sorted(pack.index, key=lambda entry: entry.offset):
                term.record(entry.oid, entry.raw_bytes, entry.stored_bytes, entry.offset, nul=given.nul)
        flaws = [*_flaws(pack)]
        for flaw in flaws:
            term.record("corrupt", path, flaw, nul=given.nul)
        if not flaws:
            term.record("ok", path, nul=given.nul)
        sound = sound and not flaws
    return 0 if sound else 1


def _paths(names: Sequence[str]) -> Iterator[str]:
    if names and all(Path(name).is_file() for name in names):
        yield from names
        return
    folder = storage.open_store(config.here()).packs
    if not names:
        yield from sorted(pack.path for pack in folder.packs())
    for name in names:
        known = [pack.path for pack in folder.packs() if pack.name.startswith(name.removesuffix(SUFFIX))]
        if not (known or Path(name).is_file()):
            raise NoSuchFile(
                f"no pack '{name}'", hint="'acc verify-pack' without a name looks at all of them"
            )
        yield from known or [name]


def _flaws(pack: Pack) -> Iterator[str]:
    yield from pack.flaws()
    yield from (str(error) for error in verify_entries(pack.path, pack.index))
