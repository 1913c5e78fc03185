"""Any ONNX file as a backbone: what it takes is looked up or said, what it returns is a vector a picture."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sample_networks import network, weighted

from vsenumba.errors import FileFormatError, InputError, UnknownNameError
from vsenumba.pictures import OnnxBackbone, as_backbone
from vsenumba.pictures.backbones.preprocessing import IMAGENET_MEAN, IMAGENET_STD, find_preprocessing, numbers_of

PLAIN = {"mean": "0", "std": "1", "scale": "1"}
RNG = np.random.default_rng(0)


def pictures(n=5, side=6):
    return RNG.integers(0, 256, (n, side, side, 3)).astype(np.uint8)


@pytest.fixture(autouse=True)
def _runtime():
    pytest.importorskip("onnxruntime")


def means(some):
    return some.mean(axis=(1, 2))


def test_bytes_as_the_metadata_say(tmp_path):
    some = pictures()
    backbone = OnnxBackbone(network(tmp_path / "a.onnx", metadata=PLAIN | {"size": "6"}))
    assert (backbone.height, backbone.width, backbone.resize, backbone.batch) == (6, 6, "crop", 32)
    found = backbone.describe(some)
    assert (found.dtype, found.shape) == (np.float32, (5, 3))
    np.testing.assert_allclose(found, means(some), rtol=1e-5)


@pytest.mark.parametrize(
    "shape", [("n", 3, 6, 6), (5, 3, 6, 6), (2, 3, "h", "w"), ("n", 6, 6, 3), (1, "h", "w", 3), (7, 3, 6, 6)]
)
def test_both_layouts_and_any_batch(tmp_path, shape):
    """Batches of a fixed size are filled up, and what fills them changes nothing."""
    some = pictures()
    backbone = OnnxBackbone(network(tmp_path / "a.onnx", shape=shape, metadata=PLAIN), size=6)
    assert backbone.batch == (shape[0] if isinstance(shape[0], int) else 32)
    np.testing.assert_allclose(backbone.describe(some), means(some), rtol=1e-5)
    np.testing.assert_allclose(backbone.describe(some[:1]), means(some[:1]), rtol=1e-5)
    assert backbone.describe(some[:0]).shape == (0, 3)


def test_options_go_before_metadata(tmp_path):
    some = pictures()
    path = network(tmp_path / "a.onnx", metadata={"mean": "9", "std": "7", "scale": "0.5", "channels": "rgb"})
    backbone = OnnxBackbone(path, size=6, mean=(1, 2, 3), std=2, scale=1, channels="BGR")
    np.testing.assert_allclose(backbone.describe(some), (means(some)[:, ::-1] - [1, 2, 3]) / 2, rtol=1e-5)
    np.testing.assert_allclose(OnnxBackbone(path, size=6).describe(some), (means(some) * 0.5 - 9) / 7, rtol=1e-5)


def test_what_nothing_says_is_imagenets_and_said(tmp_path):
    some = pictures(2, 224)
    with pytest.warns(
        UserWarning, match=r"does not describe its input.*224 x 224.*--size.*ImageNet: mean 0\.485.*--mean"
    ):
        backbone = OnnxBackbone(network(tmp_path / "a.onnx"))
    expected = (means(some) / 255 - IMAGENET_MEAN) / IMAGENET_STD
    np.testing.assert_allclose(backbone.describe(some), expected, rtol=1e-4)
    with pytest.warns(UserWarning, match="layout is NCHW"):
        OnnxBackbone(network(tmp_path / "b.onnx", shape=("n", "c", "h", "w"), kind="maps"), size=6)


def test_what_the_onnx_standard_has(tmp_path):
    some = pictures()
    for said, expected in (
        ("NominalRange_0_255", means(some)),
        ("Normalized_0_1", means(some) / 255),
        ("Normalized_1_1", means(some) / 127.5 - 1),
    ):
        metadata = {"Image.NominalPixelRange": said, "Image.BitmapPixelFormat": "Bgr8"}
        backbone = OnnxBackbone(network(tmp_path / "a.onnx", metadata=metadata), size=6)
        np.testing.assert_allclose(backbone.describe(some), expected[:, ::-1], rtol=1e-4, atol=1e-6)


def test_the_unit_of_the_mean_is_seen_or_said(tmp_path):
    path, some = network(tmp_path / "a.onnx"), pictures()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        in_bytes = OnnxBackbone(path, size=6, mean=127, std=128)
        in_shares = OnnxBackbone(path, size=6, mean=0.5, std=0.25)
    np.testing.assert_allclose(in_bytes.describe(some), (means(some) - 127) / 128, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(in_shares.describe(some), (means(some) / 255 - 0.5) / 0.25, rtol=1e-4, atol=1e-6)
    with pytest.warns(UserWarning, match="values from 0 to 1"):
        either = OnnxBackbone(path, size=6, mean=0, std=1)
    np.testing.assert_allclose(either.describe(some), means(some) / 255, rtol=1e-5)


@pytest.mark.parametrize("input_type", ["UINT8", "FLOAT16"])
def test_other_numbers_in(tmp_path, input_type):
    some = pictures()
    metadata = {} if input_type == "UINT8" else PLAIN
    backbone = OnnxBackbone(network(tmp_path / "a.onnx", input_type=input_type, metadata=metadata), size=6)
    np.testing.assert_allclose(backbone.describe(some), means(some), rtol=1e-4)


def test_maps_and_tokens_become_a_vector(tmp_path):
    some = pictures()
    maps = OnnxBackbone(network(tmp_path / "a.onnx", kind="maps", metadata=PLAIN), size=6)
    np.testing.assert_allclose(maps.describe(some), means(some), rtol=1e-5)
    last = network(tmp_path / "b.onnx", kind="maps", shape=("n", 6, 6, 3), metadata=PLAIN)
    np.testing.assert_allclose(OnnxBackbone(last).describe(some), means(some), rtol=1e-5)
    tokens = network(tmp_path / "c.onnx", kind="tokens", metadata=PLAIN)
    with pytest.raises(InputError, match="--pooling first .*--pooling mean"):
        OnnxBackbone(tokens, size=6)
    np.testing.assert_allclose(OnnxBackbone(tokens, size=6, pooling="mean").describe(some), means(some), rtol=1e-5)
    np.testing.assert_allclose(OnnxBackbone(tokens, size=6, pooling="first").describe(some), some[:, 0, 0], rtol=1e-5)


def test_one_of_two_outputs(tmp_path):
    path, some = network(tmp_path / "a.onnx", outputs=2, metadata=PLAIN), pictures()
    with pytest.raises(InputError, match=r"2 outputs: vectors, negative; .*--network-output"):
        OnnxBackbone(path, size=6)
    np.testing.assert_allclose(OnnxBackbone(path, size=6, output="negative").describe(some), -means(some), rtol=1e-5)
    with pytest.raises(InputError, match="no output 'vector'; the outputs are vectors, negative"):
        OnnxBackbone(path, size=6, output="vector")
    said = network(tmp_path / "b.onnx", outputs=2, metadata=PLAIN | {"output": "negative"})
    np.testing.assert_allclose(OnnxBackbone(said, size=6).describe(some), -means(some), rtol=1e-5)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"inputs": 2}, r"2 inputs \(pixels, words\)"),
        ({"shape": ("n", 3, 5), "kind": "sum"}, r"has the shape \(n, 3, 5\); .*four dimensions"),
        ({"shape": ("n", 1, 6, 6)}, r"shape \(\?, 1, 6, 6\); expected three channels"),
        ({"shape": ("n", 3, 6, 3), "kind": "maps"}, "NCHW or NHWC; set --layout"),
        ({"kind": "sum"}, r"shape \(1,\) for 1 picture|neither vectors nor feature maps"),
        ({"kind": "whole"}, "int64 .* not vectors"),
        ({"input_type": "INT64"}, r"a tensor\(int64\)"),
        ({"shape": ("n", 3, 99_999, 6)}, "four dimensions"),
    ],
)
def test_networks_that_are_none_of_pictures(tmp_path, settings, says):
    path = network(tmp_path / "a.onnx", **{"metadata": PLAIN} | settings)
    with pytest.raises(InputError, match=says) as caught:
        OnnxBackbone(path, **({} if "shape" in settings else {"size": 6}))
    assert "a.onnx" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_are_no_networks(tmp_path):
    path = tmp_path / "a.onnx"
    for content in (b"", b"not a network", network(tmp_path / "b.onnx").read_bytes()[:40], bytes(500)):
        path.write_bytes(content)
        with pytest.raises(FileFormatError, match="a.onnx: not an ONNX file") as caught:
            OnnxBackbone(path)
        assert "\n" not in str(caught.value)
    with pytest.raises(InputError, match="cannot read .*gone.onnx"):
        as_backbone(str(tmp_path / "gone.onnx"))
    with pytest.raises(InputError, match="is a folder"):
        as_backbone(tmp_path)


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"size": 7}, "expects 6 x 6 pixels, so size cannot be 7"),
        ({"size": 0}, "size must be a whole number"),
        ({"size": 10_000}, "size must be a whole number from 1 to 4096"),
        ({"layout": "NHWC"}, "layout NHWC does not match"),
        ({"layout": "CHW"}, "unknown layout"),
        ({"channels": "RGBA"}, "unknown order of channels"),
        ({"resize": "crops"}, "did you mean 'crop'"),
        ({"std": 0}, "std must be above 0"),
        ({"scale": -1}, "scale must be above 0"),
        ({"mean": (1, 2)}, "mean must be one number or three"),
        ({"mean": "a"}, "expected numbers"),
        ({"mean": float("nan")}, "finite"),
        ({"pooling": "last"}, "pooling must be"),
        ({"means": 3}, "did you mean 'mean'"),
        ({"n_threads": 0}, "n_threads must be"),
    ],
)
def test_settings_that_do_not_fit(tmp_path, settings, says):
    path = network(tmp_path / "a.onnx", shape=("n", 3, 6, 6), metadata=PLAIN)
    with pytest.raises((InputError, UnknownNameError), match=says):
        OnnxBackbone(path, **settings)


def test_bytes_are_not_normalised_twice(tmp_path):
    path = network(tmp_path / "a.onnx", input_type="UINT8")
    with pytest.raises(InputError, match="uses unscaled bytes, so mean"):
        OnnxBackbone(path, size=6, mean=1)


def test_a_size_that_the_network_does_not_take(tmp_path):
    onnx = pytest.importorskip("onnx")
    path = network(tmp_path / "a.onnx", metadata=PLAIN)
    model = onnx.load(path)
    fixed = onnx.numpy_helper.from_array(np.zeros((1, 3, 6, 6), np.float32), "fixed")
    model.graph.initializer.append(fixed)
    model.graph.node[0].CopyFrom(onnx.helper.make_node("Add", ["pixels", "fixed"], ["x"]))
    onnx.save(model, path)
    OnnxBackbone(path, size=6)
    with pytest.raises(InputError, match="does not accept pictures of 5 x 5 pixels"):
        OnnxBackbone(path, size=5)


def test_the_digest_tells_whatever_decides_the_numbers(tmp_path):
    path = network(tmp_path / "a.onnx", metadata=PLAIN)
    one = OnnxBackbone(path, size=6)
    assert one.id.name == "a.onnx"
    assert one.id == OnnxBackbone(path, size=6, n_threads=1).id
    others = [
        OnnxBackbone(path, size=7).id.digest,
        OnnxBackbone(path, size=6, mean=1).id.digest,
        OnnxBackbone(path, size=6, resize="pad").id.digest,
        OnnxBackbone(path, size=6, channels="BGR").id.digest,
        OnnxBackbone(network(tmp_path / "b.onnx", metadata=PLAIN | {"x": "y"}), size=6).id.digest,
    ]
    assert len({one.id.digest, *others}) == 6
    assert OnnxBackbone(path, size=6, name="mine").id.name == "mine"


def test_the_digest_covers_numbers_in_files_beside(tmp_path):
    some = pictures(3, 4)
    path = weighted(tmp_path / "a.onnx", np.eye(3)[:, :2])
    one = OnnxBackbone(path)
    np.testing.assert_allclose(one.describe(some), means(some)[:, :2], rtol=1e-5)
    graph = path.read_bytes()
    (tmp_path / "a.weights").unlink()
    weighted(tmp_path / "a.onnx", np.eye(3)[:, 1:])
    assert path.read_bytes() == graph
    other = OnnxBackbone(path)
    np.testing.assert_allclose(other.describe(some), means(some)[:, 1:], rtol=1e-5)
    assert one.id.digest != other.id.digest
    (tmp_path / "a.weights").unlink()
    with pytest.raises(FileFormatError, match=r"a\.onnx: not an ONNX file that onnxruntime can run"):
        OnnxBackbone(path)


def test_without_onnxruntime_it_says_how_to_install_it(tmp_path, monkeypatch):
    path = network(tmp_path / "a.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(InputError, match=r"pip install 'vsenumba\[onnx\]'"):
        OnnxBackbone(path)


@given(st.lists(st.floats(0.01, 300), min_size=3, max_size=3), st.floats(1e-3, 2))
def test_normalisation_is_scale_mean_deviation(mean, scale):
    some = pictures(2, 3)
    prepare = find_preprocessing(
        "a.onnx", (0, 3, 3, 3), False, {}, {"mean": mean, "std": 0.5, "scale": scale, "layout": "NCHW"}
    )
    expected = ((some * scale - mean) / 0.5).transpose(0, 3, 1, 2)
    np.testing.assert_allclose(prepare(some, np.float32), expected, rtol=1e-3, atol=2e-2)


def test_numbers_in_texts():
    assert numbers_of("mean", "[0.485, 0.456, 0.406]") == (0.485, 0.456, 0.406)
    assert numbers_of("mean", "(127)") == (127,)
    assert numbers_of("mean", "1 2\t3") == (1, 2, 3)
    for text in ("", "a,b", "[]", "1;2"):
        with pytest.raises(InputError, match="expected numbers"):
            numbers_of("mean", text)
