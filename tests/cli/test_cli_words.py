"""``vsenumba words``: fit, evaluate, neighbors, analogy; what goes wrong ends in one line."""

from __future__ import annotations

import json
import warnings
from pathlib import Path

import numpy as np
import pytest

import vsenumba as vse

QUICK = ["--epochs", "1", "--factors", "4", "--min-count", "1", "--threads", "1"]


@pytest.fixture
def words(folder):
    model = vse.load_model("words.h5")
    return list(model.words_)


def test_fit_reads_text_and_says_what_it_did(succeeds, folder):
    outcome = succeeds("words", "fit", "notes.txt", "-o", "new.h5", *QUICK)
    assert outcome.out.startswith(
        "read     33 words of text, 0 of them rare and dropped; 17 distinct words\ntrained  1 "
    )
    assert outcome.out.endswith("saved    new.h5\n")
    assert "vsenumba words neighbors new.h5" in outcome.err
    model = vse.load_model("new.h5")
    assert isinstance(model, vse.WordEmbedder)
    assert model.word_factors_.shape == (17, 4)
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


def test_fit_for_machines_from_a_kept_corpus(succeeds, folder):
    first = json.loads(
        succeeds("words", "fit", "notes.txt", "-o", "a.h5", *QUICK, "--corpus", "corpus.h5", "--json").out
    )
    second = json.loads(succeeds("words", "fit", "corpus.h5", "-o", "b.h5", *QUICK, "--json").out)
    assert first["n_words"] == second["n_words"] == 17
    assert (first["n_tokens"], first["n_tokens_read"], first["n_unreadable"]) == (33, 33, 0)
    assert np.array_equal(vse.load_model("a.h5").word_factors_, vse.load_model("b.h5").word_factors_)


def test_fit_puts_kept_corpora_together(succeeds, folder):
    vse.Corpus.from_sentences([["a", "cat"], ["a", "dog"]]).save("one.h5")
    vse.Corpus.from_sentences([["the", "dog"]]).save("other.h5")
    succeeds("words", "fit", "one.h5", "other.h5", "-o", "a.h5", *QUICK)
    model = vse.load_model("a.h5")
    assert dict(zip(model.words_, model.counts_.tolist(), strict=True)) == {"a": 2, "dog": 2, "cat": 1, "the": 1}


def test_fit_takes_every_option(succeeds, folder):
    succeeds(
        "words", "fit", "notes.txt", "-o", "new.h5", *QUICK, "--architecture", "cbow", "--sampler", "adaptive", "--set",
        "lam=0.2", "--window", "3", "--subsample", "0.1", "--negatives", "2", "--draws-per", "pair", "--draws", "4",
        "--optimiser", "adagrad", "--learning-rate", "0.1", "--schedule", "cosine", "--max-vocab", "9",
        "--sentences", "paragraphs", "--checkpoint-every", "1",
    )  # fmt: skip
    model = vse.load_model("new.h5")
    assert (model.architecture, model.window, model.n_draws, model.schedule) == ("cbow", 3, 4, "cosine")
    assert model.draws_per == "pair"
    assert model.sampler == vse.AdaptiveSampler(lam=0.2)
    assert len(model.words_) == 9


def test_text_that_is_not_utf8_is_read_and_mentioned(succeeds, folder):
    Path("latin.txt").write_bytes(b"caf\xe9 bar foo\n" * 3)
    outcome = succeeds("words", "fit", "latin.txt", "-o", "new.h5", *QUICK)
    assert "3 characters are not valid UTF-8" in outcome.err


def test_neighbors_and_analogy(succeeds, words):
    outcome = succeeds("words", "neighbors", "words.h5", "cat", "oak", "-n", "2")
    assert outcome.out.count("cosine") == 2
    found = json.loads(succeeds("words", "neighbors", "words.h5", "cat", "-n", "2", "--json").out)
    assert found[0]["word"] == "cat"
    assert [one["name"] for one in found[0]["neighbors"]] == [
        one.name for one in vse.load_model("words.h5").neighbors("cat", 2)
    ]
    assert "cat : dog = oak : ?" in succeeds("words", "analogy", "words.h5", "cat", "dog", "oak").out
    found = json.loads(
        succeeds("words", "analogy", "words.h5", "cat", "dog", "oak", "--method", "3cosmul", "--json").out
    )
    assert len(found["answers"]) == 10


def test_evaluate_on_similarities_and_analogies(succeeds, words):
    Path("pairs.tsv").write_text("cat\tdog\t9\ncat\toak\t1\noak\telm\t8\ncat\tox\t3\n")
    Path("q.txt").write_text(": animals\ncat dog oak elm\n: other\ncat dog oak ox\n")
    outcome = succeeds("words", "evaluate", "words.h5", "pairs.tsv", "q.txt", "--sections")
    lines = [line.split() for line in outcome.out.splitlines()]
    assert lines[0] == ["similarity", "spearman", "pearson", "pairs", "skipped"]
    assert lines[1][0] == "pairs.tsv"
    assert lines[1][-4:] == ["3", "of", "4", "1"]
    assert [line[0] for line in lines[3:]] == ["analogies", "q.txt", "animals", "other"]
    assert lines[4][-4:] == ["1", "of", "2", "1"]
    results = json.loads(succeeds("words", "evaluate", "words.h5", "pairs.tsv", "q.txt", "--json").out)
    assert results["similarity"]["pairs.tsv"]["n_missing"] == 1
    assert results["analogies"]["q.txt"]["sections"]["other"]["accuracy"] is None
    expected = vse.evaluate_similarity(vse.load_model("words.h5"), "pairs.tsv")
    assert results["similarity"]["pairs.tsv"]["spearman"] == pytest.approx(expected.spearman)


