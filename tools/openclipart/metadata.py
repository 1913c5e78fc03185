"""What an Openclipart SVG says about itself, and how its keywords are cleaned."""

from __future__ import annotations

import html
import re
import string
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

PUBLIC_DOMAIN = frozenset(
    {
        "http://web.resource.org/cc/PublicDomain",
        "http://creativecommons.org/licenses/publicdomain/",
    }
)

# Perl's name for an unnamed table, printed into the file by the library's own upload script where a keyword
# should have stood: sometimes with its address in memory, sometimes without.
MACHINE_RESIDUE = re.compile(r"hash(\(0x[0-9a-f]+\))?")

# Where the picture is kept and what it is kept as: true of every picture here, or a note of the librarians.
ABOUT_THE_LIBRARY = frozenset({"clip art", "clipart", "openclipart", "svg", "unsorted"})


@dataclass(frozen=True)
class Picture:
    """One SVG file's own words, as they stand in it; what is missing is empty."""

    path: Path
    title: str
    keywords: tuple[str, ...]
    creator: str
    licence: str


def read_picture(path: Path) -> Picture:
    """Read the RDF block of an SVG file; a file that is no XML gives nothing but its path."""
    try:
        root = ElementTree.parse(path).getroot()
    except ElementTree.ParseError:
        return Picture(path, "", (), "", "")
    work = next((element for element in root.iter() if _local(element) == "Work"), None)
    if work is None:
        return Picture(path, "", (), "", "")
    fields = {_local(element): element for element in reversed(work)}
    licence = fields.get("license")
    return Picture(
        path,
        _text(fields.get("title")),
        tuple(_text(li) for li in _descendants(fields.get("subject"), "li")),
        " ".join(_text(title) for title in _descendants(fields.get("creator"), "title")),
        "" if licence is None else next((v for k, v in licence.items() if k.endswith("resource")), ""),
    )


def clean_text(text: str) -> str:
    r"""Return text in Unicode NFC with entities resolved, control characters gone and single blanks.

    Examples
    --------
    >>> clean_text("  Caf&amp;eacute;\n au lait ")
    'Café au lait'
    """
    # Twice: the upload script escaped what was escaped already.
    text = unicodedata.normalize("NFC", html.unescape(html.unescape(text)))
    return " ".join("".join(c if unicodedata.category(c)[0] != "C" else " " for c in text).split())


def clean_keywords(keywords: tuple[str, ...], creator: str = "") -> list[str]:
    """Return the labels in a picture's keywords, sorted, each once.

    A keyword is resolved as by `clean_text`, put in lower case, split at commas and semicolons, and stripped
    of punctuation at both ends. Dropped are machine residue (``hash``, ``hash(0x8a07724)``), the words of
    `ABOUT_THE_LIBRARY`, and the picture's own creator's name. Nothing else is changed: spelling mistakes,
    plurals beside their singulars and underscores stay as the people wrote them.

    Parameters
    ----------
    keywords : tuple of str
        As they stand in the file.
    creator : str
        The creator's name, as it stands in the file.

    Examples
    --------
    >>> clean_keywords(("Rome,Italy", " moon  space", "HASH(0x8a07724)", "(c)", "Ann Lee"), creator="Ann Lee")
    ['c', 'italy', 'moon space', 'rome']
    """
    name = clean_text(creator).lower()
    labels = set()
    for keyword in keywords:
        # NFC once more: lower case can take a composed letter apart.
        for part in re.split("[,;]", unicodedata.normalize("NFC", clean_text(keyword).lower())):
            part = part.strip()
            if not MACHINE_RESIDUE.fullmatch(part):
                labels.add(part.strip(string.punctuation + string.whitespace))
    return sorted(labels - ABOUT_THE_LIBRARY - {name, ""})


def _local(element: ElementTree.Element) -> str:
    """Return the tag without its namespace, which differs with the program that wrote the file."""
    return str(element.tag).rpartition("}")[2]


def _text(element: ElementTree.Element | None) -> str:
    return "" if element is None else "".join(element.itertext()).strip()


def _descendants(element: ElementTree.Element | None, name: str) -> list[ElementTree.Element]:
    return [] if element is None else [one for one in element.iter() if _local(one) == name]
