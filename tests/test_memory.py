"""How much memory there is, as systems say it; and what takes more is refused before anything is made."""

from __future__ import annotations

import os

import numpy as np
import pytest
import scipy.sparse as sp

import vsenumba as vse
from vsenumba import memory
from vsenumba.data.annotation.planted import save_synthetic
from vsenumba.data.captions.planted import synthetic_captions

GIB = 1 << 30


@pytest.fixture
def small_machine(monkeypatch):
    """Have 1 GB be free."""
    monkeypatch.setattr(memory, "available_bytes", lambda: GIB)


def test_more_than_is_free_is_refused_with_both_numbers(small_machine):
    memory.check_memory(GIB, "it", "ask for less")
    with pytest.raises(
        vse.MemoryLimitError,
        match=r"^it needs at least 1,073,741,825 bytes of memory, but 1,073,741,824 are free; ask for less$",
    ):
        memory.check_memory(GIB + 1, "it", "ask for less")


def test_what_is_small_is_not_asked_about(monkeypatch):
    monkeypatch.setattr(memory, "available_bytes", lambda: 0)
    memory.check_memory(1 << 20, "it", "")


def test_a_machine_has_some_memory():
    assert 1 << 20 < memory.available_bytes() <= 1 << 44


def test_linux_says_how_much_is_free(tmp_path):
    (tmp_path / "meminfo").write_text(
        "MemTotal: 9 kB\nMemAvailable:    4 kB\nSwapFree: 2 kB\nHugePages_Total: 0\nodd\n"
    )
    assert memory._free_in_system(str(tmp_path / "meminfo")) == 6 * 1024


def test_other_systems_say_how_much_there_is_or_nothing(tmp_path, monkeypatch):
    (tmp_path / "meminfo").write_text("MemTotal: 9 kB\n")
    monkeypatch.setattr(os, "sysconf", lambda name: {"SC_PHYS_PAGES": 3, "SC_PAGE_SIZE": 4096}[name], raising=False)
    assert memory._free_in_system(str(tmp_path / "meminfo")) == 3 * 4096
    monkeypatch.delattr(os, "sysconf")
    assert memory._free_in_system(str(tmp_path / "none")) == 1 << 44


@pytest.mark.parametrize(
    ("line", "folder", "files", "free"),
    [
        (
            "0::/a/b",
            "a",
            {"memory.max": "5000", "memory.current": "3000", "memory.stat": "anon 1\ninactive_file 700"},
            2700,
        ),
        ("0::/a/b", "", {"memory.max": "5000", "memory.current": "3000", "memory.stat": ""}, 2000),
        ("0::/a/b", "a/b", {"memory.max": "max", "memory.current": "3000", "memory.stat": ""}, 1 << 44),
        (
            "4:memory:/a",
            "memory/a",
            {"memory.limit_in_bytes": "900", "memory.usage_in_bytes": "200", "memory.stat": "inactive_file 0"},
            700,
        ),
        ("3:cpu:/a", "a", {"memory.max": "1", "memory.current": "0", "memory.stat": ""}, 1 << 44),
    ],
)
def test_a_container_may_have_less(tmp_path, line, folder, files, free):
    (tmp_path / "groups").write_text(f"{line}\n1:name=systemd:/a\nodd\n")
    (tmp_path / "root" / folder).mkdir(parents=True)
    for name, text in files.items():
        (tmp_path / "root" / folder / name).write_text(text)
    folders = memory._groups(str(tmp_path / "groups"), str(tmp_path / "root"))
    assert min([memory._free_in_group(one) for one in folders], default=1 << 44) == free


def test_without_groups_there_is_no_limit(tmp_path):
    assert memory._groups(str(tmp_path / "none")) == []


# Sets and names.


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vse.synthetic(2**40, 5, 2**41), "a set of 1,099,511,627,776 images and 5 labels needs at least"),
        (lambda: vse.synthetic(5, 2**30, 2**31), "1,073,741,824 labels needs at least"),
        (lambda: vse.synthetic(1000, 10**6, 10**9), "a set of 1,000,000,000 pairs .* use save_synthetic"),
        (lambda: save_synthetic("none.h5", 2**40, 5, 2**41), "a set of 1,099,511,627,776 images"),
        (lambda: synthetic_captions(10**9), "a set of 1,000,000,000 images of 36 regions"),
        (lambda: synthetic_captions(10, n_things=10**9), "needs at least"),
        (lambda: vse.AnnotationSet.from_csr(sp.coo_array((2**40, 5))), "a set of 1,099,511,627,776 images"),
        (lambda: vse.Vocabulary.numbered(2**40, "image").names, "a list of 1,099,511,627,776 image names"),
        (lambda: vse.AnnotationSet([0, 1], [0], 2**31 - 1).label_counts, "counting 2,147,483,647 labels"),
        (
            lambda: vse.UniformSampler().draw(np.ones((9, 1)), np.ones((2, 1)), 10**12),
            "size=1000000000000 for each of 9",
        ),
        (lambda: vse.UniformSampler().law(np.ones((10**5, 1)), np.ones((10**5, 1))), "the law of 100,000 labels"),
    ],
)
def test_sets_that_do_not_fit_are_refused_before_they_are_made(small_machine, make, message):
    """Found 2026-11: memory was taken until the system ended the process."""
    with pytest.raises(vse.MemoryLimitError, match=message):
        make()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: vse.AnnotationSet.from_csr(sp.coo_array((2**34, 2**31))), "2,147,483,648 labels are too many"),
        (lambda: vse.synthetic(-1, 5, 5), "n_images must be a whole number of at least 1, not -1"),
        (lambda: vse.synthetic(2.5, 5, 5), "n_images must be a whole number of at least 1, not 2.5"),
        (lambda: vse.synthetic(5, 5, 10, n_topics=-1), "n_topics must be a whole number"),
        (
            lambda: vse.Vocabulary.numbered(-1, "image"),
            "the number of image names must be a whole number of at least 0",
        ),
    ],
)
def test_sizes_that_are_none_are_refused(make, message):
    with pytest.raises(vse.InputError, match=message):
        make()
