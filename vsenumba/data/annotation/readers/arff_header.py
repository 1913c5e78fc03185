"""The header of an ARFF file: the attributes, the meanings of their values, and which of them are labels."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError, InputError, near_names
from vsenumba.storage import check_readable

# A quoted text, or the characters up to a space, a comma or a brace.
TOKEN = re.compile(r"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|[^\s,{}'"][^\s,{}]*""")
_NUMERIC = frozenset({"numeric", "real", "integer"})
# For each value that means an image does not have a label, the value that means it does.
_TRUE_OF = {"0": "1", "false": "true", "no": "yes", "n": "y", "f": "t"}
_MEKA = re.compile(r"(?:^|[\s:])-C\s+(-?\d+)")
# The largest XML file to read. Mulan's lists of labels have only kilobytes.
_MOST_XML = 1 << 26


class Attribute(NamedTuple):
    """A column of the table.

    Attributes
    ----------
    name : str
        Its name.
    values : tuple of str or None
        The possible values, in the order of the header. None for numbers.
    kind : str
        ``"numeric"``, ``"nominal"`` or ``"text"``.
    line : int
        The line of its declaration.
    """

    name: str
    values: tuple[str, ...] | None
    kind: str
    line: int

    @property
    def left_out(self) -> str:
        """The value of the attribute if a sparse row omits it: 0, or the first value of the header."""
        return self.values[0] if self.values else "0"


def unquoted(text: str) -> str:
    r"""Return a name or value without its quotes.

    Examples
    --------
    >>> unquoted(r"'New York\'s'")
    "New York's"
    """
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def attribute_of(line: str, number: int) -> Attribute:
    """Return the attribute that a line declares.

    Raises
    ------
    FileFormatError
        If the line is not a valid declaration.
    """
    rest = line[len("@attribute") :].strip()
    name = TOKEN.match(rest)
    if name is None:
        raise FileFormatError(f"an attribute has no name: {line!r:.60}")
    kind = rest[name.end() :].strip()
    word = kind.split(None, 1)[0].lower() if kind else ""
    called = plain(unquoted(name.group()))
    if kind.startswith("{") and kind.endswith("}"):
        values = tuple(unquoted(one.group()) for one in TOKEN.finditer(kind[1:-1]))
        if not values:
            raise FileFormatError(f"the attribute {called!r} has no possible value")
        return Attribute(called, values, "nominal", number)
    if word in _NUMERIC:
        return Attribute(called, None, "numeric", number)
    if word in ("string", "date"):
        return Attribute(called, None, "text", number)
    raise FileFormatError(
        f"the attribute {called!r} has the type {kind!r:.40}; expected numeric, string, date or values in braces"
    )


def truth_of(attribute: Attribute) -> dict[str, bool]:
    """Return for each value of a label whether an image with it has the label.

    Raises
    ------
    FileFormatError
        If the label does not have exactly two values that mean yes and no. Their order does not matter.
    """
    if attribute.kind == "numeric":
        return {"0": False, "1": True, "0.0": False, "1.0": True}
    folded = [value.lower() for value in attribute.values or ()]
    for no, yes in _TRUE_OF.items():
        if sorted(folded) == sorted((no, yes)):
            return dict(zip(attribute.values or (), (value == yes for value in folded), strict=True))
    shown = ", ".join(attribute.values or (attribute.kind,))
    raise FileFormatError(
        f"the label {attribute.name!r} has the values {shown:.60}; expected 0 and 1, false and true, or no and yes"
    )


def labels_of(path: Path, relation: str, attributes: Sequence[Attribute]) -> list[int]:
    """Return the positions of the attributes that are labels.

    MEKA gives the number of labels in the relation. Mulan lists the labels in an XML file.

    Raises
    ------
    InputError
        If there is neither.
    FileFormatError
        If a label in the list or the relation is not in the table.
    """
    if meka := _MEKA.search(relation):
        n = int(meka[1])
        if not 0 < abs(n) <= len(attributes):
            raise FileFormatError(f"the relation names {abs(n):,} labels (-C {n}) of {len(attributes):,} attributes")
        return list(range(n)) if n > 0 else list(range(len(attributes) + n, len(attributes)))
    listing = _listing_of(path)
    at = {attribute.name: i for i, attribute in enumerate(attributes)}
    found = []
    for name in _names_in(listing):
        if name not in at:
            near = near_names(name, at)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise FileFormatError(f"the label {name!r} of {listing.name} is not an attribute{hint}")
        if at[name] in found:
            raise FileFormatError(f"the label {name!r} appears twice in {listing.name}")
        found.append(at[name])
    return found


def _listing_of(path: Path) -> Path:
    """Return the XML file with the labels: the one whose name the table's name starts with, or the only one."""
    there = [one for one in sorted(path.parent.iterdir()) if one.suffix.lower() == ".xml" and _is_listing(one)]
    akin = [one for one in there if path.name.lower().startswith(one.stem.lower())]
    if akin:
        return max(akin, key=lambda one: len(one.stem))
    if len(there) == 1:
        return there[0]
    beside = f"there are {', '.join(one.name for one in there)}; keep one" if there else "there is none"
    raise InputError(
        f"{path} does not say which attributes are labels. Add an XML file of the same name, as Mulan does ({beside}), "
        "or the number of labels in the relation, as MEKA does: @relation 'name: -C 6' (-C -6 if the labels come last)"
    )


def _is_listing(path: Path) -> bool:
    with path.open("rb") as file:
        return re.search(rb"<(\w+:)?labels[\s>]", file.read(4096)) is not None


def _names_in(path: Path) -> Iterator[str]:
    check_readable(path)
    if path.stat().st_size > _MOST_XML:
        raise FileFormatError(f"{path.name} has {path.stat().st_size:,} bytes, which is too large for a list of labels")
    content = path.read_bytes()
    if re.search(rb"<!(DOCTYPE|ENTITY)", content):
        raise FileFormatError(f"{path.name} declares a document type, which is not allowed in a list of labels")
    try:
        # Without a document type, there are no entities to expand.
        root = ET.fromstring(content)  # noqa: S314
    except ET.ParseError as error:
        raise FileFormatError(f"{path.name} is not XML: {error}") from error
    names = [plain(one.get("name", "")) for one in root.iter() if one.tag.rpartition("}")[2] == "label"]
    if not names or not all(names):
        raise FileFormatError(f"{path.name} names no labels" if not names else f"a label of {path.name} has no name")
    yield from names
