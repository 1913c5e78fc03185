"""The file format: every element comes back as it went in, or not at all, whatever happens to the file."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import textwrap
import zlib
from pathlib import Path

import h5py
import numpy as np
import pytest
import scipy.sparse as sp
from golden_files import CONTENTS, golden_path
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from vsenumba import storage
from vsenumba.errors import FileFormatError, InputError, MemoryLimitError, UnknownNameError
from vsenumba.storage import FILE_VERSIONS, Json, Stream, atomic_path, check_writable, read_file, write_file
from vsenumba.storage.encodings import ENCODINGS

TEXT = np.dtypes.StringDType()
DTYPES = ["?", "i1", "<i2", "<i4", "<i8", "u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8", ">i4", ">f8"]


def same(a: object, b: object) -> bool:
    """Tell whether two elements are equal, type and bits and all."""
    if isinstance(a, dict) or isinstance(b, dict):
        return isinstance(a, dict) and isinstance(b, dict) and list(a) == list(b) and all(same(a[k], b[k]) for k in a)
    if sp.issparse(a):
        # SciPy chooses the width of the index arrays by itself.
        return a.shape == b.shape and same(a.data, b.data) and (a != b).nnz == 0 and list(a.indptr) == list(b.indptr)
    if isinstance(a, np.ndarray):
        if a.dtype.kind == "T":
            return a.dtype == b.dtype and a.shape == b.shape and list(a) == list(b)
        a, b = (array.astype(array.dtype.newbyteorder("<")) for array in (a, b))
        return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
    return type(a) is type(b) and a == b


def plain(element: object) -> object:
    """Return what reading gives back for an element that was written."""
    if isinstance(element, Json):
        return element.value
    if isinstance(element, dict):
        return {name: plain(one) for name, one in element.items()}
    return element


numeric = st.sampled_from(DTYPES).flatmap(
    lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=5))
)
texts = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=8).map(
    lambda texts: np.array(texts, dtype=TEXT)
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def csr_arrays(draw: st.DrawFn):
    matrix = draw(
        hnp.arrays(
            np.float32,
            hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=6),
            elements=st.floats(-1, 1, width=32),
        )
    )
    return sp.csr_array(matrix)


element_names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), min_size=1, max_size=8)
element_names = element_names.filter(lambda name: name not in (".", "provenance"))
ELEMENTS = {
    "array": numeric,
    "string-array": texts,
    "json": json_values.map(Json),
    "csr-matrix": csr_arrays(),
}
ELEMENTS["mapping"] = st.recursive(
    st.one_of(*ELEMENTS.values()),
    lambda inner: st.dictionaries(element_names, inner, max_size=3),
    max_leaves=5,
).map(lambda element: element if isinstance(element, dict) else {"only": element})


def test_every_encoding_has_a_strategy():
    assert set(ELEMENTS) == set(ENCODINGS)


@pytest.mark.parametrize("encoding", list(ENCODINGS))
class TestEncodingContract:
    @settings(max_examples=25)
    @given(data=st.data())
    def test_comes_back_as_it_went_in(self, encoding, data, tmp_path_factory):
        element = data.draw(ELEMENTS[encoding])
        path = tmp_path_factory.mktemp("file") / "a.h5"
        write_file(path, "model", {"element": element})
        assert same(read_file(path, "model").elements["element"], plain(element))
        with h5py.File(path) as file:
            attributes = dict(file["element"].attrs)
        assert attributes["encoding-type"].decode() == encoding
        assert int(attributes["encoding-version"]) == ENCODINGS[encoding].version

    @settings(max_examples=5)
    @given(data=st.data())
    def test_same_content_gives_the_same_bytes(self, encoding, data, tmp_path_factory):
        element = data.draw(ELEMENTS[encoding])
        folder = tmp_path_factory.mktemp("file")
        for name in ("a", "b"):
            write_file(folder / name, "model", {"element": element})
        assert (folder / "a").read_bytes() == (folder / "b").read_bytes()

    def test_missing_content_is_refused(self, encoding, tmp_path):
        path = tmp_path / "a.h5"
        sample = {
            "array": np.arange(3),
            "string-array": np.array(["a", "b"], TEXT),
            "json": Json(1),
            "csr-matrix": sp.csr_array(np.eye(2)),
            "mapping": {"a": np.arange(2)},
        }[encoding]
        write_file(path, "model", {"element": sample})
        with h5py.File(path, "r+") as file:
            node = file["element"]
            if isinstance(node, h5py.Group):
                del node[next(iter(node))]
            else:
                del node.attrs["crc32"]
        with pytest.raises(FileFormatError, match=r"a\.h5: "):
            read_file(path)


def test_order_of_elements_is_kept(tmp_path):
    elements = {name: {"z": Json(1), "a": Json(2)} for name in ("second", "first", "10", "9")}
    write_file(tmp_path / "a", "model", elements)
    read = read_file(tmp_path / "a").elements
    assert list(read) == list(elements)
    assert list(read["10"]) == ["z", "a"]


def test_views_and_numpy_scalars_are_stored_as_what_they_show(tmp_path):
    table = np.arange(12.0).reshape(3, 4)
    settings_ = {"a": np.float32(0.5), "b": np.int64(3), "c": (np.True_, "x")}
    write_file(tmp_path / "a", "model", {"t": table.T, "s": table[::2, 1], "j": Json(settings_)})
    read = read_file(tmp_path / "a").elements
    np.testing.assert_array_equal(read["t"], table.T)
    np.testing.assert_array_equal(read["s"], table[::2, 1])
    assert read["j"] == {"a": 0.5, "b": 3, "c": [True, "x"]}


def test_large_vocabularies_and_large_json(tmp_path):
    names = np.array([f"étiquette {i}" for i in range(100_000)], dtype=TEXT)
    settings_ = {"text": "x" * 200_000}
    write_file(
        tmp_path / "a",
        "model",
        {"names": names, "one": np.array(["y" * 100_000], TEXT), "j": Json(settings_)},
    )
    read = read_file(tmp_path / "a").elements
    assert np.array_equal(read["names"], names)
    assert read["one"][0] == "y" * 100_000
    assert read["j"] == settings_


@given(blocks=st.lists(hnp.arrays("<i4", st.integers(0, 5)), max_size=4))
def test_a_stream_gives_the_bytes_of_the_whole_array(blocks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("file")
    whole = np.concatenate([np.zeros(0, "<i4"), *blocks])
    write_file(folder / "a", "model", {"t": Stream("<i4", len(whole), iter(blocks)), "u": np.arange(2)})
    write_file(folder / "b", "model", {"t": whole, "u": np.arange(2)})
    assert (folder / "a").read_bytes() == (folder / "b").read_bytes()


def test_a_stream_that_ends_too_early_leaves_no_file(tmp_path):
    with pytest.raises(InputError, match="the blocks of table have 2 rows; expected 3"):
        write_file(tmp_path / "a", "model", {"table": Stream("<i8", 3, [np.arange(2)])})
    assert list(tmp_path.iterdir()) == []


def test_texts_are_written_and_read_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("vsenumba.storage.encodings._TEXTS", 3)
    texts = np.array(["", "ü", "", "猫" * 20, "b\0c", "d\0", "", "e"], dtype=TEXT)
    for n in range(len(texts) + 1):
        write_file(tmp_path / "a", "model", {"t": texts[:n]})
        assert same(read_file(tmp_path / "a").elements["t"], texts[:n])


def test_csr_offsets_have_64_bits(tmp_path):
    write_file(tmp_path / "a", "model", {"c": sp.csr_array(np.eye(2))})
    with h5py.File(tmp_path / "a") as file:
        assert file["c/indptr"].dtype == np.int64


def test_provenance_says_what_wrote_the_file(tmp_path):
    write_file(tmp_path / "a", "runs", {})
    stored = read_file(tmp_path / "a")
    assert (stored.kind, stored.version, stored.elements) == ("runs", FILE_VERSIONS["runs"], {})
    assert stored.provenance["numpy"] == np.__version__
    assert set(stored.provenance) == {"vsenumba", "numpy", "numba", "scipy", "h5py", "python", "platform"}


@pytest.mark.parametrize(
    ("element", "message"),
    [
        (None, "table is of type NoneType"),
        ([1, 2], "table is of type list"),
        (np.array([1j]), "table is of type ndarray"),
        (np.array([["a"]], TEXT), "table is of type ndarray"),
        (np.zeros(1, np.longdouble), "table is an array of"),
        (sp.coo_array(np.eye(2)), "table is of type coo_array"),
        ({"deep": {"er": None}}, "table/deep/er is of type NoneType"),
        ({"a/b": np.arange(2)}, "the name 'a/b'"),
        ({3: np.arange(2)}, "the name 3"),
        ({"": np.arange(2)}, "the name ''"),
        (Json({"rate": float("nan")}), r"table\.rate is nan"),
        (Json([0.0, np.float32("inf")]), r"table\[1\] is inf"),
        (Json({1: "a"}), "table has the key 1"),
        (Json({"a": {"b": np.arange(2)}}), r"table\.a\.b is of type ndarray"),
    ],
)
def test_unsuitable_elements_are_refused_by_name_and_leave_nothing(tmp_path, element, message):
    with pytest.raises(InputError, match=message):
        write_file(tmp_path / "a.h5", "model", {"table": element})
    assert list(tmp_path.iterdir()) == []


def test_unknown_kinds_and_reserved_names_are_refused(tmp_path):
    with pytest.raises(UnknownNameError, match="did you mean 'model'"):
        write_file(tmp_path / "a", "modle", {})
    with pytest.raises(InputError, match="'provenance'"):
        write_file(tmp_path / "a", "model", {"provenance": Json(1)})


class TestForeignFiles:
    @pytest.fixture
    def path(self, tmp_path):
        write_file(tmp_path / "a.h5", "model", {"x": np.arange(3), "c": sp.csr_array(np.eye(2))})
        return tmp_path / "a.h5"

    def refusal(self, path, kind=None):
        with pytest.raises(FileFormatError) as caught:
            read_file(path, kind)
        assert "\n" not in str(caught.value)
        assert str(path) in str(caught.value)
        return str(caught.value)

    def test_missing_file_and_folder(self, tmp_path):
        with pytest.raises(InputError, match=r"cannot read .*nothing\.h5: No such file"):
            read_file(tmp_path / "nothing.h5")
        with pytest.raises(InputError, match="Is a directory"):
            read_file(tmp_path)

    @pytest.mark.parametrize("content", [b"", b"image,label\na,b\n", b"\x89HDF\r\n\x1a\n", b"PK\x03\x04" + bytes(99)])
    def test_not_hdf5(self, tmp_path, content):
        (tmp_path / "a").write_bytes(content)
        assert "not a vsenumba file, or damaged" in self.refusal(tmp_path / "a")

    def test_hdf5_of_somebody_else(self, tmp_path):
        with h5py.File(tmp_path / "a", "w") as file:
            file["x"] = np.arange(3)
        assert "that vsenumba did not write" in self.refusal(tmp_path / "a")

    def test_another_kind(self, path):
        assert "a file of kind 'model', expected 'runs'" in self.refusal(path, "runs")

    def test_future_version_of_the_file(self, path):
        with h5py.File(path, "r+") as file:
            file.attrs["encoding-version"] = np.bytes_("7")
        message = self.refusal(path)
        assert "written by a newer vsenumba (format version 7, supported: 1)" in message
        assert "pip install -U vsenumba" in message

    def test_future_version_of_an_element(self, path):
        with h5py.File(path, "r+") as file:
            file["x"].attrs["encoding-version"] = np.bytes_("2")
        assert "x was written by a newer vsenumba" in self.refusal(path)

    def test_version_that_never_was(self, path):
        with h5py.File(path, "r+") as file:
            file.attrs["encoding-version"] = np.bytes_("0")
        assert "which does not exist" in self.refusal(path)

    def test_future_kind_and_future_element_type(self, path):
        with h5py.File(path, "r+") as file:
            file["x"].attrs["encoding-type"] = np.bytes_("tensor")
        assert "x has the unknown type 'tensor'" in self.refusal(path)
        with h5py.File(path, "r+") as file:
            file.attrs["encoding-type"] = np.bytes_("index")
        assert "unknown kind 'index'; known kinds are annotation-set" in self.refusal(path)

    def test_changed_value(self, path):
        with h5py.File(path, "r+") as file:
            file["x"][1] = 7
        assert "x is damaged: its checksum" in self.refusal(path)

    def test_element_left_out(self, path):
        with h5py.File(path, "r+") as file:
            del file["x"]
        assert "the file is damaged: its checksum" in self.refusal(path)

    def test_links_out_of_the_file_are_not_followed(self, path):
        with h5py.File(path, "r+") as file:
            file["x2"] = h5py.ExternalLink("/etc/other.h5", "x")
        assert "x2 is a link, which is not allowed" in self.refusal(path)

    def test_a_group_inside_itself_ends(self, path):
        with h5py.File(path, "r+") as file:
            file["c"]["loop"] = file["c"]
        self.refusal(path)

    def test_an_array_that_holds_text(self, path):
        with h5py.File(path, "r+") as file:
            del file["x"]
            file["x"] = np.bytes_("text")
            for name, value in file["provenance"].attrs.items():
                file["x"].attrs[name] = value
            file["x"].attrs["encoding-type"] = np.bytes_("array")
        assert "x contains |S4, not numbers" in self.refusal(path)

    @pytest.mark.parametrize(
        ("part", "values", "message"),
        [
            ("indptr", [0, 5, 2], "indptr does not rise"),
            ("indptr", [0, 2], "has 2 offsets"),
            ("indices", [0, 9], "are out of range for 2 columns"),
            ("indices", [[0, 1]], "indices is missing or is not a one-dimensional array"),
            ("data", [1.0], "1 values"),
        ],
    )
    def test_inconsistent_csr(self, path, part, values, message):
        with h5py.File(path, "r+") as file:
            attributes = dict(file["c"][part].attrs)
            del file["c"][part]
            array = np.array(values, dtype=np.float64 if part == "data" else np.int64)
            file["c"][part] = array
            file["c"][part].attrs.update(attributes)
            file["c"][part].attrs["crc32"] = np.uint32(ENCODINGS["array"]._checksum(array))
        assert message in self.refusal(path)


def damaged_files(count: int):
    """Yield damaged copies of a file that has an element of every type."""
    raw = golden_path("model", 1).read_bytes()
    rng = np.random.default_rng(0)
    for stop in np.linspace(0, len(raw) - 1, count, dtype=int):
        yield raw[:stop]
    for position, bit in zip(rng.integers(len(raw), size=4 * count), rng.integers(8, size=4 * count), strict=True):
        copy = bytearray(raw)
        copy[position] ^= 1 << bit
        yield bytes(copy)


def test_damage_is_found_or_harmless(tmp_path):
    path = tmp_path / "a.h5"
    whole = read_file(golden_path("model", 1))
    refused = 0
    for content in damaged_files(60):
        path.write_bytes(content)
        try:
            read = read_file(path)
        except FileFormatError:
            refused += 1
        else:
            assert same(read.elements, whole.elements)
            assert read.provenance == whole.provenance
    assert refused > 150


def specified_checksum(node: h5py.Group | h5py.Dataset, head: str = "") -> int:
    """Compute a checksum from ``docs/reference/file-format.md`` alone."""
    kind = node.attrs["encoding-type"].decode()
    shape = ",".join(map(str, node.attrs.get("shape", getattr(node, "shape", ()))))
    if isinstance(node, h5py.Group):
        head = head or f"{kind} 1 {shape}".strip()
        body = "".join(f"{specified_checksum(node[name]):08x} {name}\n" for name in sorted(node)).encode()
    elif kind == "json":
        head, body = "json 1", bytes(node[()])
    else:
        head, body = f"array 1 {node.dtype.str} {shape}", node[...].tobytes()
    return zlib.crc32(f"{head}\n".encode() + body)


@pytest.mark.parametrize("path", sorted({golden_path(*key) for key in CONTENTS}), ids=lambda path: path.name)
def test_checksums_are_what_the_specification_says(path):
    with h5py.File(path) as file:
        kind, version = (file.attrs[name].decode() for name in ("encoding-type", "encoding-version"))
        assert specified_checksum(file, f"file {kind} {version}") == file.attrs["crc32"]


def test_what_memory_does_not_hold_is_called_so(tmp_path, monkeypatch):
    def fail(*args):
        raise MemoryError("no 8 bytes")

    write_file(tmp_path / "a.h5", "model", {"x": np.arange(3)})
    monkeypatch.setattr(h5py.Dataset, "__getitem__", fail)
    with pytest.raises(MemoryLimitError, match=r"a\.h5: too large for the available memory"):
        read_file(tmp_path / "a.h5")


@pytest.mark.parametrize("kind_and_version", list(CONTENTS), ids=str)
def test_golden_files_still_read(kind_and_version):
    kind, version = kind_and_version
    stored = read_file(golden_path(kind, version), kind)
    assert stored.version == version
    assert same(stored.elements, plain(CONTENTS[kind_and_version]))


def test_every_current_version_has_a_golden_file():
    assert set(FILE_VERSIONS.items()) <= set(CONTENTS)


OLD = {"x": np.arange(3)}
NEW = {"x": np.arange(100_000), "y": {"z": Json("new")}}


class TestWritingIsAtomic:
    WRITER = """
        import os, signal, sys
        import h5py, numpy as np
        from vsenumba import storage

        def die(*args, **kwargs):
            os.kill(os.getpid(), signal.SIGKILL)

        def after(function, calls=1):
            def wrapper(*args, **kwargs):
                nonlocal calls
                result = function(*args, **kwargs)
                calls -= 1
                if calls == 0:
                    die()
                return result
            return wrapper

        {sabotage}
        elements = {{"x": np.arange(100_000), "y": {{"z": storage.Json("new")}}}}
        storage.write_file(sys.argv[1], "model", elements)
    """

    def write_elsewhere(self, path: Path, sabotage: str) -> subprocess.CompletedProcess[str]:
        code = textwrap.dedent(self.WRITER).format(sabotage=sabotage)
        return subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=False)

    @pytest.mark.parametrize(
        ("sabotage", "kept"),
        [
            ("h5py.File.__init__ = after(h5py.File.__init__)", OLD),
            ("h5py.Group.create_dataset = after(h5py.Group.create_dataset, 2)", OLD),
            ("h5py.File.flush = die", OLD),
            ("h5py.File.flush = after(h5py.File.flush)", OLD),
            ("os.fsync = die", OLD),
            ("os.replace = die", OLD),
            ("os.replace = after(os.replace)", NEW),
            ("os.fsync = after(os.fsync, 2)", NEW),
        ],
    )
    @pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
    def test_a_killed_writer_leaves_the_old_file_or_the_new_one(self, tmp_path, sabotage, kept):
        path = tmp_path / "a.h5"
        write_file(path, "model", OLD)
        result = self.write_elsewhere(path, sabotage)
        assert result.returncode == -signal.SIGKILL, result.stderr
        assert same(read_file(path, "model").elements, plain(kept))
        write_file(path, "model", NEW)  # what the dead writer left lying is in nobody's way
        assert [one.name for one in tmp_path.iterdir() if not one.name.startswith(".")] == ["a.h5"]

    @pytest.mark.skipif(os.name != "posix", reason="limits on the size of files are of POSIX")
    def test_a_full_disk_leaves_the_old_file_and_no_other(self, tmp_path):
        path = tmp_path / "a.h5"
        write_file(path, "model", OLD)
        before = path.read_bytes()
        result = self.write_elsewhere(
            path, "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, 50_000))"
        )
        assert result.returncode == 1
        assert "InputError: cannot write" in result.stderr.splitlines()[-1]
        assert path.read_bytes() == before
        assert [one.name for one in tmp_path.iterdir()] == ["a.h5"]

    @pytest.mark.parametrize("function", ["fsync", "replace"])
    def test_a_failing_system_call_leaves_the_old_file_and_no_other(self, tmp_path, monkeypatch, function):
        def fail(*args):
            raise OSError(28, "No space left on device")

        path = tmp_path / "a.h5"
        write_file(path, "model", OLD)
        monkeypatch.setattr(os, function, fail)
        with pytest.raises(InputError, match=r"cannot write .*a\.h5: No space left on device"):
            write_file(path, "model", NEW)
        assert same(read_file(path).elements, OLD)
        assert [one.name for one in tmp_path.iterdir()] == ["a.h5"]

    def test_an_interrupt_leaves_no_temporary_file(self, tmp_path):
        def write_half():
            with atomic_path(tmp_path / "a.svg") as temporary:
                assert temporary.suffix == ".svg"
                assert temporary.name.startswith(".")
                temporary.write_text("half")
                raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            write_half()
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.skipif(os.name != "posix", reason="permission bits are of POSIX")
    def test_permissions_are_those_of_any_new_file_or_of_the_old_one(self, tmp_path):
        path = tmp_path / "a.txt"
        before = os.umask(0o022)
        try:
            with atomic_path(path) as temporary:
                temporary.write_text("1")
        finally:
            os.umask(before)
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        path.chmod(0o600)
        with atomic_path(path) as temporary:
            temporary.write_text("2")
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert path.read_text() == "2"

    def test_a_link_is_followed(self, tmp_path):
        (tmp_path / "link").symlink_to(tmp_path / "real")
        with atomic_path(tmp_path / "link") as temporary:
            temporary.write_text("x")
        assert (tmp_path / "link").is_symlink()
        assert (tmp_path / "real").read_text() == "x"


class TestCheckWritable:
    def test_leaves_nothing_behind(self, tmp_path):
        check_writable(tmp_path / "new.h5")
        assert list(tmp_path.iterdir()) == []
        (tmp_path / "old").write_text("old")
        check_writable(tmp_path / "old")
        assert (tmp_path / "old").read_text() == "old"

    def test_refuses_what_cannot_be_written(self, tmp_path, monkeypatch):
        with pytest.raises(InputError, match="there is no folder"):
            check_writable(tmp_path / "missing" / "a.h5")
        with pytest.raises(InputError, match="it is a folder"):
            check_writable(tmp_path)

        def read_only(*args):
            raise OSError(30, "Read-only file system")

        monkeypatch.setattr(os, "open", read_only)
        with pytest.raises(InputError, match="Read-only file system"):
            check_writable(tmp_path / "a.h5")


def test_importing_does_not_load_h5py():
    code = "import sys, vsenumba.data; print([m for m in ('h5py', 'matplotlib', 'numba') if m in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"


def test_public_names_are_there():
    assert all(hasattr(storage, name) for name in storage.__all__)
