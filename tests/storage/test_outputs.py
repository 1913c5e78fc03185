"""Where files are written: what is replaced, written through or refused; full disks and killed writers."""

from __future__ import annotations

import errno
import functools
import io
import os
import signal
import socket
import stat
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest

import vsenumba as vse
from vsenumba.data.vector_files import write_vectors
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.errors import InputError
from vsenumba.storage import (
    Json,
    Stream,
    atomic_path,
    check_writable,
    hidden_folder,
    named_errors,
    open_output,
    read_file,
    write_file,
)
from vsenumba.storage.sink import Sink

pytestmark = pytest.mark.skipif(os.name != "posix", reason="devices, links and locks of POSIX")

VECTORS = Vocabulary(["cat", "dog"], "label"), np.ones((2, 3), np.float32)


@functools.cache
def corpus():
    return vse.Corpus.from_sentences([["a", "b"]])


def figure():
    from matplotlib.figure import Figure

    return Figure(figsize=(1, 1))


# Every way to write a file, and an ending for it.
WRITERS = {
    "native": (".h5", lambda path: write_file(path, "model", {"x": np.arange(50_000)})),
    "set": (".h5", lambda path: vse.synthetic(200, 20, 800, rng=0).save(path)),
    "synthetic": (".h5", lambda path: vse.data.save_synthetic(path, 200, 20, 800, rng=0)),
    "runs": (".h5", lambda path: vse.Comparison([], {}, {"metric": "mrr"}).save(path)),
    "corpus": (".h5", lambda path: corpus().save(path)),
    "text": (".h5", lambda path: vse.Corpus.from_text([Path(__file__)], path, min_count=1)),
    "vectors": (".npz", lambda path: write_vectors(path, *VECTORS)),
    "figure": (".png", lambda path: vse.save_figure(figure(), path)),
    "drawing": (".svg", lambda path: vse.save_figure(figure(), path)),
    "page": (".pdf", lambda path: vse.save_figure(figure(), path)),
}
STREAMED = {
    "words": (".vec", lambda path: write_vectors(path, *VECTORS)),
    "binary": (".bin", lambda path: write_vectors(path, *VECTORS)),
    "safetensors": (".safetensors", lambda path: write_vectors(path, *VECTORS)),
}
ALL = WRITERS | STREAMED


def make_fifo(path):
    os.mkfifo(path)


def make_device(path):
    try:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 3))  # such as /dev/null
    except PermissionError:
        pytest.skip("only root makes devices")


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(str(path))


def make_loop(path):
    path.symlink_to(path)


NO_FILES = {
    "fifo": (make_fifo, "it is a pipe"),
    "device": (make_device, "it is a device"),
    "socket": (make_socket, "it is a socket"),
    "loop": (make_loop, "Too many levels of symbolic links"),
    "folder": (Path.mkdir, "it is a folder"),
}


def kind_of(path):
    return stat.S_IFMT(path.lstat().st_mode)


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("what", NO_FILES)
def test_only_regular_files_are_replaced(writer, what, tmp_path, monkeypatch):
    """Found 2026-11: ``-o /dev/null`` as root replaced the device by a file; so were pipes and circles of links."""
    monkeypatch.chdir(tmp_path)  # names of sockets must be short
    make, message = NO_FILES[what]
    ending, write = WRITERS[writer]
    path = Path("target" + ending)
    make(path)
    before = kind_of(path)
    with pytest.raises(InputError, match=message):
        check_writable(path)
    with pytest.raises(InputError, match=f"cannot write target{ending}: .*{message}"):
        write(path)
    assert kind_of(path) == before
    assert list(Path().iterdir()) == [path]
    path.with_name("link").symlink_to(path)
    with pytest.raises(InputError, match=message):
        write_file("link", "model", {})


@pytest.mark.parametrize("writer", STREAMED)
def test_text_is_written_through_into_a_pipe(writer, tmp_path):
    ending, write = STREAMED[writer]
    path = tmp_path / f"pipe{ending}"
    os.mkfifo(path)
    check_writable(path, streams=True)
    read = []
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    write(path)
    reader.join()
    assert stat.S_ISFIFO(path.stat().st_mode)
    write(tmp_path / f"plain{ending}")
    assert read == [(tmp_path / f"plain{ending}").read_bytes()]


