"""Pictures are decoded as people see them, within bounds, and what is broken is named."""

from __future__ import annotations

import os
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from sample_pictures import CORNERS, broken, cornered, encoded, exif, huge, noisy, png, turned

from vsenumba.errors import FileFormatError, InputError, VsenumbaError
from vsenumba.pictures import MAX_PIXELS, decode, open_picture, thumbnail


@pytest.fixture
def written(tmp_path):
    def written(content, name="picture"):
        path = tmp_path / name
        path.write_bytes(content)
        return path

    return written


def corners(picture):
    """Return the colours in the middle of the quarters."""
    picture = np.asarray(picture)
    height, width = picture.shape[:2]
    return [picture[y, x] for y in (height // 4, height * 3 // 4) for x in (width // 4, width * 3 // 4)]


@pytest.mark.parametrize(
    ("format_", "settings", "tolerance"),
    [
        ("PNG", {}, 0),
        ("BMP", {}, 0),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {}, 12),
        ("JPEG", {"quality": 95, "subsampling": 0}, 6),
        ("JPEG", {"progressive": True, "quality": 95, "subsampling": 0}, 6),
        ("GIF", {}, 0),
    ],
)
def test_every_format_whatever_its_name(written, format_, settings, tolerance):
    picture = open_picture(written(encoded(cornered(), format_, **settings)))
    assert (picture.mode, picture.size) == ("RGB", (40, 24))
    for found, colour in zip(corners(picture), CORNERS.values(), strict=True):
        assert np.abs(found.astype(int) - colour).max() <= tolerance


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "TIFF", "TIFF by LZW"])
def test_pictures_stand_upright(written, format_, orientation):
    settings = {"compression": "tiff_lzw"} if "LZW" in format_ else {}
    path = written(encoded(turned(orientation), format_.split()[0], exif=exif(orientation), **settings))
    picture = open_picture(path)
    assert picture.size == (40, 24)
    for found, colour in zip(corners(picture), CORNERS.values(), strict=True):
        assert np.abs(found.astype(int) - colour).max() <= 40
    # Also where they are brought to a size.
    for how in ("pad", "crop", "squash"):
        small = decode.fitted(path, 20, 20, how)
        if how == "pad":  # 20 x 12 in the middle of white
            assert (small[:4] == 255).all()
            assert (small[-4:] == 255).all()
            small = small[4:-4]
        for found, colour in zip(corners(small), CORNERS.values(), strict=True):
            assert np.abs(found.astype(int) - colour).max() <= 60


def test_damaged_metadata_do_not_matter(written):
    content = encoded(cornered(), "JPEG", exif=exif(6), quality=95)
    at = content.index(b"Exif\0\0") + 6
    for damage in (b"XX*\0\x08\0\0\0", b"MM\0*\xff\xff\xff\xff", bytes(8)):
        assert open_picture(written(content[:at] + damage + content[at + 8 :])).size == (40, 24)
    assert open_picture(written(encoded(cornered(), "JPEG", exif=exif(77)))).size == (40, 24)


def test_the_transparent_becomes_white(written):
    half = Image.new("RGBA", (8, 8), (255, 0, 0, 128))
    half.paste((0, 0, 255, 0), (0, 0, 4, 8))
    for format_, settings in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True}), ("TIFF", {})):
        picture = open_picture(written(encoded(half, format_, **settings)))
        assert picture.getpixel((1, 1)) == (255, 255, 255)
        assert picture.getpixel((6, 1)) == (255, 127, 127)
    grey = Image.merge("LA", [Image.new("L", (8, 8), 0), Image.new("L", (8, 8), 51)])
    assert open_picture(written(encoded(grey, "PNG"))).getpixel((1, 1)) == (204, 204, 204)


def test_one_colour_may_be_the_transparent_one(written):
    palette = cornered().quantize(4)
    red = palette.getpixel((0, 0))
    for format_ in ("PNG", "GIF"):
        picture = open_picture(written(encoded(palette, format_, transparency=red)))
        assert corners(picture)[0].tolist() == [255, 255, 255]
        assert corners(picture)[1].tolist() == [0, 128, 0]
    for mode, value in (("RGB", (255, 0, 0)), ("L", 76)):
        picture = open_picture(written(encoded(cornered().convert(mode), "PNG", transparency=value)))
        assert corners(picture)[0].tolist() == [255, 255, 255]
        assert corners(picture)[2].tolist() != [255, 255, 255]
    # Each colour of a palette with a degree of its own.
    degrees = bytes(0 if i == red else 255 for i in range(4))
    picture = open_picture(written(encoded(palette, "PNG", transparency=degrees)))
    assert corners(picture)[0].tolist() == [255, 255, 255]


