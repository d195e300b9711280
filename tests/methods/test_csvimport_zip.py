"""csvimport_zip: which files of a zip file become datasets, their names and chain; and zip files that mean harm."""

import gzip
import io
import stat
import struct
import warnings
import zipfile
from collections import OrderedDict

import pytest

from jobs.errors import JobFailed
from jobs.method.grammar import declare
from porcelain.methods.a_csvimport import options as csvimport_options
from porcelain.methods.a_csvimport_zip import options as zip_options
from tests.methods.bench import rows

FILES = {"b.csv": b"v\nb\n", "d/a.csv": b"v\na\n", "c.txt": b"v\nc\n"}


def zipped(files, compression=zipfile.ZIP_DEFLATED):
    """Return a zip file of these, given as a dict or as pairs of a name or `ZipInfo` and content."""
    stream = io.BytesIO()
    with warnings.catch_warnings(), zipfile.ZipFile(stream, "w", compression) as archive:
        warnings.simplefilter("ignore")  # of names that come twice
        for name, data in files.items() if isinstance(files, dict) else files:
            # at a time of its own: else the same files give another zip file two seconds later
            member = zipfile.ZipInfo(name) if isinstance(name, str) else name
            archive.writestr(member, data, compression)
    return stream.getvalue()


@pytest.fixture
def unzip(bench):
    """Return a function that imports a zip file."""

    def build(files, name="x.zip", **options):
        data = files if isinstance(files, bytes) else zipped(files)
        return bench.build("csvimport_zip", filename=bench.write(data, name), **options)

    return build


def values(job):
    """Return the values in each dataset by its name."""
    return {dataset.name: [value.decode() for (value,) in rows(dataset)] for dataset in job.datasets}


def chain(job, name="default"):
    return [value.decode() for value in job.dataset(name).iterate_chain(None, "v")]


def test_all_options_of_csvimport_are_there():
    missing = {"filename", "chain", "member"}
    theirs = {name: spec for name, spec in csvimport_options.items() if name not in missing}
    mine = {name: spec for name, spec in zip_options.items() if name in theirs}
    assert declare(mine, method="m") == declare(theirs, method="m")


# ---- which files, which names


def test_all_files_become_datasets_in_a_chain(unzip):
    job = unzip(FILES)
    assert values(job) == {"b.csv": ["b"], "d_a.csv": ["a"], "c.txt": ["c"], "default": ["c"]}
    assert chain(job) == ["b", "a", "c"]
    assert [dataset.job for dataset in job.dataset().chain()] == [job] * 3
    assert job.dataset("d_a.csv").filename == "x.zip:d/a.csv"


def test_the_chain_begins_after_previous(bench, unzip):
    before = bench.csvimport(b"v\n0\n").dataset()
    assert chain(unzip(FILES, previous=before)) == ["0", "b", "a", "c"]
    loose = unzip(FILES, previous=before, chaining="off")
    assert [chain(loose, name) for name in ("b.csv", "c.txt")] == [["0", "b"], ["0", "c"]]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({"include_re": r"\.csv$"}, ["b.csv", "d_a.csv"]),
        ({"include_re": "^d/", "strip_dirs": True}, ["a.csv"]),
        ({"exclude_re": r"\.csv$"}, ["c.txt"]),
        ({"include_re": "csv", "exclude_re": "/"}, ["b.csv"]),
        ({"inside_filenames": {"c.txt": "c", "d/a.csv": "a"}}, ["c", "a"]),
        ({"inside_filenames": {"a.csv": "a"}, "strip_dirs": True}, ["a"]),
        ({"inside_filenames": {"b.csv": "default"}}, []),
        ({"inside_filenames": {"b.csv": ""}}, []),
    ],
)
def test_files_are_chosen(unzip, options, names):
    assert set(values(unzip(FILES, **options))) == {*names, "default"}


