"""A notebook, executed: what people see of sets, models, scores, comparisons, progress and plots."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

PREPARE = """
import warnings
warnings.simplefilter("error")
import numpy as np
import vsenumba as vse
odd = "<script>alert('x')</script>"
lists = [[odd, "animal", "cat"], ["animal", "dog"], ["plant", "oak"], ["plant", "rose", odd], ["plant", "rose"]] * 6
data = vse.AnnotationSet.from_lists(lists)
train, test = vse.leave_one_out(data, rng=0)
def fitted(**parameters):
    model = vse.ImageAnnotator(n_factors=4, n_epochs=3, n_threads=1, random_state=0, **parameters)
    return model.fit(train, validation=test)
model = fitted(sampler="adaptive")
comparison, _ = vse.compare(data, samplers=["uniform", "adaptive"], n_epochs=2, n_seeds=1, by="popularity")
captions = vse.CaptionSet.from_lists(np.eye(4), [["a cat", odd], ["a dog"], ["an oak"], ["a rose"]])
corpus = vse.Corpus.from_sentences([["the", odd, "sat"], ["the", "dog", "sat"]])
vectors = vse.WordVectors([odd, "dog"], np.eye(2))
numbers = np.arange(4)
"""

# What a cell shows, and texts of its table.
TABLES = {
    "data": ["AnnotationSet", "30", "most common labels"],
    "captions": ["CaptionSet", "a dog"],
    "corpus": ["Corpus", "different words"],
    "vectors": ["WordVectors", "1.0000"],
    "vse.ImageAnnotator(n_epochs=7)": ["ImageAnnotator", "not fitted", "n_epochs", "7", "30"],
    "model": ["ImageAnnotator", "fitted", "30 images, 7 labels", "3 epochs", "mrr", "adaptive"],
    "vse.PopularityAnnotator().fit(train)": ["PopularityAnnotator", "fitted"],
    "vse.EaseAnnotator(l2=2.0).fit(train)": ["EaseAnnotator", "fitted", "l2"],
    "vse.WordEmbedder(n_factors=3, n_epochs=1, random_state=0).fit(corpus)": ["WordEmbedder", "4 different words"],
    "vse.CrossModalRetriever(n_factors=3, word_factors=3, min_count=1, n_epochs=1, random_state=0).fit(captions)": [
        "CrossModalRetriever",
        "4 images, 5 captions",
    ],
    'vse.evaluate(model, test, exclude=train, by="label")': ["Scores", "recall@5", "GroupScores by label"],
    "vse.evaluate_vectors(np.eye(4), np.eye(4), numbers, numbers)": ["RetrievalScores", "median_rank", "images for a"],
    'vse.evaluate_similarity(vectors, [("dog", odd, 1), ("dog", "ox", 2)])': ["SimilarityScores", "1 of 2 pairs"],
    'vse.evaluate_analogies(vectors, {odd: [("dog", odd, "dog", odd)]})': ["AnalogyScores", "section"],
    "model.history_": ["History", "3 epochs", "loss"],
    "comparison": ["Comparison", "uniform", "EASE", "best mrr"],
    "comparison.runs[0]": ["Run", "uniform", "seed 0"],
}
PLOTS = [
    "vse.plot.convergence(comparison)",
    'vse.plot.convergence({"mine": model}, x="epoch")',
    'vse.plot.law(model, "0", n_draws=100)',
    "vse.plot.groups(comparison)",
    'vse.plot.groups(vse.evaluate(model, test, exclude=train, by="label"))',
    "vse.plot.popularity(data)",
    'vse.plot.contact_sheet(np.zeros((2, 4, 4, 3), np.uint8), ["one", "two"])',
]
PROGRESS = "_ = fitted().fit(train, callbacks=vse.ProgressBar())"


class Shape(HTMLParser):
    """Collects the elements, their ids and the text of a piece of HTML, and whether its tags are closed."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.open, self.text, self.attributes = set(), [], "", []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.open.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Execute one notebook with all cells, for kernels take seconds to start; return the outputs of each cell."""
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    cells = [PREPARE, *TABLES, PROGRESS, *PLOTS]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    client = nbclient.NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": tmp_path_factory.mktemp("work")}}
    )
    client.execute()
    return {cell.source: cell.outputs for cell in notebook.cells}


def data_of(output):
    assert output.output_type in ("execute_result", "display_data"), output
    return output.data


class TestNotebook:
    def test_the_preparation_prints_nothing(self, outputs):
        assert outputs[PREPARE] == []

    @pytest.mark.parametrize("source", TABLES)
    def test_tables_are_safe_small_and_of_any_theme(self, outputs, source):
        (output,) = outputs[source]
        html = data_of(output)["text/html"]
        shape = Shape(html)
        assert shape.open == []
        assert not {"script", "style", "link", "img"} & shape.tags
        assert not re.search(r"#[0-9a-f]{3}|rgb\(|background:(?!currentColor)|(?<![-\w])color:(?!inherit)", html)
        assert not {"id", "class", "onclick"} & {name for name, _ in shape.attributes}
        assert len(html) < 12_000
        for text in TABLES[source]:
            assert text in shape.text
        assert len(output.data["text/plain"].splitlines()) < 20
        assert "array(" not in output.data["text/plain"]

    @pytest.mark.parametrize("source", ["data", "captions", "corpus", "vectors", [*TABLES][10], [*TABLES][13]])
    def test_names_are_text(self, outputs, source):
        (output,) = outputs[source]
        assert "<script>alert('x')</script>" in Shape(output.data["text/html"]).text

    def test_progress_is_one_line_that_stays(self, outputs):
        (output,) = outputs[PROGRESS]
        data = data_of(output)
        assert re.fullmatch(r"training: 3 of 3 epochs, \d+ s, .* M steps/s, loss \d\.\d+", data["text/plain"])
        assert "3 of 3 epochs" in Shape(data["text/html"]).text

    @pytest.mark.parametrize("source", PLOTS)
    def test_plots_are_shown_once(self, outputs, source):
        images = [one for one in outputs[source] if "image/png" in data_of(one)]
        assert len(images) == 1
        assert len(outputs[source]) <= 2
