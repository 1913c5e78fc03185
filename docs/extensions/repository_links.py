"""Point links that lead out of the documentation, such as ``../../examples/vse_ens.py``, to the repository.

On GitHub the links work as they are. `CONTRIBUTING.md` and `CHANGELOG.md` are pages of the documentation too.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Any

from docutils import nodes

if TYPE_CHECKING:
    from pathlib import Path

    from sphinx import addnodes
    from sphinx.application import Sphinx
    from sphinx.environment import BuildEnvironment

REPOSITORY = "https://github.com/vsenumba/vsenumba/blob/main/"
PAGES = {"CONTRIBUTING.md": "contributing/index.md", "CHANGELOG.md": "changelog.md"}


def _to_pages(app: Sphinx, page: str, source: list[str]) -> None:
    """Point links to files of the root that are pages here to these pages."""
    for file, target in PAGES.items():
        relative = posixpath.relpath(target, posixpath.dirname(page) or ".")
        source[0] = re.sub(rf"\]\((\.\./)+{re.escape(file)}", f"]({relative}", source[0])


def _in_contributing(app: Sphinx, path: Path, page: str, content: list[str]) -> None:
    """Point the links of CONTRIBUTING.md to the changelog, as a page that includes its text."""
    content[0] = content[0].replace("](CHANGELOG.md", "](../changelog.md")


def _to_repository(
    app: Sphinx, env: BuildEnvironment, node: addnodes.pending_xref, content: nodes.TextElement
) -> nodes.reference | None:
    """Return a link to the repository, if a file of that name is there."""
    folder = posixpath.join("docs", posixpath.dirname(node.get("refdoc", "")))
    target = posixpath.normpath(posixpath.join(folder, node["reftarget"]))
    if target.startswith(("docs/", "..")) or not (app.srcdir.parent / target.partition("#")[0]).exists():
        return None
    return nodes.reference("", "", content, refuri=REPOSITORY + target, internal=False)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect all three."""
    app.connect("source-read", _to_pages)
    app.connect("include-read", _in_contributing)
    app.connect("missing-reference", _to_repository)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
