"""The Content-Security-Policy of an HTML page, which allows its own scripts and styles by their digests."""

from __future__ import annotations

import base64
import hashlib


def policy_digest(script_or_style: str) -> str:
    """Return the source of a Content-Security-Policy that allows one script or style, by its digest.

    Examples
    --------
    >>> policy_digest("")
    "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
    """
    return f"'sha256-{base64.b64encode(hashlib.sha256(script_or_style.encode()).digest()).decode()}'"
