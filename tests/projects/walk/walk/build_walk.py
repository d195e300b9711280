"""Walks all of the programming model, as its users write it; every assert is a promise."""

import os
from datetime import date, datetime
from pathlib import Path

from acc import NoSuchFile, OptionError


def main(urd):
    first_steps(urd)
    files_and_results(urd)
    datasets(urd)
    options(urd)
    looking_back(urd)
    chains(urd)


def refused(function, *arguments, **keywords):
    try:
        function(*arguments, **keywords)
    except OptionError as err:
        return str(err)
    raise AssertionError("was not refused")


def typed(urd):
    imported = urd.build("csvimport", filename="mydata.csv", quotes='"')
    return urd.build(
        "dataset_type",
        source=imported,
        column2type=dict(name="unicode:utf-8", colour="ascii", price="float64+None"),
        none_values=("", "NA"),
    )


def first_steps(urd):
    # rows 1-4: build, reuse, job as input, arguments find their place, stages
    job = urd.build("csvimport", filename="mydata.csv", quotes='"')
    assert job == urd.build("csvimport", filename="mydata.csv", quotes='"')
    source = typed(urd)
    first = urd.build("analyse", source=source, unit="SEK")
    assert first.load() == {
        "totals": {"red": 1.5, "green": 2.25, "blue": 0.75, "yellow": 0.5},
        "unit": "SEK",
        "depth": 1,
    }
    second = urd.build("analyse", source=source.dataset(), previous=first, factor=2)
    assert second.load()["totals"]["red"] == 3.0
    assert second.load()["depth"] == 2
    assert second == urd.build("analyse", {"factor": 2.0}, {"source": source}, {"previous": first})
    assert urd.build("inorder").load() == [0, 10, 20]
    assert "prive" in refused(urd.build, "analyse", source=source, prive=3)


def files_and_results(urd):
    job = urd.build("results")
    # rows 8-10
    assert job.load() == "last!!!"
    assert job.load("name.pickle") == {1, 2, 3}
    assert job.json_load("name.json") == {"a": [1.5, None], "b": 1}
    assert job.load("part", sliceno=2) == {"slice": 2}
    assert job.json_load("numbers.json", sliceno=1) == [1, 1]
    with job.open("lines.txt", sliceno=0) as fh:
        assert fh.read() == "line of 0\n"
    sliced = {f"{name}.{n}" for name in ("part", "numbers.json", "lines.txt") for n in range(3)}
    assert job.files() == {"plot.png", "by hand.txt", "name.json", "name.pickle", "result.pickle"} | sliced
    assert job.files("*.txt") == {"by hand.txt"}
    path = job.filename("plot.png")
    assert os.path.isabs(path)
    assert Path(path).read_bytes() == b"\x89PNG not really"
    try:
        job.load("forgotten.txt")
    except NoSuchFile:
        pass
    else:
        raise AssertionError("a file that nobody registered was kept")
    assert urd.build("leaves").files() == {"left.txt"}
    # row 11
    job.link_result("plot.png")
    job.link_result("plot.png", linkname="delays/january.png")
    job.link_results("by hand.txt", "texts/")
    for link in ("plot.png", "delays/january.png"):
        link = Path("results") / link
        assert link.is_symlink()
        assert not os.path.isabs(os.readlink(link))
        assert link.resolve() == Path(path).resolve()
    assert Path("results/texts/by hand.txt").read_text() == "left in the current directory"
    # row 12
    assert urd.build("checkfile", thefile=job.withfile("name.pickle")).load() == ({1, 2, 3}, [])
    both = dict(thefile=job.withfile("result.pickle"), sliced=job.withfile("part", sliced=True))
    assert urd.build("checkfile", **both).load() == ("last!!!", [0, 1, 2])
    assert urd.build("checkfile").load(default="nothing") == "nothing"
    assert urd.build("needsfile", thefile=job.withfile("name.json")).load()[0] == {"a": [1.5, None], "b": 1}
    assert "thefile" in refused(urd.build, "needsfile")


