"""One job of the word vector benchmark; see `benchmarks.own_process`."""

from __future__ import annotations

import json
import sys
import time
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def encode(texts: list[str], file: str) -> dict[str, Any]:
    """Read text into a token file."""
    from benchmarks.memory import peak_bytes
    from vsenumba import Corpus

    started = time.perf_counter()
    corpus = Corpus.from_text(texts, file)
    seconds = time.perf_counter() - started
    return {
        "tokens_read": corpus.about["n_tokens_read"],
        "tokens": corpus.n_tokens,
        "words": corpus.n_words,
        "sentences": corpus.n_sentences,
        "seconds": seconds,
        "words_per_second": corpus.about["n_tokens_read"] / seconds,
        "peak_bytes": peak_bytes(),
    }


def write_lines(file: str, lines: str) -> dict[str, Any]:
    """Write the words of a token file as text with one sentence per line, the fastest input of gensim."""
    from vsenumba import Corpus

    corpus = Corpus.load(file)
    words = [str(word) for word in corpus.words]
    with Path(lines).open("w", encoding="utf-8") as target:
        for begin, end in zip(corpus.offsets[:-1], corpus.offsets[1:], strict=True):
            target.write(" ".join([words[token] for token in corpus.tokens[begin:end]]) + "\n")
    return {}


def ours(file: str, parameters: Mapping[str, Any], tests: Mapping[str, Any]) -> dict[str, Any]:
    """Train a WordEmbedder and evaluate it."""
    from benchmarks.memory import peak_bytes
    from vsenumba import AdaptiveSampler, Corpus, WordEmbedder
    from vsenumba.samplers import as_sampler
    from vsenumba.training.text import as_architecture
    from vsenumba.training.text.draws import DRAWS_PER

    settings = dict(parameters)
    if settings["sampler"] == "adaptive":
        settings["sampler"] = AdaptiveSampler(lam=settings.pop("lam"))
    corpus = Corpus.load(file)
    # Compile, or load compiled code from the cache, before the clock starts.
    WordEmbedder(**settings).fit([["a", "b", "c"]])
    started = time.process_time()
    model = WordEmbedder(**settings).fit(corpus)
    processor_seconds = time.process_time() - started
    peak = peak_bytes()
    last = model.history_[-1]
    draws_per = parameters["draws_per"] or ("window" if as_sampler(settings["sampler"]).by_vector else "block")
    per_negative = as_architecture(parameters["architecture"]).draws_per_negative[draws_per]
    n_draws = parameters["n_draws"] or parameters["n_negatives"] * per_negative
    # The rows of a window: its centre, the other words (on average one more than the maximum on each side), and the
    # negatives, which are shared by a block or belong to each pair. All rows are read and written.
    others = 1 + parameters["window"]
    rows = 1 + others + n_draws / (DRAWS_PER[draws_per] or 1 / others)
    return {
        "words_per_second": corpus.n_tokens * len(model.history_) / last["seconds"],
        "words_per_processor_second": corpus.n_tokens * len(model.history_) / processor_seconds,
        "windows_per_second": float(model.history_["kept"].sum() / last["seconds"]),
        "window_bytes": 2 * 4 * parameters["n_factors"] * rows,
        "peak_bytes": peak,
        "bound_bytes": int(1.3 * sum(table.nbytes for table in model.tables_.values())) + 300_000_000,
        **quality(model.word_vectors_, tests),
    }


def gensim(lines: str, parameters: Mapping[str, Any], tests: Mapping[str, Any]) -> dict[str, Any]:
    """Train gensim's Word2Vec from a file of lines, its fastest input, and evaluate it."""
    from benchmarks.memory import peak_bytes
    from vsenumba import WordVectors

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its imports
        from gensim.models import Word2Vec
    model = Word2Vec(min_count=1, hs=0, **parameters)
    model.build_vocab(corpus_file=lines)
    started, processor_started = time.perf_counter(), time.process_time()
    model.train(
        corpus_file=lines, total_words=model.corpus_total_words, total_examples=model.corpus_count, epochs=model.epochs
    )
    seconds, processor_seconds = time.perf_counter() - started, time.process_time() - processor_started
    return {
        "words_per_second": model.corpus_total_words * model.epochs / seconds,
        "words_per_processor_second": model.corpus_total_words * model.epochs / processor_seconds,
        "peak_bytes": peak_bytes(),
        **quality(WordVectors(model.wv.index_to_key, model.wv.vectors), tests),
    }


def quality(vectors: Any, tests: Mapping[str, Any]) -> dict[str, Any]:
    """Return Spearman's correlation on each half of every similarity set, and the accuracy of analogies."""
    from vsenumba import evaluate_analogies, evaluate_similarity
    from vsenumba.evaluation import read_pairs

    pairs = {Path(file).stem: read_pairs(file) for file in tests["similarity"]}
    result = {
        half: {name: evaluate_similarity(vectors, rows[first::2]).spearman for name, rows in pairs.items()}
        for first, half in enumerate(("choosing", "reporting"))
    }
    if tests["analogies"]:
        result["analogies"] = evaluate_analogies(vectors, tests["analogies"]).accuracy
    return result


if __name__ == "__main__":
    job = json.load(sys.stdin)
    sys.path[:] = [*job.pop("path"), str(Path(__file__).parents[1])]
    tasks = {"encode": encode, "write_lines": write_lines, "ours": ours, "gensim": gensim}
    print(json.dumps(tasks[job.pop("task")](**job)))