@pytest.mark.parametrize(
    ("options", "order"),
    [
        ({"chaining": "by_filename"}, ["b", "c", "a"]),
        ({"chaining": "by_filename", "strip_dirs": True}, ["a", "b", "c"]),
        ({"chaining": "by_dsname", "inside_filenames": {"b.csv": "z", "d/a.csv": "y"}}, ["a", "b"]),
        ({"chaining": "by_ziporder", "inside_filenames": {"d/a.csv": "1", "b.csv": "2"}}, ["b", "a"]),
        ({"inside_filenames": OrderedDict([("d/a.csv", "1"), ("b.csv", "0")])}, ["a", "b"]),
        (
            {"chaining": "by_dict", "inside_filenames": OrderedDict([("c.txt", "1"), ("b.csv", "0")])},
            ["c", "b"],
        ),
    ],
)
def test_the_chain_is_in_the_order_that_is_asked_for(unzip, options, order):
    assert chain(unzip(FILES, **options)) == order


def test_without_a_chain_only_a_single_file_is_the_default(unzip):
    assert set(values(unzip(FILES, chaining="off"))) == {"b.csv", "d_a.csv", "c.txt"}
    assert set(values(unzip(FILES, chaining="off", include_re="b"))) == {"b.csv", "default"}


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"inside_filenames": {"b.csv": "b"}, "include_re": "x"}, "give either inside_filenames or"),
        ({"inside_filenames": {"b.csv": "b", "no.csv": "n", "me.csv": "m"}}, r"lacks 'me\.csv', 'no\.csv'"),
        ({"inside_filenames": {"b.csv": "x", "c.txt": "x"}}, "two files the same dataset name"),
        ({"inside_filenames": {"b.csv": "", "c.txt": "default"}}, "two files the same dataset name"),
        ({"chaining": "by_dict"}, "by inside_filenames, which are not given"),
        (
            {"inside_filenames": OrderedDict([("b.csv", "default"), ("c.txt", "c")])},
            "'default' is not the last of the chain",
        ),
        ({"include_re": "nothing"}, r"'x\.zip' has no file to import"),
        ({"include_re": "("}, "option 'include_re' is no regular expression"),
    ],
)
def test_choices_that_cannot_be_are_refused(unzip, options, error):
    with pytest.raises(JobFailed, match=error):
        unzip(FILES, **options)


def test_options_go_to_csvimport(unzip):
    job = unzip(
        {"a": b"x\nw;v\n1;'2;3'\n4\n"}, separator=";", quotes="'", skip_lines=1, discard={"w"}, allow_bad=True
    )
    assert rows(job.dataset()) == [(b"2;3",)]
    with pytest.raises(JobFailed, match=r"line 2 of 'x\.zip:a' has 1 field instead of 2"):
        unzip({"a": b"v,w\n1\n"})


def test_files_in_the_zip_file_may_be_compressed_themselves(unzip):
    assert values(unzip({"a.csv.gz": gzip.compress(b"v\n1\n")}))["default"] == ["1"]


def test_the_same_zip_file_is_not_imported_again(bench, unzip):
    assert unzip(FILES) == unzip(FILES)
    one = bench.build("csvimport", filename="x.zip", member="b.csv")
    assert one == bench.build("csvimport", filename="x.zip", member="b.csv")
    assert rows(one.dataset()) == [(b"b",)]


def test_a_zip_file_outside_of_the_input_directory_is_not_imported_again(bench):
    path = bench.root / "elsewhere" / "x.zip"
    path.parent.mkdir()
    path.write_bytes(zipped(FILES))
    job = bench.build("csvimport_zip", filename=str(path))
    assert bench.build("csvimport_zip", filename=str(path)) == job
    path.write_bytes(zipped({"b.csv": b"v\nother\n"}))
    changed = bench.build("csvimport_zip", filename=str(path))
    assert values(changed)["default"] == ["other"]


# ---- zip files that mean harm


@pytest.mark.parametrize(
    ("names", "datasets"),
    [
        (["../../evil", "/etc/passwd"], [".._.._evil", "_etc_passwd"]),
        (["..", "."], ["..", "."]),
        (["a b", "a/b", "a_b"], ["a_b", "a_b_", "a_b__"]),
        (["same", "same", "same_"], ["same", "same_", "same__"]),
        (["default", "x"], ["default_", "x"]),
        (["åäö\n", "\\x"], ["____", "_x"]),
        (["C:\\a.csv"], ["C__a.csv"]),
    ],
)
def test_any_name_in_a_zip_file_makes_a_dataset_and_no_file(bench, unzip, names, datasets):
    before = sorted(bench.root.parent.rglob("*evil*"))
    job = unzip([(name, b"v\n%d\n" % number) for number, name in enumerate(names)])
    found = values(job)
    assert found.pop("default") == [str(len(names) - 1)]
    assert found == {name: [str(number)] for number, name in enumerate(datasets)}
    assert sorted(bench.root.parent.rglob("*evil*")) == before


