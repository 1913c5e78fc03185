"""Names for the toggles of the navigation, which the theme leaves without any, for people who use a screen reader."""

from __future__ import annotations

from typing import Any

from sphinx.application import Sphinx

UNNAMED, NAMED = "<summary>", '<summary aria-label="Show or hide the pages of this section">'


def name_toggles(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Make the function that templates call for the navigation name its toggles."""
    make = context["generate_toctree_html"]
    context["generate_toctree_html"] = lambda *given, **named: str(make(*given, **named)).replace(UNNAMED, NAMED)


def setup(app: Sphinx) -> dict[str, bool]:
    """Connect after the theme, which provides the function."""
    app.connect("html-page-context", name_toggles, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
