"""What the catalogue says of a data set: where it is, under which terms, and how it is read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class RemoteFile(NamedTuple):
    """A file that can be fetched.

    Attributes
    ----------
    address : str
        Where it is.
    n_bytes : int or None
        How large it is, where that is known.
    checksum : str or None
        Its SHA-256, or another digest with its name before it, as ``"md5:..."``; None where none is published.
    """

    address: str
    n_bytes: int | None = None
    checksum: str | None = None

    @property
    def name(self) -> str:
        """Its name, the last part of the address."""
        return self.address.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """An entry of the catalogue.

    Attributes
    ----------
    name : str
        What `load_dataset` knows it by.
    description : str
        One line for people.
    licence : str
        The terms it may be used under.
    source : str
        Where it comes from.
    shipped : str
        The file of ``vsenumba/data/shipped/`` that holds it; empty for sets that are fetched.
    files : tuple of RemoteFile
        What is fetched; empty for sets that you must download yourself from `source`.
    paths : mapping from str to str
        For each part the file or folder that is read, among the files and what is in their archives; the part ``""``
        where there is one only, or the reader knows the parts.
    members : str
        What the names of those members of archives that are needed begin with.
    reader : str
        The ``NAME`` of the reader; empty where the content says it.
    citation : str
        What to cite.
    holds : str
        ``"labels"``, or ``"captions"``, which `load_caption_set` reads, with features.
    """

    name: str
    description: str
    licence: str
    source: str
    shipped: str = ""
    files: tuple[RemoteFile, ...] = ()
    paths: Mapping[str, str] = field(default_factory=lambda: {"": ""})
    members: str = ""
    reader: str = ""
    citation: str = ""
    holds: str = "labels"

    @property
    def n_bytes(self) -> int | None:
        """How many bytes are fetched; None where that is not known."""
        sizes = [file.n_bytes for file in self.files]
        return None if not sizes or None in sizes else sum(size for size in sizes if size is not None)