def test_an_open_file_of_the_process_is_a_stream(tmp_path):
    """``-o /dev/stdout > file`` writes through the shell's file; to replace it by another would lose what follows."""
    out = tmp_path / "out"
    with out.open("wb") as file:
        name = f"/dev/fd/{file.fileno()}"
        with pytest.raises(InputError, match="it is an open file"):
            write_file(name, "model", {})
        (tmp_path / "link").symlink_to(name)
        with open_output(tmp_path / "link", streams=True) as stream:
            stream.write(b"text")
        assert out.stat().st_ino == os.fstat(file.fileno()).st_ino
    assert out.read_bytes() == b"text"


@pytest.mark.parametrize("writer", ALL)
def test_links_stay_and_their_target_is_replaced(writer, tmp_path):
    ending, write = ALL[writer]
    real, link, second = tmp_path / f"real{ending}", tmp_path / f"link{ending}", tmp_path / f"second{ending}"
    link.symlink_to(real.name)
    second.symlink_to(link)
    write(second)  # the link leads to nothing yet
    assert (link.is_symlink(), second.is_symlink(), real.is_file()) == (True, True, True)
    whole = real.read_bytes()
    real.write_bytes(b"old")
    os.link(real, tmp_path / "other name")
    write(link)
    assert link.is_symlink()
    assert real.read_bytes() == whole
    assert (tmp_path / "other name").read_bytes() == b"old"


def test_a_link_whose_folder_is_missing(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "none" / "a.h5")
    with pytest.raises(InputError, match="there is no folder .*none"):
        write_file(tmp_path / "link", "model", {})
    assert list(tmp_path.iterdir()) == [tmp_path / "link"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("a.h5/", "only a folder's name ends in '/'"),
        ("a.h5/.", "only a folder's name ends in '.'"),
        ("..", "it is a folder"),
        ("", "it is a folder"),
        ("none/../a.h5", "there is no folder none/.."),
        ("old.h5/a.h5", "there is no folder old.h5"),
        ("x" * 300 + ".h5", "File name too long"),
        ("a\0.h5", "cannot contain the character 0"),
        (b"a.h5/", "only a folder's name"),
    ],
)
def test_names_of_no_file_are_refused_before_the_work(name, message, tmp_path, monkeypatch):
    """Found 2026-11: a name that is too long, or ends in a slash, passed the check before training."""
    monkeypatch.chdir(tmp_path)
    Path("old.h5").write_text("old")
    for refuse in (check_writable, lambda path: write_file(path, "model", {})):
        with pytest.raises(InputError, match=message):
            refuse(name)
    assert list(Path().iterdir()) == [Path("old.h5")]


def test_long_endings_and_dots_within_a_name(tmp_path):
    (tmp_path / "in").mkdir()
    for name in ("in/../a.h5", "b." + "e" * 250):
        write_file(tmp_path / name, "model", {})
    assert sorted(len(one.name) for one in tmp_path.iterdir()) == [2, 4, 252]


def test_a_protected_file_is_not_replaced(tmp_path, monkeypatch):
    """Found 2026-11: renaming over a file asks for the folder's permission alone."""
    path = tmp_path / "a.h5"
    path.write_text("kept")
    monkeypatch.setattr(os, "access", lambda *asked: False)  # root may write to everything
    with pytest.raises(InputError, match=r"cannot write .*a\.h5: Permission denied"):
        write_file(path, "model", {})
    assert path.read_text() == "kept"


@pytest.mark.parametrize("writer", ALL)
@pytest.mark.parametrize("target", [io.BytesIO(), None, 3], ids=["open", "none", "number"])
def test_what_is_no_path_is_refused_in_one_line(writer, target):
    with pytest.raises(InputError, match=f"cannot write to an object of type {type(target).__name__}; give the path"):
        ALL[writer][1](target)


# Full disks.


class FullDisk(io.FileIO):
    """A file on a disk that has room for so many bytes more; of a write that does not fit, some are written."""

    def __init__(self, path, room):
        super().__init__(path, "w+b")
        self.room = room
        self.tried_again = 0

    def write(self, content):
        if not self.room:
            self.tried_again += 1
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        written = super().write(memoryview(content).cast("B")[: self.room])
        self.room -= written
        return written


