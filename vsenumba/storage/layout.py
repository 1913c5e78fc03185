"""Checks of a file's layout before any content is read, so that a small file cannot cause large allocations.

An untrusted HDF5 file can link to other files, claim arrays that it does not contain, unpack to many times its size, or
show one object under many names. The objects' headers are enough to detect all of this.
"""

from __future__ import annotations

import math
from typing import Any

from vsenumba.errors import FileFormatError

# Nesting depth of groups; vsenumba writes three levels.
MAX_DEPTH = 32


def check_layout(file: Any, n_bytes: int) -> None:
    """Refuse a file unless all its content is inside the file, each byte once.

    Parameters
    ----------
    file : h5py.File
        The open file.
    n_bytes : int
        Its size.

    Raises
    ------
    FileFormatError
        For a link out of the file or to a parent group, an object under two names, a dataset that is stored elsewhere,
        compressed or never written, groups that are nested too deeply, or more content than the file has bytes.
    """
    import h5py

    seen = {h5py.h5o.get_info(file.id).addr}
    room = n_bytes
    pending = [(file, "", 0)]
    while pending:
        group, prefix, depth = pending.pop()
        for name in group:
            where = f"{prefix}/{name}".lstrip("/")
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise FileFormatError(f"{where} is a link, which is not allowed")
            node = group[name]
            address = h5py.h5o.get_info(node.id).addr
            if address in seen:
                raise FileFormatError(f"{where} is a second name of another object")
            seen.add(address)
            if isinstance(node, h5py.Dataset):
                room -= _checked_size(node, where, n_bytes)
            elif not isinstance(node, h5py.Group):
                raise FileFormatError(f"{where} is neither a dataset nor a group")
            elif depth == MAX_DEPTH:
                raise FileFormatError(f"{where} is nested more than {MAX_DEPTH} groups deep")
            else:
                pending.append((node, where, depth + 1))
            if room < 0:
                raise FileFormatError(f"its arrays are larger than the file ({n_bytes:,} bytes)")


def _checked_size(node: Any, where: str, n_bytes: int) -> int:
    """Return the size of a dataset in bytes, after checking that the file contains it uncompressed."""
    from h5py import h5d, h5s, h5t

    creation = node.id.get_create_plist()
    layout = creation.get_layout()
    if layout == h5d.VIRTUAL or creation.get_external_count():
        raise FileFormatError(f"{where} is stored in another file, which is not allowed")
    if layout not in (h5d.CONTIGUOUS, h5d.COMPACT):
        raise FileFormatError(f"{where} is stored in chunks; datasets must be contiguous")
    kind = node.id.get_type()
    plain = kind.get_class() in (h5t.INTEGER, h5t.FLOAT, h5t.ENUM, h5t.STRING)
    if not plain or (kind.get_class() == h5t.STRING and kind.is_variable_str()):
        raise FileFormatError(f"{where} does not contain numbers, booleans or text of fixed length")
    space = node.id.get_space()
    if space.get_simple_extent_type() == h5s.NULL:
        raise FileFormatError(f"{where} has no shape")
    size = math.prod(space.get_simple_extent_dims()) * int(kind.get_size())
    stored = int(node.id.get_storage_size())
    offset = node.id.get_offset() or 0
    if size != stored or offset + size > n_bytes:
        raise FileFormatError(f"{where} claims {size:,} bytes, which the file does not contain")
    return size
