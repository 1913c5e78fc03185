"""The elements of an XML text with the places of their bytes, so that a text can be edited and the rest kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from vsenumba.errors import FileFormatError

# Of well-formed XML, which expat has seen to: quotes hide what would end the tag.
_TAG = re.compile(rb"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")
_NAME = re.compile(rb"<([^\s/>]+)")
_SEPARATOR = "\x1f"  # which no name can hold
# Each takes half a kilobyte, whatever it takes in the file.
MAX_ELEMENTS = 500_000
MAX_DEPTH = 500


@dataclass(slots=True)
class Element:
    """One element.

    Parameters
    ----------
    name : str
        Its namespace and its local name, one after the other, as in ``"http://purl.org/dc/elements/1.1/subject"``.
    attributes : dict from str to str
        Likewise; declarations of namespaces are not among them.
    start, opened, closing, end : int
        Where in the bytes its first tag begins and ends, and where its last tag begins and ends. Of an element without
        a last tag, ``<a/>``, the last three are the same.
    prefix : bytes
        What stands before the name in its tags, with the colon.
    text : str
        The text directly in it.
    children : list of Element
        The elements directly in it.
    has_remarks : bool
        Whether comments, or instructions to programs, stand directly in it.
    """

    name: str
    attributes: dict[str, str]
    start: int
    opened: int
    closing: int = 0
    end: int = 0
    prefix: bytes = b""
    text: str = ""
    children: list[Element] = field(default_factory=list)
    has_remarks: bool = False

    @property
    def is_closed_at_once(self) -> bool:
        """Whether its only tag is ``<a/>``."""
        return self.opened == self.end

    def named(self, *names: str) -> Iterator[Element]:
        """Yield the children of these names."""
        return (child for child in self.children if child.name in names)


def read_elements(xml: bytes) -> Element:
    r"""Return the root of an XML text in UTF-8.

    Raises
    ------
    FileFormatError
        If it is not well formed, has too many elements, or declares a document type, through which a file may grow
        beyond bounds or reach for other files.

    Examples
    --------
    >>> root = read_elements(b"<a><b>1 &lt; 2</b></a>")
    >>> root.children[0].text, root.children[0].start, root.children[0].end
    ('1 < 2', 3, 18)
    """
    # What the text says of its own encoding no longer holds: it was decoded by who read it.
    parser = expat.ParserCreate("utf-8", _SEPARATOR)
    parser.buffer_text = True
    document = Element("", {}, 0, 0)
    open_elements = [document]
    texts: list[list[str]] = [[]]
    n_elements = 0

    def begin(name: str, attributes: dict[str, str]) -> None:
        nonlocal n_elements
        n_elements += 1
        if n_elements > MAX_ELEMENTS or len(open_elements) > MAX_DEPTH:
            raise FileFormatError(f"it has more than {MAX_ELEMENTS:,} elements, or {MAX_DEPTH:,} within each other")
        start = parser.CurrentByteIndex
        tag = _TAG.match(xml, start)
        raw = _NAME.match(xml, start)
        assert tag is not None  # noqa: S101 - expat has seen it
        assert raw is not None  # noqa: S101 - likewise
        before, colon, _ = raw.group(1).rpartition(b":")
        named = {key.replace(_SEPARATOR, ""): value for key, value in attributes.items()}
        element = Element(name.replace(_SEPARATOR, ""), named, start, tag.end(), prefix=before + colon)
        open_elements[-1].children.append(element)
        open_elements.append(element)
        texts.append([])

    def finish(name: str) -> None:
        element = open_elements.pop()
        element.text = "".join(texts.pop())
        if xml[element.opened - 2 : element.opened] == b"/>":
            element.closing = element.end = element.opened
        else:
            element.closing = parser.CurrentByteIndex
            element.end = xml.index(b">", element.closing) + 1

    def add_text(text: str) -> None:
        texts[-1].append(text)

    def remark(*content: str) -> None:
        open_elements[-1].has_remarks = True

    def refuse_document_type(*declaration: object) -> None:
        raise FileFormatError("it declares a document type, which no XMP does and which is not safe to follow")

    parser.StartElementHandler = begin
    parser.EndElementHandler = finish
    parser.CharacterDataHandler = add_text
    parser.CommentHandler = remark
    parser.ProcessingInstructionHandler = remark
    parser.StartDoctypeDeclHandler = refuse_document_type
    try:
        parser.Parse(xml, True)
    except expat.ExpatError as error:
        raise FileFormatError(
            f"it is not well-formed XML: {expat.errors.messages[error.code]} in line {error.lineno}"
        ) from error
    return document.children[0]