def test_what_no_pair_or_question_defines_is_said_to_be_so(succeeds, words):
    """Found 2026-11: where all words were unknown, `nan` was printed, of "2 pairs" of which none was used."""
    Path("pairs.tsv").write_text("ox\tyak\t9\nyak\tgnu\t1\n")
    Path("q.txt").write_text("ox yak gnu elk\n")
    lines = succeeds("words", "evaluate", "words.h5", "pairs.tsv", "q.txt").out.splitlines()
    assert lines[1].split() == ["pairs.tsv", "undefined", "undefined", "0", "of", "2", "2"]
    assert lines[4].split() == ["q.txt", "undefined", "0", "of", "1", "1"]
    results = json.loads(succeeds("words", "evaluate", "words.h5", "pairs.tsv", "q.txt", "--json").out)
    assert results["similarity"]["pairs.tsv"] == {"spearman": None, "pearson": None, "n_pairs": 2, "n_missing": 2}


def test_analogies_among_words_that_differ_in_case_alone(succeeds, folder):
    """`--case-insensitive`, as gensim does: none of the words in upper case was known."""
    rows = [[1, 0], [1, 1], [-1, 0.2], [-1, 1.2], [0.1, -1]]
    vse.WordVectors(["MAN", "KING", "WOMAN", "QUEEN", "OX"], rows).save_word2vec("upper.vec")
    Path("q.txt").write_text("man king woman queen\n")
    words = ["words", "evaluate", "upper.vec", "q.txt", "--json"]
    assert json.loads(succeeds(*words).out)["analogies"]["q.txt"]["n_missing"] == 1
    scores = json.loads(succeeds(*words, "--case-insensitive").out)["analogies"]["q.txt"]
    assert (scores["accuracy"], scores["n_missing"]) == (1, 0)


@pytest.mark.parametrize("name", ["program", "wide.txt"])
def test_what_is_no_text_is_not_trained_on(fails, succeeds, folder, name):
    """`words fit` trained on a binary file."""
    Path("program").write_bytes(b"\x7fELF\2\1\1\0" + bytes(range(256)))
    Path("wide.txt").write_bytes("some text".encode("utf-16"))
    assert f"{name} is not text in UTF-8: it " in fails("words", "fit", name, "-o", "x.h5", *QUICK)
    Path("texts", "program").write_bytes(Path("program").read_bytes())
    with warnings.catch_warnings():
        warnings.simplefilter("default")  # in the tests they are errors
        outcome = succeeds("words", "fit", "texts", "-o", "x.h5", *QUICK)
    assert "warning: 1 of 2 files in texts cannot be read as text in UTF-8 and were skipped, such as program: it" in (
        outcome.err
    )


@pytest.mark.parametrize("ending", [".txt", ".vec", ".bin"])
def test_vectors_go_out_and_come_in(succeeds, words, ending):
    outcome = succeeds("export", "words.h5", "-o", f"v{ending}")
    assert outcome.out == f"saved v{ending}: the vectors of {len(words)} words, 4 factors each\n"
    same = [succeeds("words", "neighbors", name, "cat").out for name in ("words.h5", f"v{ending}")]
    assert same[0] == same[1]


def test_errors_are_one_line(fails, folder):
    Path("empty.txt").write_text("")
    Path("one.txt").write_text("a a a a a a")
    Path("bad.vec").write_text("2 2\na 1 2\nb 1\n")
    fit = ["words", "fit"]
    for words_, message in [
        ([*fit, "nowhere", "-o", "x.h5"], "cannot read nowhere: there is no such file or folder"),
        ([*fit, "empty.txt", "-o", "x.h5"], "no word is frequent enough"),
        ([*fit, "one.txt", "-o", "x.h5"], "the text has only one word, 'a'"),
        ([*fit, "notes.txt", "-o", "notes.txt"], "it is also an input file"),
        ([*fit, "notes.txt", "-o", "x.h5", "--corpus", "x.h5"], "cannot write both the model and --corpus to x.h5"),
        ([*fit, "notes.txt", "words.h5", "-o", "x.h5"], "words.h5 is a token file and notes.txt is not; give either"),
        ([*fit, "words.h5", "-o", "x.h5"], "a file of kind 'model', expected 'corpus'"),
        ([*fit, "notes.txt", "-o", "x.h5", "--architecture", "cbo"], "did you mean 'cbow'"),
        ([*fit, "notes.txt", "-o", "x.h5", "--sentences", "line"], "did you mean 'lines'"),
        ([*fit, "notes.txt", "-o", "x.h5", "--subsample", "-1"], "subsample must be finite and not negative"),
        (["words", "neighbors", "words.h5", "kat"], "unknown word 'kat'; did you mean 'cat'"),
        (
            ["words", "neighbors", "model.h5", "cat"],
            "holds a model of images and labels (image-annotator), not a model of words",
        ),
        (["words", "neighbors", "bad.vec", "a"], "line 3 must be a word and 2 values, found 2 fields"),
        (["words", "analogy", "words.h5", "cat", "dog", "ok"], "unknown word 'ok'; did you mean 'oak'"),
        (["words", "evaluate", "words.h5", "empty.txt"], "no line has two words and a number"),
        (["words", "evaluate", "words.h5", "nowhere"], "cannot read nowhere"),
        (
            ["annotate", "words.h5", "cat"],
            "holds a model of words (word-embedder), not a model of images and labels; see 'vsenumba words --help'",
        ),
        (["find", "words.h5", "cat"], "holds a model of words"),
        (["evaluate", "words.h5", "tags.csv"], "holds a model of words"),
    ]:
        assert message in fails(*words_)
