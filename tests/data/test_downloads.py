"""Downloads, from a server of this machine: checked, gone on with, trusted once; and what is said without a network."""

from __future__ import annotations

import hashlib
import io
import sys
import zipfile

import pytest
from local_server import local_server

import vsenumba as vse
from vsenumba.data import DATASETS, DataSet, RemoteFile, fetch_dataset, load_dataset
from vsenumba.data.annotation import catalogue
from vsenumba.data.downloads import fetched
from vsenumba.data.unpacking import unpacked

pytest.importorskip("pooch")

CONTENT = bytes(range(256)) * 4000


def digest(content, algorithm="sha256"):
    return hashlib.new(algorithm, content).hexdigest()


@pytest.fixture
def server(monkeypatch, tmp_path):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("VSENUMBA_DATA", str(tmp_path / "cache"))
    with local_server() as server:
        server.content["a.bin"] = CONTENT
        yield server


def remote(server, checksum=None, name="a.bin"):
    return RemoteFile(server.address(name), len(CONTENT), checksum)


class TestFetching:
    @pytest.mark.parametrize(
        "checksum", [digest(CONTENT), "md5:" + digest(CONTENT, "md5"), "sha256:" + digest(CONTENT)]
    )
    def test_a_file_comes_whole_and_once(self, server, tmp_path, checksum):
        seen = []
        for _ in range(2):
            path = fetched(remote(server, checksum), tmp_path / "set", progress=lambda *now: seen.append(now))
            assert path.read_bytes() == CONTENT
        assert server.asked == [""]
        assert seen[-1] == ("a.bin", len(CONTENT), len(CONTENT))
        assert sorted(one.name for one in path.parent.iterdir()) == ["a.bin", "checked.json"]

    def test_a_transfer_that_broke_off_goes_on(self, server, tmp_path):
        server.breaks_after = [100_000, 200_000]
        assert fetched(remote(server, digest(CONTENT)), tmp_path).read_bytes() == CONTENT
        assert server.asked == ["", "bytes=98304-", "bytes=294912-"]

    def test_it_goes_on_at_the_next_call_too(self, server, tmp_path):
        server.breaks_after = [100_000, 200_000, 0]
        with pytest.raises(vse.InputError, match="the transfer stopped after 294,912 bytes; run the command again"):
            fetched(remote(server, digest(CONTENT)), tmp_path)
        assert fetched(remote(server, digest(CONTENT)), tmp_path).read_bytes() == CONTENT
        assert server.asked[-1] == "bytes=294912-"

    def test_a_server_without_ranges_begins_again(self, server, tmp_path):
        server.knows_ranges = False
        server.breaks_after = [100_000]
        assert fetched(remote(server, digest(CONTENT)), tmp_path).read_bytes() == CONTENT

    def test_a_file_that_changed_meanwhile_is_not_gone_on_with(self, server, tmp_path):
        server.breaks_after = [100_000, 0, 0]
        with pytest.raises(vse.InputError, match="the transfer stopped"):
            fetched(remote(server, digest(CONTENT[::-1])), tmp_path)
        server.content["a.bin"] = CONTENT[::-1]
        assert fetched(remote(server, digest(CONTENT[::-1])), tmp_path).read_bytes() == CONTENT[::-1]

    def test_another_checksum_keeps_nothing(self, server, tmp_path):
        with pytest.raises(vse.FileFormatError, match=r"a.bin does not have the checksum 00.* was not kept"):
            fetched(remote(server, "00" * 32), tmp_path)
        assert list(tmp_path.glob("a.bin*")) == []

    def test_a_file_that_was_changed_in_the_cache_is_refused(self, server, tmp_path):
        path = fetched(remote(server, digest(CONTENT)), tmp_path)
        path.write_bytes(CONTENT[:-1])
        with pytest.raises(vse.FileFormatError, match=r"a.bin has the wrong digest: .*; delete the file"):
            fetched(remote(server, digest(CONTENT)), tmp_path)

    def test_without_a_checksum_trust_is_asked_for_once(self, server, tmp_path):
        with pytest.raises(vse.InputError, match="no checksum is published for .*; use --trust"):
            fetched(remote(server), tmp_path)
        assert server.asked == []
        path = fetched(remote(server), tmp_path, trust=True)
        path.unlink()
        assert fetched(remote(server), tmp_path).read_bytes() == CONTENT  # its digest is known now
        path.unlink()
        server.content["a.bin"] = CONTENT[::-1]
        with pytest.raises(vse.FileFormatError, match="does not have the checksum"):
            fetched(remote(server), tmp_path, trust=True)

    def test_what_the_server_answers_is_said(self, server, tmp_path):
        with pytest.raises(vse.InputError, match=r"answers 404 Not Found; or download the files yourself .* --from"):
            fetched(remote(server, "00" * 32, "b.bin"), tmp_path)

    def test_without_a_network_one_sentence_says_so(self, server, tmp_path):
        file = RemoteFile("http://127.0.0.1:9/a.bin", None, "00" * 32)
        with pytest.raises(vse.InputError, match=r"127.0.0.1 cannot be reached, check the network; or download"):
            fetched(file, tmp_path)

    def test_without_pooch_it_says_what_to_install(self, server, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "pooch", None)
        with pytest.raises(vse.InputError, match=r"needs pooch; install it with pip install 'vsenumba\[data\]'"):
            fetched(remote(server, digest(CONTENT)), tmp_path)
        monkeypatch.delenv("VSENUMBA_DATA")
        with pytest.raises(vse.InputError, match="needs pooch"):
            load_dataset("corel5k")


