"""Leave out of the reference what the package's own parts use of each other's classes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

INTERNAL = {
    "PARAMETERS", "check_parameters", "chosen", "count_on_cluster", "exports", "from_element", "from_elements", "kind",
    "known_for", "looks_at_model", "member", "memory_element", "of_distinct", "score_block", "scores_on_device",
    "subject", "to_element", "to_elements", "uses_features", "counts_", "tables_", "align", "knows",
}  # fmt: skip


def _skip(app: Sphinx, what: str, name: str, member: object, skip: bool, options: object) -> bool | None:
    return True if name in INTERNAL else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to autodoc."""
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
