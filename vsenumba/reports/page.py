"""The page: the template, its style and its script, in one file that needs nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from vsenumba.printable import printable
from vsenumba.reports.copies import copies_of
from vsenumba.reports.parts import Section
from vsenumba.sheets.policy import policy_digest
from vsenumba.storage.provenance import provenance


def rendered(title: str, subtitle: str, lead: str, sections: Sequence[Section]) -> bytes:
    """Return the page in UTF-8.

    All text is escaped by the template. The page allows no script and no style but its own, which it names by their
    hashes, and no request to a network.

    Parameters
    ----------
    title, subtitle, lead : str
        What stands above all: a name, what it is, and the main result, which may be empty.
    sections : sequence of Section
        The sections, in order.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("vsenumba.reports", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    style, script = (files("vsenumba.reports").joinpath(name).read_text("utf-8") for name in ("page.css", "page.js"))
    policy = f"default-src 'none'; img-src data:; style-src {policy_digest(style)}; script-src {policy_digest(script)}"
    policy += "; base-uri 'none'; form-action 'none'"
    items = [item for section in sections for item in section.items]
    tables = [one for item in items for one in (item.tables if item.kind == "pair" else [item]) if one.kind == "table"]
    settings: dict[str, Any] = {
        "title": printable(title),
        "subtitle": printable(subtitle),
        "lead": lead,
        "sections": sections,
        "policy": policy,
        # Both are files of this package, and stand between tags in which nothing is escaped.
        "style": Markup(style),  # noqa: S704
        "script": Markup(script),  # noqa: S704
        "copies": {table.key: copies_of(table) for table in tables},
        "version": provenance()["vsenumba"],
    }
    return environment.get_template("page.html.jinja").render(settings).encode()
