"""The entry of a picture on a sheet: its name, its known tags and the suggested tags."""

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
        The id of the picture: its path within the folder.
    known : list of str
        The known tags.
    suggestions : list of Match
        The suggested tags with their scores, best first.
    """

    picture: Path
    image: str
    known: list[str]
    suggestions: list[Match]