def archive(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, content in members.items():
            opened.writestr(name, content)
    return stream.getvalue()


class TestUnpacking:
    def write(self, folder, content):
        (folder / "a.zip").write_bytes(content)
        return folder / "a.zip"

    def test_what_is_needed_is_unpacked_once(self, tmp_path):
        path = self.write(tmp_path, archive(**{"a/x.txt": "one", "b/y.txt": "two"}))
        folder = unpacked(path, tmp_path / "out", "a/")
        assert [str(one.relative_to(folder)) for one in folder.rglob("*.txt")] == ["a/x.txt"]
        path.unlink()
        assert unpacked(path, tmp_path / "out") == folder

    def test_names_stay_inside(self, tmp_path):
        path = self.write(tmp_path, archive(**{"../../evil.txt": "x"}))
        folder = unpacked(path, tmp_path / "a" / "out")
        assert (folder / "evil.txt").exists()
        assert not (tmp_path / "evil.txt").exists()

    @pytest.mark.parametrize(
        ("content", "members", "message"),
        [
            (b"nothing", "", "not a zip archive, or is damaged"),
            (archive(x="one"), "y", "has no file whose name begins with 'y'"),
            (archive(x=bytes(200_000_000)), "", "expands to 200,000,000 bytes, more than the"),
        ],
    )
    def test_what_is_refused_leaves_nothing(self, tmp_path, content, members, message):
        path = self.write(tmp_path, content)
        with pytest.raises(vse.FileFormatError, match=message):
            unpacked(path, tmp_path / "out", members)
        assert [one.name for one in tmp_path.iterdir()] == ["a.zip"]


MOVIES = "movieId,title,genres\n1,Heat,Crime|Action\n2,Emma,Romance\n"


class TestCatalogue:
    @pytest.fixture
    def films(self, server, monkeypatch):
        """A set of films of the catalogue, on the server."""
        server.content["films.zip"] = content = archive(**{"films/movies.csv": MOVIES})
        file = RemoteFile(server.address("films.zip"), len(content), digest(content))
        entry = DataSet(
            name="films",
            description="d",
            licence="l",
            source="s",
            files=(file,),
            paths={"": "films"},
            reader="movielens",
        )
        monkeypatch.setitem(catalogue.DATASETS, "films", entry)
        return content

    def test_a_set_is_fetched_unpacked_and_read(self, films, server, tmp_path):
        for _ in range(2):
            assert load_dataset("films").labels_of("1") == ["Crime", "Action"]
        assert server.asked == [""]
        assert fetch_dataset("films") == tmp_path / "cache" / "films" / "unpacked" / "films"

    def test_files_at_hand_are_taken_packed_and_unpacked(self, films, server, tmp_path):
        (tmp_path / "packed").mkdir()
        (tmp_path / "packed" / "films.zip").write_bytes(films)
        (tmp_path / "open" / "films").mkdir(parents=True)
        (tmp_path / "open" / "films" / "movies.csv").write_text(MOVIES)
        for folder in ("packed", "open", "open/films", "open/films/movies.csv"):
            assert load_dataset("films", from_folder=tmp_path / folder).n_images == 2
        assert server.asked == []
        (tmp_path / "packed" / "films.zip").write_bytes(films + b" ")
        with pytest.raises(vse.FileFormatError, match="films.zip has the wrong digest"):
            load_dataset("films", from_folder=tmp_path / "packed")
        with pytest.raises(vse.InputError, match="cannot read films: there is no folder"):
            load_dataset("films", from_folder=tmp_path / "no")

    def test_sets_that_no_program_may_fetch(self, server, tmp_path):
        with pytest.raises(
            vse.InputError,
            match="nus-wide-81 may not be downloaded by a program; download it yourself from https.* --from DIR",
        ):
            load_dataset("nus-wide-81")
        (tmp_path / "Labels_sky.txt").write_text("1\n0\n")
        assert load_dataset("nus-wide-81", from_folder=tmp_path).label_counts.tolist() == [1]

    def test_parts_are_files(self, server, tmp_path):
        text = "@relation r\n@attribute x {0,1}\n@attribute cat {0,1}\n@data\n{1 1}\n"
        (tmp_path / "Corel5k-train-sparse.arff").write_text(text)
        (tmp_path / "Corel5k.xml").write_text('<labels><label name="cat"/></labels>')
        with pytest.raises(
            vse.InputError, match="corel5k has the parts train, test, all; choose one with --part train"
        ):
            load_dataset("corel5k", from_folder=tmp_path)
        assert load_dataset("corel5k", from_folder=tmp_path, part="train").n_pairs == 1
        with pytest.raises(vse.InputError, match="there is no Corel5k-test-sparse.arff in"):
            load_dataset("corel5k", from_folder=tmp_path, part="test")

    def test_captions_are_no_labels(self):
        with pytest.raises(vse.InputError, match=r"contains captions; read it with load_caption_set"):
            load_dataset("flickr8k-captions")

    def test_where_a_file_is_and_whom_to_trust_is_for_the_catalogue(self, tmp_path):
        (tmp_path / "a.csv").write_text("image,tag\na,b\n")
        for options in ({"from_folder": tmp_path}, {"trust": True}):
            with pytest.raises(vse.InputError, match="apply only to data sets that are downloaded by name"):
                load_dataset(tmp_path / "a.csv", **options)
        with pytest.raises(vse.UnknownNameError, match="unknown data set 'film'"):
            fetch_dataset("film")

    def test_entries_say_what_people_must_know(self):
        for entry in DATASETS.values():
            assert entry.description
            assert entry.licence
            assert entry.shipped or entry.citation
            for file in entry.files:
                assert file.checksum is None or len(file.checksum.rpartition(":")[2]) in (32, 64)


def test_the_real_corel5k_has_the_checksums(tmp_path, monkeypatch):
    from pathlib import Path

    folder = Path(__file__).parents[3] / "shared" / "data" / "corel5k"
    if not folder.exists():
        pytest.skip("the real files are not at hand")
    monkeypatch.setenv("VSENUMBA_DATA", str(tmp_path))
    for file in DATASETS["corel5k"].files:
        assert digest((folder / file.name).read_bytes()) == file.checksum
    assert load_dataset("corel5k", from_folder=folder, part="test").shape == (500, 374)
