"""The content of an XMP sidecar: its tags, the tags that vsenumba added, and edits that add or remove tags.

Tags are the items of ``dc:subject``. The sidecar itself lists the added tags, as ``vsenumba:added``. So the list moves
with the picture, and stays when other programs rewrite the file. Edits change only the bytes of the tags; the rest of
the file stays unchanged, including comments and line ends.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple
from xml.sax.saxutils import escape

from vsenumba.data.names import plain
from vsenumba.errors import FileFormatError, InputError
from vsenumba.sidecars.elements import Element, read_elements

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
SUBJECT = "http://purl.org/dc/elements/1.1/subject"
OURS = "vsenumba:ns:1.0/"
ADDED = OURS + "added"
# What vsenumba had to create: "subject", and "sidecar" for the whole file.
MADE = OURS + "made"
_SIDECAR_FOR = "http://ns.adobe.com/photoshop/1.0/SidecarForExtension"
_WRAPPERS = ("adobe:ns:meta/xmpmeta", "adobe:ns:meta/xapmeta")
_LISTS = (RDF + "Bag", RDF + "Seq", RDF + "Alt")
_EMPTY = f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="vsenumba">
 <rdf:RDF xmlns:rdf="{RDF}">
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>
"""
# Characters that XML 1.0 does not allow.
_NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_ENCODING = re.compile(r"""<\?xml[^>]*?encoding\s*=\s*["']([^"']*)["']""")
# Sidecars with a full editing history have a few megabytes.
MAX_BYTES = 32 << 20
_SPACE = b" \t\r\n"


class _Edit(NamedTuple):
    """A range of bytes and its replacement."""

    start: int
    end: int
    text: bytes