def content():
    yield "table", np.arange(3_000, dtype=np.float32)
    yield "stream", Stream("<i4", 4_000, [np.arange(1_000, dtype=np.int32)] * 4)
    for i in range(20):
        yield f"group {i}", {"text": np.array(["a", "b"], np.dtypes.StringDType()), "json": Json(i)}


@pytest.fixture
def full_disk(monkeypatch):
    """Return a function that leaves native files so many bytes of room, and returns those written since."""
    usual, files = Path.open, []

    def leave(room):
        def opened(path, *how, **more):
            if more.get("buffering") != 0:
                return usual(path, *how, **more)
            files.append(FullDisk(path, room))
            return files[-1]

        monkeypatch.setattr(Path, "open", opened)
        return files

    return leave


def test_hdf5_never_learns_of_a_full_disk(tmp_path, capfd, full_disk):
    """Found 2026-11: HDF5's times and addresses in the message, and a segmentation fault at the end of the process."""
    path = tmp_path / "a.h5"
    write_file(path, "model", dict(content()))
    whole = path.read_bytes()
    for room in range(0, len(whole), len(whole) // 40):
        files = full_disk(room)
        with pytest.raises(InputError) as caught:
            write_file(path, "model", dict(content()))
        assert str(caught.value) == f"cannot write {path}: No space left on device"
        assert files[-1].tried_again == 1
        assert path.read_bytes() == whole
    assert capfd.readouterr() == ("", "")
    assert [one.name for one in tmp_path.iterdir()] == ["a.h5"]


def test_a_stream_is_not_drawn_on_after_the_failure(tmp_path, full_disk):
    taken = []

    def blocks():
        for i in range(100):
            taken.append(i)
            yield np.zeros(1_000, np.int32)

    full_disk(20_000)
    with pytest.raises(InputError, match="No space left"):
        write_file(tmp_path / "a.h5", "corpus", {"x": Stream("<i4", 100_000, blocks())})
    assert len(taken) < 30


def test_an_interrupt_within_a_write_is_no_failure_of_hdf5(tmp_path):
    class Interrupted(io.FileIO):
        def write(self, content):
            raise KeyboardInterrupt

    with Interrupted(tmp_path / "a", "w+b") as file, pytest.raises(KeyboardInterrupt), Sink(file) as sink:
        h5py.File(sink, "w").close()


FULL = """
    import os, resource, sys
    sys.path[:0] = {path!r}
    from test_outputs import ALL
    from vsenumba.errors import InputError
    sink = []
    for writer in {writers!r}:
        ending, write = ALL[writer]
        path = "{folder}/a" + ending
        write(path)
        old, size = open(path, "rb").read(), os.path.getsize(path)
        for room in sorted({{0, 1, 100, size // 3, size // 2, size - 300, size - 1}} & set(range(size))):
            resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
            try:
                write(path)
            except InputError as error:
                message = str(error)
            else:
                message = "written"
            resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            if message != f"cannot write {{path}}: File too large":
                print(writer, room, size, message)
            if open(path, "rb").read() != old or os.listdir("{folder}") != ["a" + ending]:
                print(writer, room, size, "not as it was", os.listdir("{folder}"))
        os.unlink(path)
"""


def test_every_writer_leaves_the_old_file_when_there_is_no_room(tmp_path):
    """A process of its own, whose end shows whether anything was left half done in HDF5, zipfile or Matplotlib."""
    here = Path(__file__).parent
    paths = [str(Path(vse.__file__).parents[1]), str(here), str(here.parent)]
    code = textwrap.dedent(FULL).format(path=paths, writers=list(ALL), folder=tmp_path)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=300)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_full_disk_for_what_is_kept_while_text_is_read(tmp_path, monkeypatch):
    class Full(FullDisk):
        def __init__(self, **place):
            super().__init__(tmp_path / "unnamed", 0)

    monkeypatch.setattr("vsenumba.data.text.corpus_encoder.tempfile.TemporaryFile", Full)
    with pytest.raises(InputError, match=r"cannot write .*tokens\.h5: No space left on device"):
        vse.Corpus.from_text([Path(__file__)], tmp_path / "tokens.h5", min_count=1)