def test_palettes_bits_and_grey(written):
    palette = cornered().quantize(4)
    for format_ in ("PNG", "GIF", "TIFF", "BMP"):
        found = [tuple(one.tolist()) for one in corners(open_picture(written(encoded(palette, format_))))]
        assert found == list(CORNERS.values())
    bits = Image.new("1", (8, 8), 0)
    bits.paste(1, (4, 0, 8, 8))
    for format_ in ("PNG", "TIFF", "BMP"):
        picture = open_picture(written(encoded(bits, format_)))
        assert (picture.getpixel((1, 1)), picture.getpixel((6, 1))) == ((0, 0, 0), (255, 255, 255))
    assert open_picture(written(encoded(Image.new("L", (4, 4), 77), "PNG"))).getpixel((0, 0)) == (77, 77, 77)


def test_sixteen_bits_become_eight(written):
    values = np.array([[0, 255, 256, 32768, 65535]], np.uint16)
    grey = Image.fromarray(values)
    for format_ in ("PNG", "TIFF"):
        picture = open_picture(written(encoded(grey, format_)))
        assert np.asarray(picture)[0, :, 0].tolist() == [0, 0, 1, 128, 255]
    rows = b"".join(b"\0" + struct.pack(">6H", 0x8000, 0, 0xFFFF, 0x1234, 0xFF00, 0x00FF) for _ in range(2))
    picture = open_picture(written(png(2, 2, depth=16, rows=rows)))
    assert np.asarray(picture)[0].tolist() == [[128, 0, 255], [0x12, 255, 0]]


def test_whole_numbers_of_32_bits_and_fractions_are_stretched(written):
    wide = Image.fromarray(np.array([[-1000, 0, 3000]], np.int32))
    assert np.asarray(open_picture(written(encoded(wide, "TIFF"))))[0, :, 0].tolist() == [0, 64, 255]
    shares = Image.fromarray(np.array([[0, 0.5, 1]], np.float32))
    assert np.asarray(open_picture(written(encoded(shares, "TIFF"))))[0, :, 0].tolist() == [0, 128, 255]
    large = Image.fromarray(np.array([[0, 50, 200]], np.float32))
    assert np.asarray(open_picture(written(encoded(large, "TIFF"))))[0, :, 0].tolist() == [0, 64, 255]
    flat = Image.fromarray(np.full((2, 2), 9, np.int32))
    assert np.asarray(open_picture(written(encoded(flat, "TIFF")))).max() == 0
    bad = Image.fromarray(np.array([[np.nan, 1]], np.float32))
    with pytest.raises(FileFormatError, match="NaN"):
        open_picture(written(encoded(bad, "TIFF")))


def test_inks_become_light(written):
    inks = Image.new("CMYK", (32, 32), (0, 255, 255, 0))  # red
    for format_, tolerance in (("JPEG", 12), ("TIFF", 0)):
        found = np.asarray(open_picture(written(encoded(inks, format_))))[16, 16].astype(int)
        assert np.abs(found - (255, 0, 0)).max() <= tolerance
    assert np.asarray(open_picture(written(encoded(Image.new("CMYK", (8, 8), (0, 0, 0, 255)), "TIFF")))).max() == 0


def test_the_first_picture_of_several(written):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for format_ in ("GIF", "WEBP", "TIFF", "PNG"):
        settings = {"lossless": True} if format_ == "WEBP" else {}
        content = encoded(frames[0], format_, save_all=True, append_images=frames[1:], **settings)
        assert open_picture(written(content)).getpixel((4, 4)) == (255, 0, 0)


@pytest.mark.parametrize("name", broken())
def test_what_is_broken_is_named(written, name):
    path = written(broken()[name], name)
    for use in (open_picture, lambda path: thumbnail(path, 16)):
        with pytest.raises(FileFormatError, match=name) as caught:
            use(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("empty.jpg", "an empty file"),
        ("page.jpg", "a web page"),
        ("drawing.png", "SVG"),
        ("heic.jpg", "HEIC"),
        ("text.png", "not a JPEG, PNG"),
        ("cut.jpg", "broken picture"),
        ("flat.png", "0 x 5 pixels|broken picture"),
    ],
)
def test_what_it_is_instead_is_said(written, name, says):
    with pytest.raises(FileFormatError, match=says):
        open_picture(written(broken()[name], name))