class Packet:
    """The content of a sidecar.

    Parameters
    ----------
    content : bytes, optional
        The content of the file, in UTF-8 or UTF-16; by default, a new sidecar without tags.

    Raises
    ------
    FileFormatError
        If the content is not XMP, or has a form that vsenumba cannot edit; the message says which.

    Examples
    --------
    >>> tagged = Packet(Packet().with_tags(["cat", "pet"]))
    >>> tagged.tags
    ['cat', 'pet']
    >>> tagged.without_added() is None  # nothing would be left
    True
    """

    def __init__(self, content: bytes | None = None) -> None:
        self._is_new = content is None
        self._encoding, self._bom, self._xml = _decoded(_EMPTY.encode() if content is None else content)
        self._rdf = _find_rdf(read_elements(self._xml))
        self._descriptions = list(self._rdf.named(RDF + "Description"))
        self._subjects = [self._list_in(one) for one in self._properties(SUBJECT)]
        if any(SUBJECT in one.attributes for one in self._descriptions):
            raise FileFormatError("its dc:subject is not a list of tags")
        self._journals = [self._list_in(one) for one in self._properties(ADDED)]
        self._made = {plain(item.text) for one in self._properties(MADE) for item in self._list_in(one).children}

    @classmethod
    def read(cls, path: Path) -> Packet:
        """Read a sidecar.

        Raises
        ------
        FileFormatError
            As above, and if the file cannot be read or is too large for a sidecar; the message names the file.
        """
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise FileFormatError(f"cannot read {path}: {error.strerror or error}") from error
        if len(content) > MAX_BYTES:
            raise FileFormatError(f"{path} is too large for a sidecar: it has more than {MAX_BYTES >> 20} MB")
        try:
            return cls(content)
        except FileFormatError as error:
            raise FileFormatError(f"cannot use {path}: {error}") from error

    @property
    def tags(self) -> list[str]:
        """The tags in the normalised form of `vsenumba.data.names`."""
        return [plain(item.text) for one in self._subjects for item in one.children]

    @property
    def added(self) -> list[str]:
        """The tags that vsenumba added."""
        return [plain(item.text) for one in self._journals for item in one.children]

    @property
    def ending(self) -> str | None:
        """The ending of the sidecar's picture, if it is stated, in lower case and without the dot."""
        for description in self._descriptions:
            if _SIDECAR_FOR in description.attributes:
                return description.attributes[_SIDECAR_FOR].lower()
            for one in description.named(_SIDECAR_FOR):
                return one.text.strip().lower()
        return None

    def lacking(self, tags: Iterable[str]) -> list[str]:
        """Return the tags to add.

        These are the tags that the sidecar does not have (ignoring case), and that were not added before and then
        removed by people.
        """
        known = {tag.casefold() for tag in (*self.tags, *self.added)}
        found: dict[str, str] = {}
        for tag in map(plain, tags):
            if tag.casefold() not in known:
                found.setdefault(tag.casefold(), tag)
        return list(found.values())

    def with_tags(self, tags: Iterable[str]) -> bytes:
        """Return the content with the lacking tags added; unchanged if no tag is lacking.

        Raises
        ------
        InputError
            If a tag has a character that XML does not allow.
        """
        new = self.lacking(tags)
        for tag in new:
            if found := _NOT_XML.search(tag):
                raise InputError(
                    f"the tag {tag!r} has the character U+{ord(found.group()):04X}, which XML does not allow; "
                    "rename the tag"
                )
        if not new:
            return self._encoded(self._xml)
        edits, properties = [], []
        if self._subjects:
            edits.append(self._more_items(self._subjects[0], new))
        else:
            properties.append(("dc:subject", new))
        if self._journals:
            edits.append(self._more_items(self._journals[0], new))
        else:
            properties.append(("vsenumba:added", new))
        if not self._subjects and not self._made:
            properties.append(("vsenumba:made", ["subject", "sidecar"] if self._is_new else ["subject"]))
        if properties:
            edits.append(self._new_description(properties))
        return self._encoded(_edited(self._xml, edits))

    def without_added(self) -> bytes | None:
        """Return the content without the added tags; None if vsenumba created the file and it has no other content.

        Later changes by people and other programs stay.
        """
        # Elements to remove, by the position of their first byte; elements that become empty are removed too.
        gone: dict[int, Element] = {}
        items: dict[str, list[Element]] = {}
        for one in self._subjects:
            for item in one.children:
                items.setdefault(plain(item.text), []).append(item)
        for tag in self.added:
            if items.get(tag):
                item = items[tag].pop()
                gone[item.start] = item
        gone |= {one.start: one for name in (ADDED, MADE) for one in self._properties(name)}
        if "subject" in self._made:
            for one in self._properties(SUBJECT):
                inner = self._list_in(one)
                if _is_empty(inner, gone) and _is_empty(one, {inner.start: inner}):
                    gone[one.start] = one
        for description in self._descriptions:
            if any(child.start in gone for child in description.children) and _is_empty(description, gone):
                gone[description.start] = description
        nothing = {child.start: child for child in self._rdf.children if _is_empty(child, gone)}
        if "sidecar" in self._made and _is_empty(self._rdf, gone | nothing):
            return None
        return self._encoded(_edited(self._xml, self._removals(gone)))

    def _properties(self, name: str) -> Iterator[Element]:
        return (one for description in self._descriptions for one in description.named(name))

    def _list_in(self, one: Element) -> Element:
        """Return the list in a property."""
        lists = [child for child in one.children if child.name in _LISTS]
        if len(lists) != 1 or len(one.children) != 1 or any(item.name != RDF + "li" for item in lists[0].children):
            name = {SUBJECT: "dc:subject", ADDED: "vsenumba:added", MADE: "vsenumba:made"}[one.name]
            raise FileFormatError(f"its {name} is not a list of tags")
        return lists[0]

    def _more_items(self, one: Element, tags: list[str]) -> _Edit:
        """Return the edit that appends items to a list."""
        before = self._space_before(one.children[-1].start) if one.children else b""
        name = one.prefix + b"li"
        items = b"".join(before + b"<" + name + b">" + _escaped(tag) + b"</" + name + b">" for tag in tags)
        return self._insertion(one, items)

    def _new_description(self, properties: list[tuple[str, list[str]]]) -> _Edit:
        """Return the edit that appends properties of the picture, in a new description."""
        abouts = {one.attributes.get(RDF + "about", one.attributes.get("about", "")) for one in self._descriptions}
        if len(abouts) > 1:
            raise FileFormatError("its descriptions have different rdf:about values")
        children = self._rdf.children
        before = self._space_before(children[-1].start) if children else b"\n  "
        # The file may use these prefixes for other namespaces, so declare them here.
        declared = "" if self._rdf.prefix == b"rdf:" else f' xmlns:rdf="{RDF}"'
        about = escape("".join(abouts), {'"': "&quot;", "\n": "&#10;", "\r": "&#13;", "\t": "&#9;"})
        lines = [f'<rdf:Description{declared} rdf:about="{about}" xmlns:dc="{SUBJECT.removesuffix("subject")}"']
        lines[0] += f' xmlns:vsenumba="{OURS}">'
        for name, items in properties:
            lines += [f" <{name}>", "  <rdf:Bag>"]
            lines += [f"   <rdf:li>{_escaped(item).decode()}</rdf:li>" for item in items]
            lines += ["  </rdf:Bag>", f" </{name}>"]
        lines.append("</rdf:Description>")
        # Without a line break before the last child, there is no indentation to copy.
        glue = before if b"\n" in before else b"\n"
        return self._insertion(self._rdf, before + glue.join(line.encode() for line in lines))

    def _insertion(self, parent: Element, text: bytes) -> _Edit:
        """Return the edit that inserts text after the last child of an element."""
        if parent.is_closed_at_once:
            tag = self._xml[parent.start : parent.end]
            name = tag[1:].split(maxsplit=1)[0].removesuffix(b"/>")
            return _Edit(parent.start, parent.end, tag[:-2].rstrip() + b">" + text + b"</" + name + b">")
        place = parent.children[-1].end if parent.children else parent.opened
        return _Edit(place, place, text)

    def _removals(self, gone: dict[int, Element]) -> list[_Edit]:
        """Return the edits that remove elements together with the white space before them."""
        edits, end = [], 0
        for _, one in sorted(gone.items()):
            if one.start >= end:  # not inside another removed element
                edits.append(_Edit(one.start - len(self._space_before(one.start)), one.end, b""))
                end = one.end
        return edits

    def _space_before(self, place: int) -> bytes:
        start = place
        while start and self._xml[start - 1] in _SPACE:
            start -= 1
        return self._xml[start:place]

    def _encoded(self, xml: bytes) -> bytes:
        return self._bom + (xml if self._encoding == "utf-8" else xml.decode().encode(self._encoding))


