"""What is said where there is no card, and which package `cuda` comes from."""

from __future__ import annotations

import os
import subprocess
import sys
from unittest import mock

import pytest

import vsenumba as vse
from vsenumba.errors import DeviceError
from vsenumba.gpu import backend
from vsenumba.gpu import device as device  # imported before anything is pretended


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, timeout=300
    )


@pytest.fixture
def as_if():
    """Return a function that asks for a card, as if some packages, a card, a driver and CUDA were there."""

    def require(packages, *, card=True, driver=13_000, runtime=13_050):
        cupy = mock.Mock()
        cupy.cuda.runtime.driverGetVersion.return_value = driver
        cupy.cuda.runtime.runtimeGetVersion.return_value = runtime
        with (
            mock.patch.object(backend, "SIMULATED", False),
            mock.patch.object(backend, "cuda") as cuda,
            mock.patch("importlib.util.find_spec", side_effect=lambda name: object() if name in packages else None),
            mock.patch("importlib.import_module", return_value=cupy),
        ):
            cuda.is_available.return_value = card
            vse.ImageAnnotator("ids", device="cuda")._trainer(None, None, None, None)

    return require


def test_one_line_says_what_is_missing(as_if):
    with pytest.raises(DeviceError, match=r"needs .* the package numba-cuda: run pip install \"vsenumba\[cuda13\]\""):
        as_if([])
    with pytest.raises(DeviceError, match="the package cupy: run pip install"):
        as_if(["numba_cuda"])
    with pytest.raises(DeviceError, match="needs an NVIDIA GPU and its driver, but none was found") as found:
        as_if(["numba_cuda", "cupy"], card=False)
    assert "pip" not in str(found.value)  # which would not help
    with pytest.raises(DeviceError, match=r"driver supports CUDA 12, .* for CUDA 13: update .*vsenumba\[cuda12\]"):
        as_if(["numba_cuda", "cupy"], driver=12_080)
    # Nothing is missing: it goes on, to the task that is none.
    with pytest.raises(AttributeError, match="'NoneType' object has no attribute"):
        as_if(["numba_cuda", "cupy"])


@pytest.mark.parametrize("model", [vse.ImageAnnotator("ids"), vse.WordEmbedder()], ids=lambda model: model.kind)
def test_what_must_come_out_the_same_is_not_trained_on_a_card(model):
    model.set_params(device="cuda", deterministic=True)
    with pytest.raises(vse.InputError, match='deterministic=True needs device="cpu"'):
        model.fit([["a", "b"], ["b", "c"]])


def test_a_device_that_is_unknown_is_refused_wherever_it_is_asked():
    model = vse.ImageAnnotator("ids", n_factors=2, n_epochs=1).fit([["a", "b"], ["b", "c"]]).set_params(device="gpu")
    for ask in (lambda: model.annotate_each(["0"]), lambda: model.fold_in([["a"]]), lambda: model.fit([["a"]])):
        with pytest.raises(vse.UnknownNameError, match="unknown device 'gpu'"):
            ask()


def test_functions_are_compiled_for_kernels_but_not_for_the_simulator():
    with mock.patch.object(backend, "SIMULATED", False), mock.patch.object(backend, "cuda") as cuda:
        cuda.jit.return_value = lambda function: "compiled"
        assert backend.device_function(len) == "compiled"
    with mock.patch.object(backend, "SIMULATED", True):
        assert backend.device_function(len) is len


def test_where_cuda_comes_from(monkeypatch):
    monkeypatch.setenv("VSENUMBA_CUDA", "opencl")
    with pytest.raises(vse.InputError, match="VSENUMBA_CUDA must be one of numba, mlir, not 'opencl'"):
        backend._cuda()
    monkeypatch.setenv("VSENUMBA_CUDA", "mlir")
    missing = mock.patch("importlib.import_module", side_effect=ModuleNotFoundError)
    with missing, pytest.raises(DeviceError, match="needs the package numba-cuda-mlir, which cannot be imported"):
        backend._cuda()
    for unset in ("", None):
        monkeypatch.setenv("VSENUMBA_CUDA", unset) if unset is not None else monkeypatch.delenv("VSENUMBA_CUDA")
        assert backend._cuda()[1].package == "numba-cuda"
        with missing, pytest.raises(DeviceError, match="cannot be imported"):
            backend._cuda()


def test_the_command_line_says_so_before_it_reads_anything():
    command = [sys.executable, "-m", "vsenumba", "fit", "no-such-file.csv", "-o", "model.h5", "--device", "cuda"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment["CUDA_VISIBLE_DEVICES"] = "-1"  # none, where there is one
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.stderr.startswith('error: device="cuda" needs an NVIDIA GPU')
    assert done.stderr.count("\n") == 1
    assert done.returncode == 1


def test_training_simulated_in_a_process_of_its_own():
    """In the pass that compiles, too, a model trains on a simulated card."""
    code = (
        "import numpy as np, sys; sys.setswitchinterval(1e-5); import vsenumba as vse;"
        "model = vse.ImageAnnotator('ids', n_factors=2, n_epochs=1, device='cuda', random_state=0);"
        "model.fit(np.eye(4) + np.eye(4, k=1)); print(int(model.history_['steps'][0]))"
    )
    found = python(code, NUMBA_ENABLE_CUDASIM="1", NUMBA_DISABLE_JIT="1")
    assert found.stdout.strip() == "21", found.stderr


def test_the_package_imports_without_cuda():
    code = "import sys, vsenumba; vsenumba.ImageAnnotator; print('vsenumba.gpu.backend' in sys.modules)"
    assert python(code).stdout.strip() == "False"
