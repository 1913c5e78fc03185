"""Catalogue entries: where a data set is, its licence, and how to read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class RemoteFile(NamedTuple):
    """A file that can be downloaded.

    Attributes
    ----------
    address : str
        Its URL.
    n_bytes : int or None
        Its size in bytes, or None if unknown.
    checksum : str or None
        Its SHA-256, or another digest prefixed with its name, such as ``"md5:..."``. None if none is published.
    """

    address: str
    n_bytes: int | None = None
    checksum: str | None = None

    @property
    def name(self) -> str:
        """The file name, which is the last part of the address."""
        return self.address.rpartition("/")[2]


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """An entry of the catalogue.

    Attributes
    ----------
    name : str
        The name to pass to `load_dataset`.
    description : str
        A one-line description.
    licence : str
        The terms of use.
    source : str
        The origin of the data.
    shipped : str
        The file in ``vsenumba/data/shipped/`` that contains the set. Empty for sets that are downloaded.
    files : tuple of RemoteFile
        The files to download. Empty for sets that you must download yourself from `source`.
    paths : mapping from str to str
        The file or folder to read for each part, among the files and the contents of their archives. The key is ``""``
        if there is only one part, or if the reader finds the parts itself.
    members : str
        The prefix of the archive members to unpack.
    reader : str
        The ``NAME`` of the reader. Empty if the content determines the reader.
    citation : str
        The publication to cite.
    holds : str
        ``"labels"``, or ``"captions"``, which you read with `load_caption_set` and a features file.
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
        """The number of bytes to download, or None if unknown."""
        sizes = [file.n_bytes for file in self.files]
        return None if not sizes or None in sizes else sum(size for size in sizes if size is not None)