def _is_empty(one: Element, gone: dict[int, Element]) -> bool:
    """Return whether an element contains nothing, not even comments, except elements to remove."""
    if set(one.attributes) - {RDF + "about", "about"} or one.has_remarks or one.text.strip(" \t\r\n"):
        return False
    return all(child.start in gone for child in one.children)


def _edited(xml: bytes, edits: list[_Edit]) -> bytes:
    pieces, place = [], 0
    for edit in sorted(edits):
        pieces += [xml[place : edit.start], edit.text]
        place = edit.end
    return b"".join([*pieces, xml[place:]])


def _escaped(tag: str) -> bytes:
    # Parsers would convert a bare carriage return to a line feed.
    return escape(tag, {"\r": "&#13;"}).encode()


def _decoded(content: bytes) -> tuple[str, bytes, bytes]:
    """Return the encoding of a text, its byte order mark, and the rest in UTF-8."""
    encoding, bom = "utf-8", b""
    for mark, name in (
        (codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"),
    ):  # fmt: skip
        if content.startswith(mark):
            encoding, bom = name, mark
    try:
        text = content[len(bom) :].decode(encoding)
    except UnicodeDecodeError as error:
        raise FileFormatError(f"it is not valid {encoding.upper()}") from error
    said = _ENCODING.match(text)
    if said and said.group(1).lower() not in ("utf-8", "utf8", "utf-16", "utf-16le", "utf-16be"):
        raise FileFormatError(f"it is encoded in {said.group(1)}; save it in UTF-8")
    return encoding, bom, text.encode()


def _find_rdf(root: Element) -> Element:
    """Return the element that contains the descriptions."""
    found = [root] if root.name == RDF + "RDF" else list(root.named(RDF + "RDF")) if root.name in _WRAPPERS else []
    if len(found) != 1:
        raise FileFormatError("it is XML, but not XMP")
    return found[0]
