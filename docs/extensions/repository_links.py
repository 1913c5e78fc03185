"""Turn links to files outside the documentation, such as ``../../examples/vse_ens.py``, into links to GitHub."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from sphinx import addnodes
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

REPOSITORY = "https://github.com/vsenumba/vsenumba/blob/main/"


def _to_repository(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Return the link, if a file of that name is in the repository."""
    target = posixpath.normpath(posixpath.join("docs", posixpath.dirname(node.get("refdoc", "")), node["reftarget"]))
    file = app.srcdir.parent / target.partition("#")[0]
    if not file.exists() or target.startswith("docs/"):
        return None
    return nodes.reference("", "", content, refuri=REPOSITORY + target, internal=False)


def setup(app: Sphinx) -> dict[str, Any]:
    """Look in the repository for what the documentation lacks."""
    app.connect("missing-reference", _to_repository)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
