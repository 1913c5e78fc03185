"""How a file is laid out: what is refused before any content is read, so that a small file cannot ask for much.

A stranger's HDF5 file can point to other files, claim arrays that it does not hold, unpack to many times its size, or
show one object under many names. All of it is seen from the objects' headers alone.
"""

from __future__ import annotations

import math
from typing import Any

from vsenumba.errors import FileFormatError

# Groups in groups; what vsenumba writes has three.
MAX_DEPTH = 32


def check_layout(file: Any, n_bytes: int) -> None:
    """Refuse a file whose content does not lie in itself, each byte of it once.

    Parameters
    ----------
    file : h5py.File
        The open file.
    n_bytes : int
        Its size.

    Raises
    ------
    FileFormatError
        For a link out of the file or to a group above, an object under two names, a dataset that lies elsewhere, is
        packed, or was never written, groups too deep, or more content than the file has bytes.
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
                raise FileFormatError(f"{where} is a link to somewhere else, which is not followed")
            node = group[name]
            address = h5py.h5o.get_info(node.id).addr
            if address in seen:
                raise FileFormatError(f"{where} is another name of something that the file holds already")
            seen.add(address)
            if isinstance(node, h5py.Dataset):
                room -= _checked_size(node, where, n_bytes)
            elif not isinstance(node, h5py.Group):
                raise FileFormatError(f"{where} is neither a dataset nor a group")
            elif depth == MAX_DEPTH:
                raise FileFormatError(f"{where} lies more than {MAX_DEPTH} groups deep")
            else:
                pending.append((node, where, depth + 1))
            if room < 0:
                raise FileFormatError(f"its arrays add up to more than the {n_bytes:,} bytes of the file")


def _checked_size(node: Any, where: str, n_bytes: int) -> int:
    """Return the bytes of a dataset, having made sure that the file holds them, as they are."""
    from h5py import h5d, h5s, h5t

    creation = node.id.get_create_plist()
    layout = creation.get_layout()
    if layout == h5d.VIRTUAL or creation.get_external_count():
        raise FileFormatError(f"{where} lies in another file, which is not followed")
    if layout not in (h5d.CONTIGUOUS, h5d.COMPACT):
        raise FileFormatError(f"{where} is stored in chunks; datasets must be contiguous")
    kind = node.id.get_type()
    plain = kind.get_class() in (h5t.INTEGER, h5t.FLOAT, h5t.ENUM, h5t.STRING)
    if not plain or (kind.get_class() == h5t.STRING and kind.is_variable_str()):
        raise FileFormatError(f"{where} holds neither numbers, booleans nor text of a fixed length")
    space = node.id.get_space()
    if space.get_simple_extent_type() == h5s.NULL:
        raise FileFormatError(f"{where} has no shape")
    size = math.prod(space.get_simple_extent_dims()) * int(kind.get_size())
    stored = int(node.id.get_storage_size())
    offset = node.id.get_offset() or 0
    if size != stored or offset + size > n_bytes:
        raise FileFormatError(f"{where} is an array of {size:,} bytes, which the file does not hold")
    return size
