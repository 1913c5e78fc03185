"""The benchmark of retrieval heads is held to PyTorch, and their example runs on tiny data, so that it cannot rot."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from pathlib import Path

import numba
import numpy as np
import pytest

from vsenumba.data import synthetic_captions
from vsenumba.objectives import OBJECTIVES
from vsenumba.poolings import POOLINGS

with_the_compiler = pytest.mark.skipif(numba.config.DISABLE_JIT, reason="whole steps take minutes without the compiler")
EXAMPLE = Path(__file__).parents[2] / "examples" / "pooling_and_negatives.py"


@pytest.fixture
def example(monkeypatch):
    spec = importlib.util.spec_from_file_location("pooling_and_negatives", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


def record_of(data, pooling, objective, seed, values, test):
    epochs = [{"rsum": value, "group_size": 100 / value, "spread": 0.1, "seconds": 1.0} for value in values]
    scores = {"i2t_class_map": 0.2, "t2i_class_map": 0.1}
    return {"run": [data, pooling, objective, seed], "epochs": epochs, "best_epoch": 1, "test": test, "scores": scores}


def test_values_and_gradients_are_those_of_pytorch(benchmark):
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[bench]'")
    retrieval = benchmark("retrieval")
    found = retrieval.pooling_differences() | retrieval.objective_differences()
    assert set(found) == {*POOLINGS, "adpool, released", *OBJECTIVES}
    assert {name: gaps for name, gaps in found.items() if max(gaps) > 1e-5} == {}


@with_the_compiler
def test_retrieval_steps_are_timed(benchmark, tmp_path, capsys):
    pytest.importorskip("torch", reason="PyTorch is not installed: pip install '.[bench]'")
    sizes = ["--width", "6", "--factors", "4", "--repeats", "1", "--threads", "1"]
    benchmark("retrieval").main([*sizes, "--out", str(tmp_path)])
    assert "| gpo, lseh |" in capsys.readouterr().out
    assert (tmp_path / "retrieval.json").exists()


@with_the_compiler
def test_the_example_trains_and_does_nothing_twice(example, monkeypatch, tmp_path):
    data = synthetic_captions(30, rng=0).split(train=0.6, val=0.2, test=0.2, rng=0)
    monkeypatch.setattr(example, "load", lambda name, source: data)
    record = example.train(example.Run("planted", example.RELEASED, "adopt", 0), "", 2)
    assert len(record["epochs"]) == 2
    assert 0 <= record["test"] <= 600
    runs = [
        record_of("planted", pooling, objective, 0, [1, 2], 3.0) for pooling in example.GRID for objective in OBJECTIVES
    ]
    (tmp_path / "runs.jsonl").write_text("\n".join(example.json.dumps(one) for one in runs) + "\n")
    options = argparse.Namespace(out=tmp_path, epochs=2, seeds=1, workers=1)
    assert example.all_results({"planted": ""}, options) == {"planted": runs}


def test_the_example_draws_and_tells_what_was_found(example, capsys):
    rng = np.random.default_rng(0)
    results = {
        data: [
            record_of(data, pooling, objective, seed, rng.uniform(1, 300, 3), 100.0 + seed + 5 * (objective == "adopt"))
            for pooling in (example.GRID if data != "wikipedia" else ("mean",))
            for objective in OBJECTIVES
            for seed in range(2)
        ]
        for data in ("wikipedia", "planted", "emoji")
    }
    results["cca"] = [{"n_components": 2, "i2t_class_map": 0.1, "t2i_class_map": 0.2}]
    example.print_findings(results)
    assert "adopt less lseh" not in capsys.readouterr().out
    assert example.differences(results["emoji"], 2, "adopt", "infonce") == [5.0] * 12
    assert len(example.draw_grid(results).axes) == len(example.draw_curves(results).axes) == 3


@pytest.mark.parametrize(
    ("mine", "theirs", "expected"),
    [
        ([1, 5, 9], [1, 2, 5], ("earlier", 1 / 3)),
        ([1, 2, 5], [1, 2, 5], ("same epoch", 0)),
        ([1, 2, 5], [1, 4, 3], ("later", -0.5)),
        ([1, 2, 3], [1, 4, 3], ("never", None)),
    ],
)
def test_the_example_knows_when_lseh_reaches_the_best_of_the_other(example, mine, theirs, expected):
    records = [
        record_of("emoji", "gpo", "lseh", 0, mine, 0.0), record_of("emoji", "gpo", "max-of-hinges", 0, theirs, 0.0)
    ]  # fmt: skip
    ((when, saved),) = example.first_reached(records)
    assert (when, saved) == (expected[0], pytest.approx(expected[1]))
