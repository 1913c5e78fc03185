"""What is said where there is no card, and which package `cuda` comes from."""

from __future__ import annotations

import os
import subprocess
import sys
from unittest import mock

import numpy as np
import pytest

import vsenumba as vse
from vsenumba.errors import DeviceError
from vsenumba.gpu import backend
from vsenumba.gpu import device as device  # imported before anything is pretended


def python(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, **environment}, timeout=300
    )


def test_without_a_card_one_line_says_what_is_missing():
    with mock.patch.object(backend, "SIMULATED", False), mock.patch.object(backend, "cuda") as cuda:
        cuda.is_available.return_value = False
        with pytest.raises(DeviceError, match=r"needs an NVIDIA card and its driver.*vsenumba\[cuda13\]"):
            vse.ImageAnnotator("ids", device="cuda").fit(np.eye(3))
        cuda.is_available.return_value = True
        with mock.patch("importlib.util.find_spec", return_value=None), pytest.raises(DeviceError, match="numba-cuda"):
            backend.require_card()
        with mock.patch("importlib.util.find_spec", return_value=object()):
            backend.require_card()


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
    with mock.patch("importlib.util.find_spec", return_value=None), pytest.raises(DeviceError, match="pip install"):
        backend._cuda()
    monkeypatch.delenv("VSENUMBA_CUDA")
    missing = mock.patch("importlib.import_module", side_effect=ModuleNotFoundError)
    with mock.patch("importlib.util.find_spec", return_value=object()), missing, pytest.raises(DeviceError):
        backend._cuda()


def test_the_command_line_says_so_before_it_reads_anything():
    command = [sys.executable, "-m", "vsenumba", "fit", "no-such-file.csv", "-o", "model.h5", "--device", "cuda"]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NUMBA_")}
    environment["CUDA_VISIBLE_DEVICES"] = "-1"  # none, where there is one
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=300)
    assert done.stderr.startswith('error: device="cuda" needs an NVIDIA card')
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
