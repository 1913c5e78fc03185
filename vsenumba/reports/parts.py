"""What the sections of a report are made of, beside tables and charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from vsenumba.reports.table import Table


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Bullets:
    """A list of sentences."""

    sentences: Sequence[str]
    kind: ClassVar[str] = "bullets"


@dataclass(frozen=True)
class Facts:
    """Names with their values; `big` for the numbers that a reader looks for first."""

    facts: Sequence[tuple[str, str]]
    big: bool = False
    kind: ClassVar[str] = "facts"


@dataclass(frozen=True)
class Code:
    """A text to be copied as it is, such as a command."""

    key: str
    caption: str
    text: str
    kind: ClassVar[str] = "code"


@dataclass(frozen=True)
class Card:
    """An image with its labels and the suggestions for it.

    Attributes
    ----------
    image, title : str
        Its id, and a line about it, which may be empty.
    picture : str
        A thumbnail as a data address; empty where there is none.
    known : list of str
        The labels that the model knew.
    hidden : list of str
        The labels that the model had not seen.
    suggestions : list of (str, str, bool)
        Labels with their scores as text, best first, and whether each is one of the hidden ones.
    """

    image: str
    title: str
    picture: str
    known: list[str]
    hidden: list[str]
    suggestions: list[tuple[str, str, bool]]


@dataclass(frozen=True)
class Cards:
    """Images with suggestions."""

    cards: Sequence[Card]
    kind: ClassVar[str] = "cards"


@dataclass(frozen=True)
class Pair:
    """Two tables, side by side where there is room."""

    tables: Sequence[Table]
    kind: ClassVar[str] = "pair"


@dataclass(frozen=True)
class Folded:
    """Other parts, of which only the title is seen until it is opened."""

    title: str
    items: Sequence[Any]
    kind: ClassVar[str] = "folded"


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading; `items` are tables, charts and the classes above."""

    key: str
    title: str
    items: Sequence[Any] = field(default_factory=list)