def test_a_full_disk_below_a_hidden_folder_names_the_file_that_was_asked_for(tmp_path, full_disk):
    """Found 2026-11: `words fit` named a hidden file that nobody had asked for."""
    full_disk(10)
    with (
        pytest.raises(InputError, match=rf"^cannot write {tmp_path}/words\.h5: No space left on device$"),
        hidden_folder(tmp_path / "words.h5") as folder,
    ):
        write_file(folder / "corpus.h5", "model", {})
    with pytest.raises(InputError, match="^another fault$"), hidden_folder(tmp_path / "words.h5"):
        raise InputError("another fault")


def test_a_reader_of_a_stream_who_leaves_is_no_error_of_the_file():
    with pytest.raises(BrokenPipeError), named_errors("pipe"):
        raise BrokenPipeError


# Killed writers.


KILLED = """
    import os, sys, time
    from vsenumba import storage
    with {block} as there:
        print(there, flush=True)
        sys.stdin.read()
"""
BLOCKS = {"file": "storage.atomic_path('a.h5')", "folder": "storage.hidden_folder('a.h5')"}


@pytest.mark.parametrize("what", BLOCKS)
@pytest.mark.parametrize("clean", ["write", "check", "hide"])
def test_the_next_writer_removes_what_a_killed_one_left_and_no_more(what, clean, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = textwrap.dedent(KILLED).format(block=BLOCKS[what])
    environment = {**os.environ, "PYTHONPATH": str(Path(vse.__file__).parents[1])}

    def start():
        writer = subprocess.Popen(
            [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
        )
        return writer, Path(writer.stdout.readline().strip())

    def next_writer():
        if clean == "write":
            write_file("b.h5", "model", {})
        elif clean == "check":
            check_writable("b.h5")
        else:
            with hidden_folder("b.h5"):
                pass

    (lives, kept), (dies, stray) = start(), start()
    if what == "folder":
        (stray / "corpus.h5").write_text("left")
    Path(".0123456789abcdef.tmp.h5").write_text("somebody else's")
    next_writer()
    assert kept.exists()
    assert stray.exists()
    dies.send_signal(signal.SIGKILL)
    dies.wait()
    next_writer()
    assert kept.exists()
    assert not stray.exists()
    assert Path(".0123456789abcdef.tmp.h5").exists()
    lives.communicate("")
    dies.communicate()
    assert lives.returncode == 0
    assert Path("a.h5").exists() == (what == "file")
    assert not kept.exists()


def test_a_writer_whose_file_is_taken_for_a_stray_makes_another(tmp_path, monkeypatch):
    """A cleaner can come between a writer that makes its file and the lock on it."""
    import fcntl

    lock, made = fcntl.flock, []

    def cleaned_first(descriptor, how):
        if len(made) < 2:
            (there,) = (one for one in tmp_path.iterdir() if one.name.startswith("."))
            there.unlink()
            made.append(there)
            if len(made) == 1:
                raise BlockingIOError
        lock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", cleaned_first)
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
    assert len(set(made)) == 2
    assert (tmp_path / "a.txt").read_text() == "whole"
    assert list(tmp_path.iterdir()) == [tmp_path / "a.txt"]


def test_disks_without_locks(tmp_path, monkeypatch):
    import fcntl

    def unsupported(descriptor, how):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with atomic_path(tmp_path / "a.txt") as temporary:
        temporary.write_text("whole")
        check_writable(tmp_path / "b.txt")  # removes no file whose writer may be there
    assert list(tmp_path.iterdir()) == [tmp_path / "a.txt"]


def test_a_file_that_is_read_back_is_the_one_that_was_written(tmp_path):
    """Through the file object as before: contiguous arrays that can be mapped."""
    write_file(tmp_path / "a.h5", "corpus", dict(content()))
    read = read_file(tmp_path / "a.h5", "corpus", mapped=("table", "stream")).elements
    assert isinstance(read["table"], np.memmap)
    assert isinstance(read["stream"], np.memmap)
    assert read["table"].tolist() == list(range(3_000))
    assert read["stream"].tolist() == list(range(1_000)) * 4
