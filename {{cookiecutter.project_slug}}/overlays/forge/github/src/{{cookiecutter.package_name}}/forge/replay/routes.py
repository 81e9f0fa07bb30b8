"""Which REST call is answered by what, and the permission of a job's token that it needs.

How to change this: a call gets a function in `rest.py` and a line here, with the permission that
its page names (docs.github.com/rest).
"""

import re
from collections.abc import Callable

from . import rest
from .rest import BLOBS, MISSING, REPOSITORY, Answer, Asked
from .rights import Rights

Route = Callable[..., Answer]

ROUTES: list[tuple[str, str, str, str, Route]] = [
    (r"/commits/([0-9a-f]{40})/pulls", "GET", "pull-requests", "read", rest.pulls_of_commit),
    (r"/pulls/(\d+)/files", "GET", "pull-requests", "read", rest.files_of_pull),
    (r"/actions/artifacts", "GET", "actions", "read", rest.artifacts),
    (r"/actions/artifacts/(\d+)/zip", "GET", "actions", "read", rest.artifact),
    (r"/actions/runs/(\d+)", "GET", "actions", "read", rest.run),
    (r"/issues/(\d+)/comments", "GET", "issues pull-requests", "read", rest.comments),
    (r"/issues/(\d+)/comments", "POST", "issues pull-requests", "write", rest.comment),
    (r"/issues/comments/(\d+)", "PATCH", "issues pull-requests", "write", rest.change_comment),
    (r"/git/ref/(heads/.+)", "GET", "contents", "read", rest.ref),
]


def answer(asked: Asked, method: str, header: str | None, rights: Rights) -> Answer:
    """Find who answers a request, and ask whether its token may do this."""
    if asked.path.startswith(BLOBS):
        return rest.blob(asked, header)
    for pattern, of_method, need, level, route in ROUTES:
        if of_method == method and (found := re.fullmatch(REPOSITORY + pattern, asked.path)):
            if status := rights.refused(header, need, level):
                words = {401: "Requires authentication"}
                message = words.get(status, "Resource not accessible by integration")
                return Answer({"message": message}, status)
            return route(asked, *found.groups())
    return MISSING