def test_of_files_with_the_same_name_inside_filenames_means_the_first(unzip):
    job = unzip([("a", b"v\n1\n"), ("a", b"v\n2\n")], inside_filenames={"a": "a"})
    assert values(job) == {"a": ["1"], "default": ["1"]}


def entry(name, mode):
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def test_folders_links_and_devices_are_left_out(unzip):
    files = [
        ("d/", b""),
        (entry("dir", stat.S_IFDIR | 0o755), b""),
        (entry("link", stat.S_IFLNK | 0o777), b"/etc/passwd"),
        (entry("pipe", stat.S_IFIFO | 0o644), b""),
        (entry("file", stat.S_IFREG | 0o644), b"v\n1\n"),
    ]
    assert set(values(unzip(files))) == {"file", "default"}
    with pytest.raises(JobFailed, match="lacks 'link'"):
        unzip(files, inside_filenames={"link": "x"})


def with_size(data, size):
    """Return a zip file of one member whose directory tells another uncompressed size."""
    at = data.index(b"PK\1\2") + 24
    return data[:at] + struct.pack("<I", size) + data[at + 4 :]


def test_more_bytes_than_the_zip_file_says_are_not_read(unzip):
    bomb = zipped({"a": b"v\n" + b"0" * 5_000_000})
    with pytest.raises(JobFailed, match=r"'x\.zip:a' is damaged"):
        unzip(with_size(bomb, 100))


def test_fewer_bytes_than_the_zip_file_says_are_an_error(unzip):
    with pytest.raises(JobFailed, match=r"'x\.zip:a' is damaged"):
        unzip(with_size(zipped({"a": b"v\n1\n"}), 1000))


def test_a_file_that_the_disk_has_no_room_for_is_not_begun(unzip):
    # a size of 64 bits stands in an extra field
    data = bytearray(zipped({"a": b"v\n1\n"}))
    at = data.index(b"PK\1\2")
    data[at + 24 : at + 28] = b"\xff" * 4
    data[at + 30 : at + 32] = struct.pack("<H", 12)
    name_end = at + 46 + 1
    data[name_end:name_end] = struct.pack("<HHQ", 1, 8, 1 << 60)
    end = data.index(b"PK\5\6")
    data[end + 12 : end + 16] = struct.pack("<I", end - at)
    with pytest.raises(JobFailed, match=r"'x\.zip:a' has 1152921504606846976 bytes, and the disk has"):
        unzip(bytes(data))


@pytest.mark.parametrize(
    ("damage", "error"),
    [
        (lambda data: b"no zip", "is no zip file, or a damaged one"),
        (lambda data: b"", "is no zip file, or a damaged one"),
        (lambda data: data[:40], "is no zip file, or a damaged one"),
        (lambda data: data.replace(b"v\n1\n", b"v\n2\n"), r"'x\.zip:a' is damaged"),
    ],
)
def test_damage_fails_the_job(unzip, damage, error):
    with pytest.raises(JobFailed, match=error):
        unzip(damage(zipped({"a": b"v\n1\n"}, zipfile.ZIP_STORED)))


def test_an_encrypted_file_cannot_be_read(unzip):
    data = bytearray(zipped({"a": b"v\n1\n"}))
    for magic, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        data[data.index(magic) + offset] |= 1
    with pytest.raises(JobFailed, match=r"'x\.zip:a' cannot be read"):
        unzip(bytes(data))


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_all_compressions_of_zip_are_read(unzip, compression):
    assert values(unzip(zipped({"a": b"v\n1\n"}, compression)))["a"] == ["1"]


@pytest.mark.parametrize(
    ("member", "error"),
    [
        ("no", r"'x\.zip' has no file 'no'"),
        (9, "has no file '9'"),
        (-1, "has no file '-1'"),
        ("d/", "is no file, but a folder"),
    ],
)
def test_a_member_that_is_no_file_is_refused(bench, member, error):
    bench.write(zipped([("d/", b""), ("a", b"v\n")]), "x.zip")
    with pytest.raises(JobFailed, match=error):
        bench.build("csvimport", filename="x.zip", member=member)
