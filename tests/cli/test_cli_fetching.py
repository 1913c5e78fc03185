"""The command line: sets of the catalogue are fetched, or read where they are."""

from __future__ import annotations

import hashlib
import json

import pytest
from local_server import local_server

from vsenumba.data import DATASETS, DataSet, RemoteFile

pytest.importorskip("pooch")

TAGS = b"image,tag\na.jpg,cat\nb.jpg,dog\n"


@pytest.fixture
def server(folder, monkeypatch):
    """Serve two sets of the catalogue, one with a checksum."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("VSENUMBA_DATA", str(folder / "cache"))
    with local_server() as server:
        for name, checksum in (("known", hashlib.sha256(TAGS).hexdigest()), ("unknown", None)):
            server.content[f"{name}.csv"] = TAGS
            file = RemoteFile(server.address(f"{name}.csv"), len(TAGS), checksum)
            entry = DataSet(
                name=name,
                description="d",
                licence="free",
                source="s",
                files=(file,),
                paths={"": file.name},
                citation="c",
            )
            monkeypatch.setitem(DATASETS, name, entry)
        yield server


def test_a_set_is_fetched_once_and_used_by_name(succeeds, folder, server):
    out = succeeds("data", "fetch", "known").out
    assert out == f"saved known in {folder / 'cache' / 'known' / 'known.csv'}\nlicence: free\ncite: c\n"
    assert succeeds("data", "import", "known", "-o", "known.h5").out.startswith("saved known.h5: 2 images, 2 labels")
    assert json.loads(succeeds("data", "info", "known", "--json").out)["n_pairs"] == 2
    assert server.asked == [""]


def test_without_a_checksum_trust_is_asked_for(succeeds, fails, folder, server):
    assert "use --trust" in fails("data", "fetch", "unknown")
    succeeds("data", "import", "unknown", "-o", "unknown.h5", "--trust")
    succeeds("data", "info", "unknown")


def test_files_at_hand_are_not_fetched(succeeds, fails, folder, server):
    (folder / "there").mkdir()
    (folder / "there" / "known.csv").write_bytes(TAGS)
    succeeds("data", "import", "known", "--from", "there", "-o", "known.h5")
    assert server.asked == []
    said = fails("data", "import", "tags.csv", "--from", "there", "-o", "b.h5")
    assert "apply only to data sets that are downloaded by name, and 'tags.csv' is not" in said
    assert "download it yourself from https" in fails("data", "fetch", "nus-wide-81")


def test_the_list_says_what_takes_trust_and_what_is_got_by_hand(succeeds):
    lines = {line.split()[0]: line for line in succeeds("data", "list").out.splitlines()}
    assert "built-in" in lines["openclipart"]
    assert "manual" in lines["nus-wide-81"]
    assert "--trust" in lines["ml-latest-small"]
    assert "--trust" not in lines["ml-25m"]
    entries = {one["name"]: one for one in json.loads(succeeds("data", "list", "--json").out)}
    assert entries["corel5k"]["files"][3][0].endswith("Corel5k.xml")
