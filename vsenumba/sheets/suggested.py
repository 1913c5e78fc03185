"""What is shown of a picture: its name, the tags it has, and those that a model suggests."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from vsenumba.data.matches import Match


class Suggested(NamedTuple):
    """A picture with suggestions.

    Parameters
    ----------
    picture : Path
        The file.
    image : str
        Its name, as people know it: its path in a folder.
    known : list of str
        The tags that it has.
    suggestions : list of Match
        The tags that a model suggests, with their scores, best first.
    """

    picture: Path
    image: str
    known: list[str]
    suggestions: list[Match]
