"""Pictures for tests: small files of all formats, whole and broken, and small networks."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
from PIL import Image

# Four colours in the corners, so that every turn and every flip shows.
CORNERS = {"red": (255, 0, 0), "green": (0, 128, 0), "blue": (0, 0, 255), "yellow": (255, 255, 0)}


def cornered(width=40, height=24):
    """Return a picture with red, green, blue and yellow quarters, in reading order."""
    image = Image.new("RGB", (width, height))
    for i, colour in enumerate(CORNERS.values()):
        left, top = (i % 2) * width // 2, (i // 2) * height // 2
        image.paste(colour, (left, top, left + width // 2, top + height // 2))
    return image


def encoded(image, format_, **settings):
    """Return the bytes of a file."""
    stream = io.BytesIO()
    image.save(stream, format_, **settings)
    return stream.getvalue()


def turned(orientation):
    """Return how `cornered` is stored by a camera that was held so."""
    stored = {
        1: None,
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }[orientation]
    return cornered() if stored is None else cornered().transpose(stored)


def exif(orientation):
    """Return the metadata that say so."""
    found = Image.Exif()
    found[0x0112] = orientation
    return found


def png(width, height, *, depth=8, colour=2, rows=b"", more=b""):
    """Return a PNG file of any header, with any rows."""

    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    )


def huge():
    """Return, by name, small files whose headers claim more pixels than are decoded."""
    jpeg = bytearray(encoded(cornered(), "JPEG"))
    at = jpeg.index(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 65_000, 65_000)
    gif = bytearray(encoded(cornered(), "GIF"))
    gif[6:10] = struct.pack("<HH", 65_000, 65_000)
    bmp = bytearray(encoded(cornered(), "BMP"))
    bmp[18:26] = struct.pack("<ii", 2_000_000, 2_000_000)
    tiff = bytearray(encoded(cornered(), "TIFF"))
    begin = struct.unpack("<I", tiff[4:8])[0]
    for i in range(struct.unpack("<H", tiff[begin : begin + 2])[0]):
        entry = begin + 2 + 12 * i
        if struct.unpack("<H", tiff[entry : entry + 2])[0] in (256, 257):
            tiff[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, 60_000)
    webp = b"RIFF\x20\x00\x00\x00WEBPVP8X\x0a\x00\x00\x00" + bytes(4) + b"\xff\xff\xff" * 2 + bytes(8)
    lossless = b"RIFF\x20\x00\x00\x00WEBPVP8L\x0a\x00\x00\x00\x2f" + struct.pack("<I", 0x0FFFFFFF) + bytes(12)
    lossy = b"RIFF\x20\x00\x00\x00WEBPVP8 \x0a\x00\x00\x00\x00\x00\x00\x9d\x01\x2a\xff\x3f\xff\x3f" + bytes(8)
    return {
        "huge.png": png(100_000, 100_000),
        "huge.jpg": bytes(jpeg),
        "huge.gif": bytes(gif),
        "huge.bmp": bytes(bmp),
        "huge.tif": bytes(tiff),
        "huge.webp": webp,
        "lossless.webp": lossless,
        "lossy.webp": lossy,
    }


def noisy(side=64):
    """Return a picture that no format makes small."""
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (side, side, 3), dtype=np.uint8))


def broken():
    """Return, by name, files that are no pictures, cut off, or damaged."""
    whole = {
        "jpg": encoded(noisy(), "JPEG"),
        "png": encoded(noisy(), "PNG"),
        "gif": encoded(noisy(), "GIF"),
        "bmp": encoded(noisy(), "BMP"),
        "tif": encoded(noisy(), "TIFF"),
        "webp": encoded(noisy(), "WEBP", lossless=True),
    }
    files = {f"cut.{ending}": content[: len(content) // 2] for ending, content in whole.items()}
    files |= {f"head.{ending}": content[:30] for ending, content in whole.items()}
    checksum = bytearray(whole["png"])
    checksum[len(checksum) // 2] ^= 0xFF
    return files | {
        "empty.jpg": b"",
        "page.jpg": b"<!DOCTYPE html><html><body>404</body></html>",
        "drawing.png": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
        "heic.jpg": b"\x00\x00\x00\x18ftypheic" + bytes(40),
        "text.png": b"not a picture at all, but a text",
        "zeros.jpg": bytes(1000),
        "flipped.png": bytes(checksum),
        "flat.png": png(0, 5),
        "rows.png": png(50, 50, rows=b"\0" * 100),
        "magic.jpg": b"\xff\xd8\xff",
        "magic.gif": b"GIF89a",
    }
