"""Where each page is: one function a kind, so that no template puts an address together."""

from collections.abc import Mapping
from urllib.parse import quote, urlencode

from porcelain.specgrammar import DEFAULT_DATASET


def results(**chosen: object) -> str:
    """Return the address of the result links, the first page; of those in a folder."""
    return "/" + _query(chosen)


def result(name: str) -> str:
    """Return the address of one result link."""
    return f"/result/{_path(name)}"


def jobs(**chosen: object) -> str:
    """Return the address of the list of jobs, of those chosen by workdir, method, state ..."""
    return "/jobs" + _query(chosen)


def job(spec: str, part: str = "") -> str:
    """Return the address of a job, or of a part of it: "graph", "source", "output"."""
    return f"/job/{_segment(spec)}" + (f"/{part}" if part else "")


def output(spec: str, **chosen: object) -> str:
    """Return the address of what a job printed, or of one part of it."""
    return job(spec, "output") + _query(chosen)


def source(spec: str, **chosen: object) -> str:
    """Return the address of the code of a job, perhaps of one file, or against that of another job."""
    return job(spec, "source") + _query(chosen)


def source_file(spec: str, path: str) -> str:
    """Return the address of the bytes of one file of the code of a job."""
    return job(spec, "source") + f"/{_path(path)}"


def file(spec: str, name: str) -> str:
    """Return the address of the page that shows a file of a job."""
    return f"/file/{_segment(spec)}/{_path(name)}"


def raw(spec: str, name: str, *, download: bool = False, **chosen: object) -> str:
    """Return the address of the bytes of a file of a job."""
    return f"/raw/{_segment(spec)}/{_path(name)}" + _query({"download": 1 if download else None, **chosen})


def holders(blob: str) -> str:
    """Return the address of the list of what has a blob: files of jobs, inputs, result links."""
    return f"/holders/{blob}"


def dataset(spec: str, **chosen: object) -> str:
    """Return the address of a dataset, named as "dev-12/default"."""
    return f"/dataset/{_dataset(spec)}" + _query(chosen)


def column(spec: str, name: str) -> str:
    """Return the address of the plot of a column of a dataset."""
    return f"/column/{_dataset(spec)}" + _query({"name": name})


def chain(spec: str) -> str:
    """Return the address of the chain that ends in a dataset."""
    return f"/chain/{_dataset(spec)}"


def rows(spec: str, **chosen: object) -> str:
    """Return the address of the rows of a dataset, of those chosen by sort, where.COLUMN, chain ..."""
    return f"/rows/{_dataset(spec)}" + _query(chosen)


def csv(spec: str, chosen: Mapping[str, object]) -> str:
    """Return the address of the rows of a dataset as CSV, chosen as for `rows`."""
    return f"/csv/{_dataset(spec)}" + _query(chosen)


def dataset_graph(spec: str) -> str:
    """Return the address of the graph of a dataset: its chain, and what it extends."""
    return f"{dataset(spec)}/graph"


def builds(**chosen: object) -> str:
    """Return the address of the list of builds, of those of one script."""
    return "/builds" + _query(chosen)


def build(name: str, part: str = "") -> str:
    """Return the address of a build, named as "build-7", or of a part of it: "graph"."""
    return f"/build/{_segment(name)}" + (f"/{part}" if part else "")


def urd(path: str = "", timestamp: str = "", part: str = "") -> str:
    """Return the address of the urd lists, of one list ("user/name") or of one session of it, or its "graph"."""
    where = "/urd" + (f"/{_path(path)}" if path else "") + (f"/{part}" if part else "")
    return where + _query({"timestamp": timestamp})


def method(name: str) -> str:
    """Return the address of a method."""
    return f"/method/{_segment(name)}"


def script(name: str) -> str:
    """Return the address of a build script."""
    return f"/script/{_segment(name)}"


def compare(before: str = "", after: str = "", part: str = "") -> str:
    """Return the address of the comparison of two jobs, files or datasets, or of a part of it: "outcomes"."""
    return "/compare" + (f"/{part}" if part else "") + _query({"a": before, "b": after})


def search(text: str) -> str:
    """Return the address of what is found for a text."""
    return "/search" + _query({"q": text})


def with_query(path: str, asked: Mapping[str, str], **changed: object) -> str:
    """Return the address of a page as it was asked for, with some of its parameters changed; None drops one."""
    return path + _query({**asked, **changed})


def _query(chosen: Mapping[str, object]) -> str:
    pairs = {name: value for name, value in chosen.items() if value not in (None, "")}
    return f"?{urlencode(pairs)}" if pairs else ""


def _dataset(spec: str) -> str:
    label, _, name = spec.partition("/")
    return f"{_segment(label)}/{_path(name or DEFAULT_DATASET)}"


def _segment(text: str) -> str:
    return quote(text, safe="@")


def _path(text: str) -> str:
    return quote(text, safe="/")
