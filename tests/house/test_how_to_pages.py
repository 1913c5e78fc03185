"""The Python of the pages on sharing, tracking, serving, updating and tuning runs, where what it imports is there."""

from __future__ import annotations

import re
import sys
import types
from importlib.util import find_spec
from pathlib import Path

import numba
import pytest
from local_hub import TOKEN, be_the_hub, local_hub

import vsenumba as vse
from vsenumba.cli.app import cli

PAGES = Path(__file__).parents[2] / "docs" / "how-to"

pytestmark = [
    pytest.mark.skipif(not PAGES.exists(), reason="the tests stand beside no documentation"),
    pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="takes minutes without the compiler"),
    pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning"),
]


def blocks_of(page):
    text = (PAGES / f"{page}.md").read_text(encoding="utf-8")
    return re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)


def need(*names):
    missing = [name for name in names if find_spec(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {}

    def runs(block):
        block = re.sub(r"n_epochs=\d+", "n_epochs=2", block)  # that it runs is what is tested
        exec(compile(block, "page", "exec"), names)  # noqa: S102  # it is our own
        return names

    return runs


def test_updating(run, capsys):
    first, second = blocks_of("update")
    names = run(first)
    assert re.search(r"old images: 0\.\d+ before, 0\.\d+ after; new images: 0\.\d+", capsys.readouterr().out)
    n_images = vse.load_model("model.h5").seen_.n_images
    assert n_images in (names["train"].n_images, names["everything"].n_images)
    run(second)
    assert "fresh, all images: 0." in capsys.readouterr().out


def test_tuning_by_a_grid(run):
    names = run(blocks_of("tune")[0].replace("[0.05, 0.1]", "[0.1]").replace("cv=3", "cv=2"))
    assert set(names["search"].best_params_) == {"learning_rate", "sampler__lam"}
    assert vse.load_model("model.h5").seen_.n_images == names["data"].n_images


def test_tuning_with_optuna(run):
    need("optuna")
    names = run(blocks_of("tune")[1].replace("n_trials=12", "n_trials=2"))
    assert len(names["study"].trials) == 2


@pytest.mark.filterwarnings("ignore")  # what MLflow does with its own libraries
def test_tracking_with_mlflow(run):
    need("mlflow")
    first, second, _ = blocks_of("track")
    names = run(first)
    (run_of_it,) = names["mlflow"].search_runs(output_format="list")
    assert run_of_it.data.metrics["mrr"] == names["model"].history_[-1]["mrr"]
    run(second)


def test_tracking_with_wandb(run):
    need("wandb")
    run(blocks_of("track")[2])
    assert list(Path("wandb").glob("offline-run-*"))


def test_the_callbacks_for_trackers_log_every_epoch(run, monkeypatch):
    """With stand-ins for the trackers, which are not among what the tests need."""
    logged = []
    mlflow = types.ModuleType("mlflow")
    for name in ("set_tracking_uri", "set_experiment", "start_run", "log_params", "end_run"):
        setattr(mlflow, name, lambda *_, name=name: logged.append(name))
    mlflow.log_metrics = lambda metrics, step: logged.append((step, metrics["mrr"]))
    monkeypatch.setitem(sys.modules, "mlflow", mlflow)
    model = run(blocks_of("track")[0])["model"]
    rows = [(record["epoch"], record["mrr"]) for record in model.history_]
    assert logged == ["set_tracking_uri", "set_experiment", "start_run", "log_params", *rows, "end_run"]

    logged.clear()
    wandb = types.ModuleType("wandb")
    wandb.init = lambda **_: types.SimpleNamespace(
        log=lambda metrics, step: logged.append((step, metrics["mrr"])), finish=lambda: logged.append("finish")
    )
    monkeypatch.setitem(sys.modules, "wandb", wandb)
    model = run(blocks_of("track")[2])["model"]
    assert logged == [*((record["epoch"], record["mrr"]) for record in model.history_), "finish"]


def test_serving(run, tmp_path, monkeypatch):
    need("fastapi", "httpx")
    from fastapi.testclient import TestClient

    monkeypatch.setenv("MODEL", str(tmp_path / "served.h5"))
    vse.PopularityAnnotator().fit([["fruit", "food"], ["food", "apple"]]).save("served.h5")
    client = TestClient(run(blocks_of("serve")[0])["app"])
    (suggested,) = client.post("/annotate", json={"labels": [["food"]]}).json()
    assert {one["label"] for one in suggested} == {"fruit", "apple"}
    assert "did you mean 'food'" in client.post("/annotate", json={"labels": [["foood"]]}).json()["detail"]
    vse.PopularityAnnotator().fit([["food", "pear"]]).save("served.h5")
    assert client.post("/annotate", json={"labels": [["food"]]}).json()[0][0]["label"] == "pear"


def test_sharing(run, monkeypatch, tmp_path, capsys):
    need("huggingface_hub", "safetensors")
    from click.testing import CliRunner

    push, load, card, tensors = blocks_of("share")
    with local_hub() as hub:
        be_the_hub(hub, monkeypatch, tmp_path)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        run(push)
        names = run(load)
        run(card)
    assert "Match(" in capsys.readouterr().out
    pushed = hub.files["me/clip-art-tags"]["main"]["README.md"].decode()
    assert "license: cc0-1.0" in pushed
    assert pushed.endswith("me@example.org.\n")
    names["model"].save("model.h5")
    assert CliRunner().invoke(cli, ["export", "model.h5", "-o", "vectors.safetensors"]).exit_code == 0
    names = run(tensors)
    assert names["names"] == list(names["model"].label_names)
    assert names["factors"].shape[0] == len(names["names"])
