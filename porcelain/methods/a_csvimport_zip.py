"""CSV files in a zip file to datasets: a subjob for each."""

import re
import shutil
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

from jobs.dataset.dataset import Dataset
from jobs.errors import DatasetError, OptionError
from jobs.method.options import InputFile, OptionDefault, OptionEnum, RequiredOption
from porcelain.methods import subjobs
from porcelain.methods.csvtext.zips import ZipMember, list_members, member_name
from porcelain.methods.typeplan import COLUMN_TYPES

version = 3

description = """Datasets from the CSV files in a zip file, each imported by csvimport.

A dataset has the name that inside_filenames says, else that of its file with "_" for all but letters, digits, ".", "_"
and "-"; where names come out equal, "_" is added. The datasets form a chain after previous, unless chaining is off, and
the last one is the default too; so is the only one.

Folders, links and devices are left out. Nothing is written under the names that the files have.
"""

options = {
    "filename": RequiredOption(InputFile()),  # the zip file, relative to the input directory, or absolute
    "inside_filenames": {"FILE": str},  # {name in the zip file: name of the dataset}; none: all files
    "chaining": OptionEnum(
        "off on by_filename by_dsname by_dict by_ziporder"
    ).on,  # order; on: by_dict or by_ziporder
    "include_re": "",  # only files whose names, with folders, have such a part
    "exclude_re": "",  # no files whose names, with folders, have such a part
    "strip_dirs": False,  # names go without folders
    # the others are those of csvimport
    "separator": ",",  # one character, or none: each line is one field
    "comment": "",  # lines that begin with this character are left out
    "newline": "",  # one character; none means \\n or \\r\\n
    "quotes": "",  # one character; True means ' and ", none means that quotes are characters like others
    "labels": [str],  # names of the columns, instead of those in the files
    "label_lines": int,  # so many lines have labels, joined by spaces; 1, or 0 when labels are given
    "label_encoding": "utf-8",  # of the labels in the files
    "strip_labels": False,  # take white space around labels away
    "rename": {"OLD": str},  # {label: label}, after stripping
    "discard": {str},  # labels of columns to leave out, after renaming
    "lineno_label": "",  # a column with this label gets the line numbers
    "allow_bad": False,  # bad lines go into dataset "bad" of the subjob instead of failing the job
    "allow_extra_empty": False,  # a line may have more fields than there are labels when they are empty
    "skip_lines": 0,  # so many lines at the beginning of each file are left out
    "skip_empty_lines": False,  # lines without any character are left out
    "column2type": OptionDefault(COLUMN_TYPES, {}),  # {label: type} as for dataset_type; others are bytes
    "types": "",  # "auto": columns that column2type does not name get types that their first texts fit
    "none_values": (str,),  # texts that are None in every typed column
    "defaults": {},  # {label: value} instead of what cannot be converted; text is converted itself
    "filter_bad": False,  # lines with a text that cannot be converted go into dataset "bad"
    "numeric_comma": False,  # fractions of floats and numbers follow a comma
    "timezone": str,  # datetimes are in this zone, as "Europe/Stockholm", and become UTC
    "compression": 6,  # taken from programs that give it: what is stored is zstd, of one level
}
datasets = ("previous",)

_OWN = {"filename", "inside_filenames", "chaining", "include_re", "exclude_re", "strip_dirs"}
_DEFAULT = "default"
_NOT_IN_NAMES = re.compile("[^0-9A-Za-z._-]")


class Chosen(NamedTuple):
    """A file that is imported: its name, with folders or without, and that of its dataset."""

    member: ZipMember
    name: str
    dataset: str


def synthesis(options: Any, datasets: Any) -> None:
    """Import one file after another."""
    chosen = _ordered(_choose(list_members(options.filename), options), options)
    _check_room(options.filename, chosen)
    given = {name: value for name, value in options.items() if name not in _OWN}
    previous: Dataset | None = datasets.previous
    for number, file in enumerate(chosen, 1):
        imported = subjobs.build(
            "csvimport",
            filename=options.filename,
            member=file.member.number,
            caption=f"import of {member_name(options.filename, file.member.name)}",
            **given,
        ).dataset()
        if number == len(chosen) and file.dataset != _DEFAULT and (options.chaining != "off" or number == 1):
            imported.link_to_here(override_previous=previous)
        linked = imported.link_to_here(file.dataset, override_previous=previous)
        if options.chaining != "off":
            previous = linked


