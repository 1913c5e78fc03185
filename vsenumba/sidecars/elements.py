"""The elements of an XML text with their byte positions, so that edits keep the rest of the text unchanged."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from vsenumba.errors import FileFormatError

# For XML that expat has accepted as well-formed; a '>' in quotes does not end the tag.
_TAG = re.compile(rb"""<(?:[^"'>]|"[^"]*"|'[^']*')*>""")
_NAME = re.compile(rb"<([^\s/>]+)")
_SEPARATOR = "\x1f"  # not allowed in names
# Each element needs half a kilobyte of memory.
MAX_ELEMENTS = 500_000
MAX_DEPTH = 500


@dataclass(slots=True)
class Element:
    """One element.

    Parameters
    ----------
    name : str
        The namespace followed by the local name, as in ``"http://purl.org/dc/elements/1.1/subject"``.
    attributes : dict from str to str
        The attributes, with names of the same form, without namespace declarations.
    start, opened, closing, end : int
        The byte positions where the start tag begins and ends, and where the end tag begins and ends. For an empty
        element ``<a/>``, the last three are equal.
    prefix : bytes
        The prefix of the name in the tags, with the colon.
    text : str
        The text directly in the element.
    children : list of Element
        The child elements.
    has_remarks : bool
        Whether the element directly contains comments or processing instructions.
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
        """Whether the element is a single tag ``<a/>``."""
        return self.opened == self.end

    def named(self, *names: str) -> Iterator[Element]:
        """Yield the children with these names."""
        return (child for child in self.children if child.name in names)


def read_elements(xml: bytes) -> Element:
    r"""Return the root element of an XML text in UTF-8.

    Raises
    ------
    FileFormatError
        If the text is not well-formed, has too many elements, or declares a document type. A document type could expand
        without limit or refer to other files.

    Examples
    --------
    >>> root = read_elements(b"<a><b>1 &lt; 2</b></a>")
    >>> root.children[0].text, root.children[0].start, root.children[0].end
    ('1 < 2', 3, 18)
    """
    # Ignore the encoding that the text declares, as the caller has already decoded it.
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
            raise FileFormatError(
                f"it has more than {MAX_ELEMENTS:,} elements, or more than {MAX_DEPTH:,} nested elements"
            )
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
        raise FileFormatError("it declares a document type, which is not allowed in XMP")

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
