"""The job that METHOD KEY=VALUE ... on a command line asks for."""

from collections.abc import Mapping

from jobs.method.arguments import Arguments
from jobs.request import Request
from jobs.wish import ABOUT_THE_JOB
from porcelain.commandline.keyvalue import read_arguments
from porcelain.project import Project


def read_request(project: Project, method: str, texts: Mapping[str, str]) -> Request:
    """Return what `acc build -m METHOD KEY=VALUE ...` would look for.

    Parameters
    ----------
    texts
        Each value as it was typed; what is not for the method, as a caption, is left out.
    """
    declared = project.catalog.get(method).declarations
    values = read_arguments(texts, declared, project.resolver)
    for_method = {key: value for key, value in values.items() if key not in ABOUT_THE_JOB}
    return project.builder.request(method, Arguments({}, {}, {}), for_method)
