"""The on-disk cache of compiled code: kernels do without where it cannot be written or read, after one warning."""

from __future__ import annotations

import errno
import warnings
from pathlib import Path

import numba
import numpy as np
import pytest
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile

from vsenumba.kernels.cache import KernelCache
from vsenumba.kernels.compiler import kernel

compiled = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")


def doubled(x):
    return 2 * x


def tripled(x):
    return 3 * x


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Return the folder of the cache; each test begins unwarned."""
    monkeypatch.setattr(KernelCache, "warned", False)
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path))
    return tmp_path


def no_folder(monkeypatch):
    """Have no folder be found, as in an installation that cannot be written, without a home."""
    monkeypatch.setattr(CompileResultCacheImpl, "_locator_classes", [])


@compiled
def test_without_a_folder_kernels_are_compiled_and_one_warning_says_so(monkeypatch):
    """Found 2026-11: ``cannot cache function``, even from ``vsenumba info``."""
    no_folder(monkeypatch)
    monkeypatch.setattr(numba.config, "CACHE_DIR", "")
    first, second = kernel(doubled), kernel(tripled)
    with pytest.warns(UserWarning, match="compiled code is not kept: no folder.* set NUMBA_CACHE_DIR") as caught:
        assert (first(2.0), second(2.0), first(2)) == (4, 6, 4)
    assert len(caught) == 1


@compiled
@pytest.mark.parametrize("what", ["a file", "no folder that can be made"])
def test_a_cache_folder_that_cannot_be_used_is_named(monkeypatch, tmp_path, what):
    """A sibling: Numba goes on to the next folder, if there is one, without a word."""
    (tmp_path / "file").touch()
    asked = tmp_path / "file" if what == "a file" else tmp_path / "file" / "below"
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(asked))
    with pytest.warns(UserWarning, match=f"NUMBA_CACHE_DIR={asked} cannot be written; compiled code is kept in"):
        assert kernel(doubled)(2.0) == 4
    KernelCache.warned = False
    no_folder(monkeypatch)
    with pytest.warns(UserWarning, match=f"compiled code is not kept: NUMBA_CACHE_DIR={asked} cannot be written"):
        assert kernel(doubled)(2.0) == 4


@compiled
@pytest.mark.parametrize("suffix", [".nbi", ".nbc"])
@pytest.mark.parametrize("damage", [lambda data: data[:20], lambda data: b"garbage", lambda data: b"", bytes.swapcase])
def test_damaged_files_are_made_anew(folder, suffix, damage):
    """A sibling: a file of the cache that is cut or overwritten ended every call."""
    assert kernel(doubled)(2.0) == 4
    (path,) = folder.rglob(f"*{suffix}")
    path.write_bytes(damage(path.read_bytes()))
    with pytest.warns(UserWarning, match="cannot be read .* and is compiled again"):
        assert kernel(doubled)(2.0) == 4
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        third = kernel(doubled)
        assert third(2.0) == 4
    assert sum(third.stats.cache_hits.values()) == 1


@compiled
def test_a_full_disk_ends_no_call(folder, monkeypatch):
    """A sibling: the error of the write was the call's."""

    def full(self, name, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(IndexDataCacheFile, "_save_data", full)
    with pytest.warns(UserWarning, match="cannot be written .No space left on device.*set NUMBA_CACHE_DIR") as caught:
        assert (kernel(doubled)(2.0), kernel(tripled)(2.0)) == (4, 6)
    assert len(caught) == 1


# The same without the compiler.


def test_a_kernel_without_a_folder_has_no_path(monkeypatch):
    no_folder(monkeypatch)
    cache = KernelCache(doubled)
    assert cache.cache_path is None
    monkeypatch.setattr(FunctionCache, "load_overload", lambda self, sig, target: None)
    with pytest.warns(UserWarning, match="compiled code is not kept"):
        assert cache.load_overload(None, None) is None
    assert cache.load_overload(None, None) is None


def test_code_that_cannot_be_read_is_none_and_its_index_begins_anew(folder, monkeypatch):
    def cut(self, sig, target):
        raise EOFError("Ran out of input")

    cache = KernelCache(doubled)
    assert Path(cache.cache_path).is_relative_to(folder)
    monkeypatch.setattr(FunctionCache, "load_overload", cut)
    with pytest.warns(UserWarning, match="EOFError: Ran out of input"):
        assert cache.load_overload(None, None) is None
    assert len(list(folder.rglob("*.nbi"))) == 1


def test_code_is_kept_elsewhere_with_a_word(folder, monkeypatch):
    cache = KernelCache(doubled)
    monkeypatch.setattr(FunctionCache, "load_overload", lambda self, sig, target: np.pi)
    assert cache.load_overload(None, None) == np.pi
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(folder / "other"))
    with pytest.warns(UserWarning, match=f"cannot be written; compiled code is kept in {cache.cache_path}"):
        assert cache.load_overload(None, None) == np.pi


def test_a_cache_that_fails_is_left_alone_from_then_on(monkeypatch):
    def full(self, sig, data):
        raise OSError(errno.ENOSPC, "No space left on device")

    cache = KernelCache(doubled)
    monkeypatch.setattr(FunctionCache, "save_overload", full)
    with pytest.warns(UserWarning, match="No space left on device"):
        cache.save_overload(None, None)
    assert not cache._enabled
