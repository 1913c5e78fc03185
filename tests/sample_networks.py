"""Small image networks in ONNX files, whose vectors can be computed by hand."""

from __future__ import annotations

import numpy as np
import pytest


def network(
    path,
    *,
    shape=("n", 3, "h", "w"),
    kind="mean",
    metadata=None,
    input_type="FLOAT",
    inputs=1,
    outputs=1,
):
    """Write a network that returns, of each channel of its input:

    - ``"mean"``: the mean over rows and columns, (n, 3);
    - ``"maps"``: the input itself, (n, 3, h, w);
    - ``"tokens"``: the input as (n, h * w, 3) vectors, with channels first;
    - ``"sum"``: one number for all, (1,);
    - ``"whole"``: the number of pictures, as whole numbers (n, 3).
    """
    onnx = pytest.importorskip("onnx")
    helper, types = onnx.helper, onnx.TensorProto
    first = shape[1] == 3
    nodes = [helper.make_node("Cast", ["pixels"], ["x"], to=types.FLOAT)]
    if kind == "mean":
        axes = helper.make_tensor("axes", types.INT64, [2], [2, 3] if first else [1, 2])
        nodes.append(helper.make_node("ReduceMean", ["x", "axes"], ["vectors"], keepdims=0))
        consts, out = [axes], ["n", 3]
    elif kind == "maps":
        nodes.append(helper.make_node("Identity", ["x"], ["vectors"]))
        consts, out = [], list(shape)
    elif kind == "tokens":
        flat = helper.make_tensor("flat", types.INT64, [3], [0, 3, -1])
        nodes.append(helper.make_node("Reshape", ["x", "flat"], ["flattened"]))
        nodes.append(helper.make_node("Transpose", ["flattened"], ["vectors"], perm=[0, 2, 1]))
        consts, out = [flat], ["n", "t", 3]
    elif kind == "sum":
        nodes.append(helper.make_node("ReduceSum", ["x"], ["total"], keepdims=0))
        one = helper.make_tensor("one", types.INT64, [1], [1])
        nodes.append(helper.make_node("Reshape", ["total", "one"], ["vectors"]))
        consts, out = [one], [1]
    else:
        axes = helper.make_tensor("axes", types.INT64, [2], [2, 3])
        nodes.append(helper.make_node("ReduceMean", ["x", "axes"], ["means"], keepdims=0))
        nodes.append(helper.make_node("Cast", ["means"], ["vectors"], to=types.INT64))
        consts, out = [axes], ["n", 3]
    out_type = types.INT64 if kind == "whole" else types.FLOAT
    values_in = [helper.make_tensor_value_info("pixels", getattr(types, input_type), list(shape))]
    values_out = [helper.make_tensor_value_info("vectors", out_type, out)]
    if inputs == 2:
        values_in.append(helper.make_tensor_value_info("words", types.FLOAT, ["n", 3]))
        nodes.append(helper.make_node("Identity", ["words"], ["said"]))
        values_out.append(helper.make_tensor_value_info("said", types.FLOAT, ["n", 3]))
    if outputs == 2:
        nodes.append(helper.make_node("Neg", ["vectors"], ["negative"]))
        values_out.append(helper.make_tensor_value_info("negative", out_type, out))
    graph = helper.make_graph(nodes, "small", values_in, values_out, consts)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    for key, value in (metadata or {}).items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def weighted(path, weights):
    """Write a network that multiplies the channels' means by weights, which lie in a file of their own beside it."""
    onnx = pytest.importorskip("onnx")
    helper, types = onnx.helper, onnx.TensorProto
    axes = helper.make_tensor("axes", types.INT64, [2], [2, 3])
    numbers = onnx.numpy_helper.from_array(np.asarray(weights, np.float32), "weights")
    nodes = [
        helper.make_node("ReduceMean", ["pixels", "axes"], ["means"], keepdims=0),
        helper.make_node("MatMul", ["means", "weights"], ["vectors"]),
    ]
    graph = helper.make_graph(
        nodes,
        "weighted",
        [helper.make_tensor_value_info("pixels", types.FLOAT, ["n", 3, 4, 4])],
        [helper.make_tensor_value_info("vectors", types.FLOAT, ["n", len(weights[0])])],
        [axes, numbers],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    for key, value in (("mean", "0"), ("std", "1"), ("scale", "1")):
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    onnx.save(model, path, save_as_external_data=True, location=f"{path.stem}.weights", size_threshold=0)
    return path
