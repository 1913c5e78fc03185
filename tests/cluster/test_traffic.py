"""What workers send is what a plan foretells, however many pairs there are."""

from __future__ import annotations

import pytest

import vsenumba as vse
from vsenumba.experiments import plan

distributed = pytest.importorskip("distributed")

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def bytes_sent(client):
    return sum(client.run(lambda dask_worker: dask_worker.transfer_outgoing_bytes_total).values())


def test_workers_send_what_is_foretold(client):
    sent = {}
    for n_pairs in (20_000, 60_000):
        data = vse.synthetic(5_000, 1_000, n_pairs, rng=0)
        model = vse.ImageAnnotator("labels", max_neighbours=0, n_threads=1, random_state=0, n_epochs=2)
        before = bytes_sent(client)
        model.fit(data, client=client)
        sent[n_pairs] = (bytes_sent(client) - before) / 2
        foretold = 2 * plan(data, model, n_workers=2).estimates[1].bytes_sent
        assert sent[n_pairs] == pytest.approx(foretold, rel=0.1)
    # Each row is sent once a round, however many pairs have it; most move in every one.
    assert sent[60_000] < 1.3 * sent[20_000]
