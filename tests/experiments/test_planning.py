"""What training is foretold to cost; times are measured, so that only what follows from them is tested."""

from __future__ import annotations

import numpy as np
import pytest

import vsenumba as vse
from vsenumba.experiments import Size, plan, planning
from vsenumba.experiments.pace import Pace, pace_of, sample

PACE = Pace(
    seconds_an_epoch=1.0, seconds_a_pair=1e-6, seconds_a_turn=0.02, seconds_a_merge=0.1, seconds_a_change=0.03,
    table_bytes=1_000_000, change_bytes=500_000, image_bytes=100,
)  # fmt: skip


def quick(inputs="ids", **parameters):
    return vse.ImageAnnotator(inputs, **{"n_factors": 4, "n_threads": 1} | parameters)


def test_an_optimiser_without_sums_is_planned_for_too():
    """Sums that are not there were asked for images' rows."""
    assert pace_of(quick("ids", optimiser="sgd"), vse.synthetic(60, 12, 300, rng=0), 50).image_bytes == 4 * 4


@pytest.mark.parametrize("inputs", ["ids", "labels", "features"])
def test_a_pace_is_of_the_tables_that_are_trained(inputs):
    data = vse.synthetic(60, 12, 300, rng=0)
    data = data.with_features(np.random.default_rng(0).random((60, 3)))
    pace = pace_of(quick(inputs), data, 50)
    model = quick(inputs, n_epochs=1, max_neighbours=0).fit(data)
    of_all = [name for name in model._memory if name != "image_factors"]
    assert pace.table_bytes >= sum(model.tables_[name].nbytes + model._memory[name].nbytes for name in of_all)
    assert pace.image_bytes == (4 * 4 + 4 if inputs == "ids" else 0)
    assert 0 < pace.change_bytes <= 2 * pace.table_bytes
    assert pace.seconds_a_pair > 0
    assert pace.seconds_a_turn > 0
    assert min(pace.seconds_an_epoch, pace.seconds_a_merge, pace.seconds_a_change) >= 0


def test_a_sample_has_all_labels_and_about_so_many_pairs():
    data = vse.synthetic(500, 40, 3000, rng=0)
    some = sample(data, 1000)
    assert some.label_names == data.label_names
    assert 1000 <= some.n_pairs <= 1000 + data.labels_per_image.max()
    assert sample(data, 3000) is data


def test_an_epoch_on_a_cluster_is_turns_merges_and_sending(monkeypatch):
    monkeypatch.setattr(planning, "pace_of", lambda model, data, pairs: PACE)
    size = Size(1_000_000, 500, 8_000_000)
    alone, four = plan(size, quick(), n_workers=4, bandwidth=1e8).estimates
    assert (alone.where, alone.seconds, alone.sending, alone.bytes_sent) == ("this machine", 9.0, 0, 0)
    sent = 16 * 3 * 1_500_000 + 1_000_000 + 1_000_000 * 100 / 10
    turns, merges = 2.0 + 16 * (0.02 + 0.015), 16 * (0.1 + 4 * 0.03 + 0.015)
    assert four.seconds == pytest.approx(turns + merges + sent / 1e8)
    assert four.sending == pytest.approx(sent / 1e8 / four.seconds)
    assert four.bytes_sent == pytest.approx(sent / 4)
    assert alone.memory > 1_000_000 * 100 + 4 * 8_000_000
    assert four.memory < alone.memory / 2 + 350e6
    # Two workers a machine share its cores; one worker sends to nobody, but what it has learnt.
    shared = plan(size, quick(), n_workers=4, bandwidth=1e8, n_machines=2).estimates[1]
    assert shared.seconds == pytest.approx(2 * turns + merges + sent / 1e8)
    one = plan(size, quick(), n_workers=1).estimates[1]
    assert (one.where, one.bytes_sent) == ("1 worker", 11_000_000)


def test_the_fastest_that_fits_is_chosen(monkeypatch):
    monkeypatch.setattr(planning, "pace_of", lambda model, data, pairs: PACE)
    small, large = Size(1_000, 500, 100_000), Size(10_000_000, 500, 800_000_000)
    assert plan(small, quick()).chosen == "this machine"
    found = plan(large, quick())
    assert found.chosen == "4 workers"
    assert found.why.startswith("this machine: 3.")
    assert "times as long" in found.why
    monkeypatch.setattr(planning, "available_bytes", lambda: 3_000_000_000)
    found = plan(large, quick())
    assert found.chosen == "4 workers"
    assert "GB, which does not fit into memory" in found.why
    monkeypatch.setattr(planning, "available_bytes", lambda: 1)
    assert "it does not fit into memory: use more workers" in plan(large, quick()).why
    monkeypatch.setattr(planning, "available_bytes", lambda: 1 << 60)
    monkeypatch.setattr(planning, "seconds_an_epoch", lambda model, data: (1000, 1e-6))
    found = plan(large, quick(device="cuda"))
    assert [one.where for one in found.estimates] == ["this machine", "a GPU", "4 workers"]
    assert found.chosen == "a GPU"
    assert found.estimates[1].seconds == pytest.approx(0.8)
    assert found.to_json()["estimates"][1]["where"] == "a GPU"


@pytest.mark.parametrize(
    ("size", "message"),
    [((0, 1, 1), "at least one image"), ((10, 2, 5), "cannot have 5"), ((2, 2, 5), "cannot have 5")],
)
def test_sizes_that_no_set_has_are_refused(size, message):
    with pytest.raises(vse.InputError, match=message):
        Size(*size)


@pytest.mark.parametrize("wrong", [{"n_workers": 0}, {"n_machines": 1.5}, {"bandwidth": 0}, {"bandwidth": "10Gb"}])
def test_numbers_that_cannot_be_used_are_refused(wrong):
    with pytest.raises(vse.InputError, match=next(iter(wrong))):
        plan(Size(10, 5, 20), quick(), **wrong)


def test_a_made_up_set_has_the_labels_and_the_pairs_an_image_of_its_size():
    assert Size(50, 8, 200).like_it().shape == (50, 8)
    large = Size(2_000_000, 100, 40_000_000).like_it()
    assert (large.n_labels, large.n_pairs) == (100, 1_000_000)
    assert large.n_images == 50_000
