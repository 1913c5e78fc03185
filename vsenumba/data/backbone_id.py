"""The backbone that computed features: its name and digest."""

from __future__ import annotations

from typing import Any, NamedTuple

from vsenumba.data.names import as_name
from vsenumba.errors import InputError
from vsenumba.storage import schema


class BackboneId(NamedTuple):
    """A backbone's name, and a digest of the file and settings that determine its output.

    You cannot compare features of two backbones, even if they have the same width. A model stores the backbone of the
    features it was trained on, and rejects features of another backbone.

    Attributes
    ----------
    name : str
        A readable name, such as ``"descriptors"`` or ``"efficientnet-lite0.onnx"``.
    digest : str
        Text that is the same only for identical backbones. Empty if unknown.
    """

    name: str
    digest: str = ""


#: The schema of a backbone in files.
BACKBONE = schema.Object({"name": schema.Text(), "digest": schema.Text()})


def as_backbone_id(value: Any) -> BackboneId:
    """Return a `BackboneId` made from a pair of strings or from a name alone.

    Raises
    ------
    InputError
        If `value` is neither, or the name is empty.

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
    """Raise an error if two backbones differ. An unknown backbone (None) matches any other.

    Raises
    ------
    InputError
        If the names or the digests differ.
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