@pytest.mark.parametrize("name", huge())
def test_what_claims_too_many_pixels_is_refused_before_any_is_decoded(written, name):
    path = written(huge()[name], name)
    tracemalloc.start()
    try:
        with pytest.raises(FileFormatError, match=r"the picture has [\d,]+ x [\d,]+ pixels"):
            open_picture(path)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_a_large_picture_within_the_bound_is_read(written):
    """Pillow warns of these, and its limit belongs to the process: it is neither needed nor changed."""
    before = Image.MAX_IMAGE_PIXELS
    width, height = 12_000, 8_000
    rows = zlib.compress((b"\0" + bytes((width + 7) // 8)) * height)
    content = png(width, height, depth=1, colour=0, rows=zlib.decompress(rows))
    assert 89_478_485 < width * height < MAX_PIXELS
    assert thumbnail(written(content), 16).shape == (16, 16, 3)
    assert before == Image.MAX_IMAGE_PIXELS


def test_a_tiff_file_without_most_of_its_strips(written):
    """Found 2026-11 by damaging files: 1,734 bytes that claim 168 million pixels took 2 GB and 15 seconds."""
    content = bytearray(encoded(Image.new("F", (20, 20)), "TIFF"))
    begin = struct.unpack("<I", content[4:8])[0]
    for i in range(struct.unpack("<H", content[begin : begin + 2])[0]):
        entry = begin + 2 + 12 * i
        if struct.unpack("<H", content[entry : entry + 2])[0] == 257:
            content[entry + 2 : entry + 12] = struct.pack("<HII", 4, 1, 8_388_628)
    with pytest.raises(FileFormatError, match=r"only 20 x 20 of its \(20, 8388628\) pixels are present"):
        open_picture(written(bytes(content)))


def test_no_file_a_folder_and_a_pipe(tmp_path):
    with pytest.raises(InputError, match="cannot read .*gone"):
        open_picture(tmp_path / "gone.jpg")
    with pytest.raises(InputError, match="(?i)cannot read .*directory"):
        open_picture(tmp_path)
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.jpg")
        with pytest.raises(InputError, match="a stream or a device"):
            open_picture(tmp_path / "pipe.jpg")


@given(st.sampled_from(["JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP"]), st.data())
def test_damage_of_any_kind_gives_a_picture_or_a_named_error(tmp_path_factory, format_, data):
    content = bytearray(encoded(noisy(24), format_))
    for _ in range(data.draw(st.integers(1, 6))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(0, len(content)))]
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(content)
    try:
        found = thumbnail(path, 8)
    except VsenumbaError as error:
        found = error
    if isinstance(found, VsenumbaError):
        assert str(path) in str(found)
        assert "\n" not in str(found)
    else:
        assert found.shape == (8, 8, 3)


# Sizes.


@given(st.integers(1, 90), st.integers(1, 90), st.integers(1, 40), st.integers(1, 40))
def test_any_size_becomes_any_other(tmp_path_factory, width, height, new_width, new_height):
    path = tmp_path_factory.getbasetemp() / "sized.png"
    Image.new("RGB", (width, height), "red").save(path)
    for how in ("pad", "crop", "squash"):
        found = decode.fitted(path, new_height, new_width, how)
        assert (found.shape, found.dtype) == ((new_height, new_width, 3), np.uint8)
        if how != "pad":
            assert (found == (255, 0, 0)).all()
        else:
            red = (found == (255, 0, 0)).all(axis=2)
            assert red.any()
            assert (red | (found == 255).all(axis=2)).all()
            # One side is filled.
            assert red.any(axis=0).all() or red.any(axis=1).all()


def test_the_middle_is_cropped(written):
    wide = Image.new("RGB", (300, 100), "red")
    wide.paste("blue", (100, 0, 200, 100))
    found = decode.fitted(written(encoded(wide, "PNG")), 10, 10, "crop")
    assert (found[1:-1, 1:-1] == (0, 0, 255)).all()  # the filter reaches over the border
    found = decode.fitted(written(encoded(wide, "PNG")), 10, 30, "squash")
    assert (found[:, 12:18] == (0, 0, 255)).all()
    assert (found[:, :8] == (255, 0, 0)).all()


def test_thumbnails_are_those_of_the_shipped_set(written):
    """Drawn on 128 × 128 white pixels and brought down with Lanczos' filter, as ``docs/reference/data.md`` says."""
    picture = Image.fromarray(np.random.default_rng(1).integers(0, 256, (128, 128, 3), dtype=np.uint8))
    expected = np.asarray(picture.resize((64, 64), Image.Resampling.LANCZOS))
    assert np.array_equal(thumbnail(written(encoded(picture, "PNG")), 64), expected)


def test_a_jpeg_that_is_decoded_small_looks_as_one_that_is_decoded_whole(written, monkeypatch):
    smooth = noisy(8).resize((1200, 800), Image.Resampling.BICUBIC)
    path = written(encoded(smooth, "JPEG", quality=95))
    quick = thumbnail(path, 64).astype(int)
    monkeypatch.setattr(decode, "_draft_size", lambda size, *_: size)
    assert np.abs(quick - thumbnail(path, 64)).mean() < 1.5