def datasets(urd):
    # rows 6 and 7
    job = urd.build("movies")
    assert [ds.name for ds in job.datasets] == ["default", "movies", "chosen"]
    assert job.dataset() == job.dataset("") == job.dataset("default")
    movies = job.dataset("movies")
    assert list(movies.columns) == ["moviename", "year"]
    assert movies.columns["year"].type == "int32"
    assert movies.lines == (4, 4, 4)
    assert movies.shape == (2, 12)
    assert (movies.min("year"), movies.max("year")) == (1991, 1993)
    assert list(movies.iterate(1, "moviename")) == ["movie 1.0", "movie 1.1", "movie 1.2", "movie 1.3"]
    assert next(iter(movies.iterate(None, ["year", "moviename"]))) == (None, "movie 0.0")
    assert sorted(job.dataset().iterate(None, "n")) == list(range(10))
    assert list(job.dataset("chosen").iterate(None, "n")) == [0, 1, 2]
    month = None
    for name in ("mydata.csv", "other.csv"):
        month = urd.build("csvimport", filename=name, quotes='"', previous=month)
    chain = month.dataset().chain()
    assert [ds.filename for ds in chain] == ["mydata.csv", "other.csv"]
    assert month.dataset().previous == chain[0]
    assert len(list(month.dataset().iterate_chain(None, "name"))) == 7
    # row 17
    exported = urd.build(
        "csvexport", source=typed(urd), filename="out.csv", labels=["name", "price"], none_as=""
    )
    with exported.open("out.csv") as fh:
        header, *rows = fh.read().splitlines()
    assert header == "name,price"
    assert sorted(rows) == ["apple,1.5", "banana,0.5", "cherry,", "pear,2.25", "plum small,0.75"]


def options(urd):
    # row 15
    given = dict(
        needed=7,
        title="a title",
        typed=4,
        words="a,b",
        ints=[1, 2],
        weights={"x": 1, "y": 2.5},
        names={"n", "m"},
        moment=datetime(2013, 1, 1, 12, 30),
        path=Path("some/where"),
        mode="x-ray",
        input="mydata.csv",
        anything={"deep": [1, {"er": None}]},
    )
    got, content = urd.build("options", **given).load()
    assert got["number"] == 3
    assert got["ints"] == [1, 2]
    assert got["words"] == ["a", "b"]
    assert got["weights"] == {"x": 1.0, "y": 2.5}
    assert got["names"] == {"n", "m"}
    assert got["day"] == date(2013, 1, 1)
    assert got["moment"] == datetime(2013, 1, 1, 12, 30)
    assert got["path"] == Path("some/where")
    assert got["mode"] == "x-ray"
    assert got["other"] is None
    assert got["maybe"] == "default"
    assert got["anything"] == {"deep": [1, {"er": None}]}
    assert content.startswith(b"name,colour,price\n")
    assert "needed" in refused(urd.build, "options", title="t")
    assert "title" in refused(urd.build, "options", needed=1, title="")
    assert "mode" in refused(urd.build, "options", needed=1, title="t", mode="slowly")
    assert "ints" in refused(urd.build, "options", needed=1, title="t", ints=["one"])


def looking_back(urd):
    # row 13
    job = urd.build("talks")
    assert job.output("prepare") == "from prepare\n"
    assert job.output("analysis") == "from slice 0\nfrom slice 1\nfrom slice 2\n"
    assert job.output(1) == "from slice 1\n"
    assert job.output("synthesis") == "from a subprocess\nfrom synthesis\n"
    assert job.output().startswith("from prepare\nfrom slice 0\n")
    first = urd.build("analyse", source=typed(urd), unit="SEK")
    assert first.params.options.unit == "SEK"
    assert first.params.datasets.source == typed(urd).dataset()
    assert first.method == "analyse"
    assert first.workdir == "dev"
    assert f"dev-{first.number}" == first
    assert first.post.files == ["result.pickle"]
    assert set(first.post.exectime) >= {"total", "prepare", "analysis", "synthesis", "per_slice"}
    for name in ("setup.json", "post.json"):
        assert (Path(first.path) / name).is_file()


def chains(urd):
    # row 14
    previous = None
    jobs = []
    for _ in range(10):
        previous = urd.build("thejob", previous=previous)
        jobs.append(previous)
    assert previous.load() == 10
    assert previous.chain() == jobs
    assert previous.chain(length=3) == jobs[-3:]
    assert previous.chain(reverse=True) == jobs[::-1]
    assert previous.chain(stop_job=jobs[4]) == jobs[5:]