# ---- which files


def _choose(members: list[ZipMember], options: Any) -> list[Chosen]:
    """Return the files to be imported, in the order of the zip file."""
    if options.inside_filenames and (options.include_re or options.exclude_re):
        raise OptionError("give either inside_filenames or include_re and exclude_re")
    chosen = list(_named(members, options) if options.inside_filenames else _matching(members, options))
    if not chosen:
        raise DatasetError(f"'{options.filename}' has no file to import")
    return chosen


def _named(members: list[ZipMember], options: Any) -> Iterator[Chosen]:
    """Yield the files that inside_filenames names; of several with one name the first."""
    names = dict(options.inside_filenames)
    if len({name or _DEFAULT for name in names.values()}) < len(names):
        raise OptionError("inside_filenames gives two files the same dataset name")
    for member in members:
        name = _stripped(member, options)
        if name in names:
            yield Chosen(member, name, names.pop(name) or _DEFAULT)
    if names:
        missing = ", ".join(f"'{name}'" for name in sorted(names))
        raise DatasetError(f"'{options.filename}' lacks {missing}", hint="'unzip -l' lists what it has")


def _matching(members: list[ZipMember], options: Any) -> Iterator[Chosen]:
    """Yield the files that include_re and exclude_re allow."""
    include, exclude = (_compiled(options, name) for name in ("include_re", "exclude_re"))
    taken = {_DEFAULT} if options.chaining != "off" else set()
    for member in members:
        excluded = options.exclude_re and exclude.search(member.name)
        if include.search(member.name) and not excluded:
            name = _stripped(member, options)
            dataset = _free_name(name, taken)
            taken.add(dataset)
            yield Chosen(member, name, dataset)


def _compiled(options: Any, name: str) -> re.Pattern[str]:
    try:
        return re.compile(options[name])
    except re.error as err:
        raise OptionError(f"option '{name}' is no regular expression: {err}") from err


def _stripped(member: ZipMember, options: Any) -> str:
    return member.name.rpartition("/")[2] if options.strip_dirs else member.name


def _free_name(name: str, taken: Collection[str]) -> str:
    """Return the name of the dataset of a file, none of those that are taken."""
    name = _NOT_IN_NAMES.sub("_", name) or "_"
    while name in taken:
        name += "_"
    return name


# ---- in which order


def _ordered(chosen: list[Chosen], options: Any) -> list[Chosen]:
    """Return the files in the order of the chain."""
    order = options.chaining
    if order == "on":
        order = "by_dict" if options.inside_filenames else "by_ziporder"
    if order == "by_dict":
        if not options.inside_filenames:
            raise OptionError("chaining by_dict goes by inside_filenames, which are not given")
        places = {name or _DEFAULT: place for place, name in enumerate(options.inside_filenames.values())}
        chosen = sorted(chosen, key=lambda file: places[file.dataset])
    elif order == "by_filename":
        chosen = sorted(chosen, key=lambda file: file.name)
    elif order == "by_dsname":
        chosen = sorted(chosen, key=lambda file: file.dataset)
    if order != "off" and _DEFAULT in (file.dataset for file in chosen[:-1]):
        raise OptionError("dataset 'default' is not the last of the chain", hint="give it another name")
    return chosen


def _check_room(name: str, chosen: list[Chosen]) -> None:
    """Raise `DatasetError` when a file says that it is larger than the disk has room."""
    room = shutil.disk_usage(".").free
    for file in chosen:
        if file.member.bytes > room:
            raise DatasetError(
                f"'{member_name(name, file.member.name)}' has {file.member.bytes} bytes, and the disk has {room} left"
            )
