"""What features were computed with: the name of a backbone and a digest of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from vsenumba.data.names import as_name
from vsenumba.errors import InputError
from vsenumba.storage import schema


class BackboneId(NamedTuple):
    """A backbone's name, and a digest of what decides its numbers.

    Features of two backbones cannot be compared, however equal their widths. A model keeps the backbone of the features
    it was trained on, and refuses those of another.

    Attributes
    ----------
    name : str
        For people, such as ``"descriptors"`` or ``"efficientnet-lite0.onnx"``.
    digest : str
        Text that is equal for equal backbones only; empty where it is not known.
    """

    name: str
    digest: str = ""


#: How it stands in files.
BACKBONE = schema.Object({"name": schema.Text(), "digest": schema.Text()})


def as_backbone_id(value: Any) -> BackboneId:
    """Return a backbone's identity, of a pair of texts or of a name alone.

    Raises
    ------
    InputError
        If it is neither.

    Examples
    --------
    >>> as_backbone_id("clip-vit-b32")
    BackboneId(name='clip-vit-b32', digest='')
    """
    pair = (value, "") if isinstance(value, str) else value
    if not isinstance(pair, tuple) or len(pair) != 2 or not all(isinstance(text, str) for text in pair):
        raise InputError(f"backbone must be a name, or a BackboneId of a name and a digest, not {value!r:.80}")
    if not pair[0].strip():
        raise InputError("the name of the backbone is empty; give its usual name")
    return BackboneId(as_name(pair[0], "the backbone"), pair[1])


def check_same_backbone(found: BackboneId | None, expected: BackboneId | None) -> None:
    """Refuse features of another backbone; where either is not known, there is nothing to compare.

    Raises
    ------
    InputError
        If names or digests differ.
    """
    if found is None or expected is None:
        return
    if found.name == expected.name and found.digest != expected.digest and found.digest and expected.digest:
        raise InputError(
            f"the features were computed with another version of {found.name!r} than the model's (digest "
            f"{found.digest:.12}, expected {expected.digest:.12}); compute them with the same file and settings"
        )
    if found.name != expected.name and (found.digest != expected.digest or not found.digest):
        raise InputError(
            f"the features were computed with the backbone {found.name!r}, but the model was trained with "
            f"{expected.name!r}; compute them with {expected.name!r}"
        )
