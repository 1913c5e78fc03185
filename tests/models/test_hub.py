"""Sharing models through a hub: upload and download against a stand-in on this machine, and each way to fail."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest
from local_hub import TOKEN, be_the_hub, local_hub, point_to
from worlds import WORLDS

import vsenumba as vse
from vsenumba.models import Annotator

PLAIN = vse.AnnotationSet.from_lists([["cat", "pet"], ["cat", "animal"], ["pet", "animal"], ["cat"]])


def small():
    return vse.PopularityAnnotator().fit(PLAIN)


def be_offline(value, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", value)
    # Early versions look at it when they make a session.
    getattr(importlib.import_module("huggingface_hub.utils._http"), "reset_sessions", lambda: None)()


@pytest.fixture
def hub(monkeypatch, tmp_path):
    pytest.importorskip("huggingface_hub", reason="huggingface-hub is not installed")
    with local_hub() as server:
        be_the_hub(server, monkeypatch, tmp_path)
        yield server


@pytest.fixture
def hasty(monkeypatch):
    """Fixture in which huggingface-hub tries again at once."""
    monkeypatch.setattr("time.sleep", lambda _: None)


# What huggingface-hub itself does when it uploads a file without its own protocol.
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def answers_of(model, data):
    if isinstance(model, vse.WordEmbedder):
        return model.neighbors("w0")
    if isinstance(model, vse.CrossModalRetriever):
        return model.embed_images(data.images).tolist()
    return model.annotate(list(data.image_ids)[:3])


BASELINES = {"ease": vse.EaseAnnotator(l2=1.0), "popularity": vse.PopularityAnnotator()}


@pytest.mark.parametrize("name", [*WORLDS, *BASELINES])
def test_what_is_pushed_answers_the_same_when_it_is_loaded(hub, tmp_path, name):
    data = WORLDS[name].data if name in WORLDS else PLAIN
    model = (WORLDS[name].make() if name in WORLDS else BASELINES[name]).fit(data)
    address = model.push_to_hub("me/model", token=TOKEN)
    assert address == f"{hub.address}/me/model/commit/1234567"
    assert sorted(hub.files["me/model"]["main"]) == ["README.md", "model.h5"]
    assert hub.files["me/model"]["main"]["README.md"].decode() == model.model_card(repo_id="me/model")
    loaded = type(model).from_pretrained("me/model", cache_dir=tmp_path)
    assert type(loaded) is type(model)
    assert answers_of(loaded, data) == answers_of(model, data)
    # Only the model's own file.
    assert {request.partition("/resolve/")[2] for request in hub.asked if "/resolve/" in request} == {"main/model.h5"}
    # It is kept: without the server it loads again.
    hub.fails["/"] = 404
    assert answers_of(type(model).from_pretrained("me/model", cache_dir=tmp_path), data) == answers_of(model, data)


class TestPushing:
    def test_what_is_said_of_the_repository_and_the_commit_reaches_it(self, hub):
        small().push_to_hub("me/model", token=TOKEN, private=True, card="# Mine\n", commit_message="First")
        assert (hub.created[0]["name"], hub.created[0]["organization"]) == ("model", "me")
        assert hub.created[0].get("private") or hub.created[0].get("visibility") == "private"
        assert hub.messages == ["First"]
        assert hub.files["me/model"]["main"]["README.md"] == b"# Mine\n"

    def test_a_repository_is_made_as_the_hub_does_it_unless_said_otherwise(self, hub):
        small().push_to_hub("me/model", token=TOKEN)
        assert not hub.created[0].get("private")
        assert hub.created[0].get("visibility") in (None, "public")
        assert hub.messages == ["Upload PopularityAnnotator"]

    def test_a_push_replaces_the_last_one(self, hub, tmp_path):
        small().push_to_hub("me/model", token=TOKEN)
        vse.PopularityAnnotator().fit([["oak", "tree"]]).push_to_hub("me/model", token=TOKEN)
        loaded = vse.PopularityAnnotator.from_pretrained("me/model", cache_dir=tmp_path)
        assert list(loaded.label_names) == ["oak", "tree"]

    def test_a_branch_is_made_and_is_apart(self, hub, tmp_path):
        small().push_to_hub("me/model", token=TOKEN)
        other = vse.PopularityAnnotator().fit([["oak", "tree"]])
        for _ in range(2):
            other.push_to_hub("me/model", token=TOKEN, revision="trees")
        load = vse.PopularityAnnotator.from_pretrained
        assert list(load("me/model", cache_dir=tmp_path, revision="trees").label_names) == ["oak", "tree"]
        assert load("me/model", cache_dir=tmp_path).n_features_in_ == 3

    def test_a_pull_request_leaves_the_branch_as_it_is(self, hub):
        small().push_to_hub("me/model", token=TOKEN)
        before = dict(hub.files["me/model"]["main"])
        other = vse.PopularityAnnotator().fit([["oak", "tree"]])
        address = other.push_to_hub("me/model", token=TOKEN, create_pr=True)
        assert address.endswith("/me/model/discussions/1")
        assert hub.files["me/model"]["main"] == before
        # To one that is open already, more can be pushed.
        small().push_to_hub("me/model", token=TOKEN, revision="refs/pr/1")
        assert not any("/branch/" in request for request in hub.asked)

    def test_without_a_token_it_says_how_to_log_in(self, hub):
        for token in (None, "wrong"):
            with pytest.raises(
                vse.InputError, match=r"^you may not write to me/model: check the name, and log in with"
            ):
                small().push_to_hub("me/model", token=token)
        assert hub.files == {}

    @pytest.mark.parametrize("part", ["/repos/create", "/preupload/", "/batch", "/blobs/", "/commit/"])
    def test_a_server_that_fails_is_named(self, hub, hasty, part):
        hub.fails[part] = 500
        with pytest.raises(
            vse.InputError, match=r"^cannot upload to me/model: http://\S+ returned status 500.*try again later$"
        ):
            small().push_to_hub("me/model", token=TOKEN)

    def test_a_model_that_is_not_fitted_is_refused_before_anything_is_sent(self, hub):
        from sklearn.exceptions import NotFittedError

        with pytest.raises(NotFittedError):
            vse.PopularityAnnotator().push_to_hub("me/model", token=TOKEN)
        assert hub.asked == []


class TestLoading:
    @pytest.fixture
    def loads(self, hub, tmp_path):
        small().push_to_hub("me/model", token=TOKEN)
        return lambda repo="me/model", model=vse.PopularityAnnotator, **settings: model.from_pretrained(
            repo, cache_dir=tmp_path, **settings
        )

    def test_a_base_accepts_every_model_below_it_and_others_are_refused(self, loads):
        assert isinstance(loads(model=Annotator), vse.PopularityAnnotator)
        with pytest.raises(vse.InputError, match="holds a model of images and labels .*, not a model of words"):
            loads(model=vse.WordEmbedder)

    def test_what_is_not_there_is_named(self, hub, loads):
        with pytest.raises(vse.InputError, match=r"^there is no repository me/other, or it is private: check the name"):
            loads("me/other")
        with pytest.raises(vse.InputError, match=r"^me/model has no revision 'v7': give an existing branch"):
            loads(revision="v7")
        del hub.files["me/model"]["main"]["model.h5"]
        with pytest.raises(vse.InputError, match=r"^me/model has no file model.h5: it contains no model uploaded"):
            loads()

    def test_what_is_private_needs_a_token(self, hub, loads):
        hub.private.add("me/model")
        with pytest.raises(vse.InputError, match=r"it is private: .*'hf auth login' or pass token"):
            loads()
        assert loads(token=TOKEN).n_features_in_ == 3

    def test_what_is_gated_says_where_to_ask(self, hub, loads):
        hub.gated.add("me/model")
        with pytest.raises(
            vse.InputError, match=r"^access to me/model is restricted: request it at http\S+/me/model, "
        ):
            loads(token=TOKEN)

    @pytest.mark.parametrize("status", [401, 403])
    def test_a_refusal_is_no_riddle(self, hub, hasty, loads, status):
        hub.fails["/resolve/"] = status
        with pytest.raises(vse.InputError, match="log in with 'hf auth login' or pass token="):
            loads()

    def test_a_server_that_fails_is_named(self, hub, hasty, loads):
        hub.fails["/resolve/"] = 500
        with pytest.raises(
            vse.InputError, match=r"^cannot download me/model: http://\S+ returned status 500; try again later$"
        ):
            loads()

    def test_a_server_that_is_not_there_is_named(self, hub, hasty, loads, monkeypatch):
        point_to("http://127.0.0.1:9", monkeypatch)
        with pytest.raises(vse.InputError, match=r"http://127.0.0.1:9 cannot be reached \(.*\); check the network"):
            loads()
        with pytest.raises(vse.InputError, match=r"^cannot upload to me/model: http://127.0.0.1:9 cannot be reached"):
            small().push_to_hub("me/model", token=TOKEN)

    def test_offline_only_what_was_downloaded_loads(self, hub, loads, monkeypatch):
        be_offline(True, monkeypatch)
        with pytest.raises(vse.InputError, match="^cannot download me/model: huggingface-hub is offline; unset HF_HUB"):
            loads()
        be_offline(False, monkeypatch)
        loads()
        be_offline(True, monkeypatch)
        assert loads().n_features_in_ == 3
        with pytest.raises(vse.InputError, match="^cannot upload to me/model: huggingface-hub is offline"):
            small().push_to_hub("me/model", token=TOKEN)
        be_offline(False, monkeypatch)

    def test_a_download_that_breaks_off_is_not_loaded(self, hub, hasty, loads):
        hub.breaks_after = 1000
        with pytest.raises(vse.InputError, match="^cannot download me/model: .*(try again|check the network)"):
            loads()
        hub.breaks_after = None
        assert loads().n_features_in_ == 3

    @pytest.mark.parametrize("damage", ["cut", "changed", "another"])
    def test_a_file_that_was_tampered_with_is_refused(self, hub, loads, damage):
        content = hub.files["me/model"]["main"]["model.h5"]
        at = content.index(b"cat")
        damaged = {"cut": content[:-100], "changed": content[:at] + b"rat" + content[at + 3 :], "another": b"PK\3\4"}
        hub.files["me/model"]["main"]["model.h5"] = damaged[damage]
        with pytest.raises(vse.FileFormatError, match="it was downloaded from me/model: delete it and try again"):
            loads()

    def test_a_name_that_is_none_is_refused_before_anything_is_sent(self, hub, loads):
        asked = len(hub.asked)
        for name in ("a/b/c", "no blanks", "me/../x", ""):
            with pytest.raises(vse.InputError, match=r"expected 'user/name', or a folder|has no file model.h5"):
                loads(name)
        assert len(hub.asked) == asked

    def test_messages_are_one_line(self, hub, hasty, loads):
        hub.fails["/resolve/"] = 418
        with pytest.raises(vse.InputError) as caught:
            loads("me/model", revision="a\x1b[31m\nb")
        assert "\n" not in str(caught.value)
        assert "\x1b" not in str(caught.value)


class TestFolders:
    def test_a_folder_is_read_without_the_hub(self, tmp_path, monkeypatch):
        monkeypatch.setitem(sys.modules, "huggingface_hub", None)
        small().save(tmp_path / "model.h5")
        assert vse.PopularityAnnotator.from_pretrained(tmp_path).n_features_in_ == 3
        assert vse.PopularityAnnotator.from_pretrained(str(tmp_path)).n_features_in_ == 3

    def test_a_folder_without_a_model_and_a_file_are_refused(self, tmp_path):
        with pytest.raises(vse.InputError, match=r"has no file model.h5; use load_model for files"):
            vse.PopularityAnnotator.from_pretrained(tmp_path)
        small().save(tmp_path / "mine.h5")
        with pytest.raises(vse.InputError, match="is a file; use load_model"):
            vse.PopularityAnnotator.from_pretrained(tmp_path / "mine.h5")

    def test_a_damaged_file_is_named_as_ever(self, tmp_path):
        (tmp_path / "model.h5").write_bytes(b"nothing")
        with pytest.raises(vse.FileFormatError) as caught:
            vse.PopularityAnnotator.from_pretrained(tmp_path)
        assert "downloaded" not in str(caught.value)

    def test_members_of_ones_own_are_handed_on(self, tmp_path):
        from vsenumba.samplers import UniformSampler

        class Mine(UniformSampler):
            name = "mine"

        model = vse.ImageAnnotator(sampler=Mine(), n_factors=2, n_epochs=1, random_state=0)
        model.fit(vse.synthetic(20, 6, 60, rng=0)).save(tmp_path / "model.h5")
        with pytest.raises(vse.FileFormatError, match="mine"):
            vse.ImageAnnotator.from_pretrained(tmp_path)
        loaded = vse.ImageAnnotator.from_pretrained(tmp_path, members=Mine)
        assert np.array_equal(loaded.label_factors_, model.label_factors_)
        assert "from_pretrained('user/name', members=[Mine])" in model.model_card()


def test_without_huggingface_hub_it_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for call in (lambda: small().push_to_hub("me/model"), lambda: vse.PopularityAnnotator.from_pretrained("me/model")):
        with pytest.raises(vse.InputError, match=r'pip install "vsenumba\[hub\]"$'):
            call()
