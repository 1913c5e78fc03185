"""`python -m benchmarks gpu` runs to its end on tiny data; nothing is said of its times."""

from __future__ import annotations

import json

import pytest
from benchmark_folder import benchmark as benchmark

pytestmark = pytest.mark.on_card


def test_gpu(benchmark, tmp_path, capsys):
    benchmark("gpu").main(["--tiny", "--factors", "4", "--beside", "4", "--out", str(tmp_path)])
    result = json.loads((tmp_path / "gpu.json").read_text())
    assert all(line["same"] for line in result["checked"])
    assert len(result["checked"]) == 10
    assert {line["sampler"] for line in result["paces"]} >= {"uniform", "adaptive"}
    assert result["bandwidth"] > 0
    assert set(result["words"]) == set(result["evaluation"]) == {"cpu", "cuda"}
    assert (tmp_path / "gpu.png").stat().st_size > 1000
    assert "| tiny | 4 | uniform |" in capsys.readouterr().out


def test_the_bound_is_that_of_bytes(benchmark):
    """At 3.35 TB/s and 128 factors, two rows a step: 1.5 thousand million."""
    assert benchmark("gpu").bound(3.35e12, 128, 2) == pytest.approx(1.53e9, rel=0.01)
