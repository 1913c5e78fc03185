"""Similarities and analogies against the libraries' own correlations and a plain loop; their files."""

from __future__ import annotations

import importlib.util
import warnings

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import factor_tables

import vsenumba as vse
from vsenumba.data import ANALOGIES
from vsenumba.errors import FileFormatError, InputError, UnknownNameError
from vsenumba.evaluation import has_questions, read_pairs, read_questions


def named(table):
    return vse.WordVectors([f"w{i}" for i in range(len(table))], table)


@given(table=factor_tables(max_rows=6), data=st.data())
def test_correlations_are_those_of_scipy(table, data):
    word = st.integers(0, len(table) + 1)
    pairs = data.draw(st.lists(st.tuples(word, word, st.integers(0, 3)), min_size=1, max_size=12))
    scores = vse.evaluate_similarity(named(table), [(f"w{a}", f"W{b}", c) for a, b, c in pairs])
    known = [(a, b, c) for a, b, c in pairs if max(a, b) < len(table) and table[a].any() and table[b].any()]
    assert (scores.n_pairs, scores.n_missing) == (len(pairs), len(pairs) - len(known))
    exact = named(table).directions().astype(np.float64)
    cosines = [float((exact[a] * exact[b]).sum()) for a, b, _ in known]
    judged = [c for _, _, c in known]
    if len(set(cosines)) < 2 or len(set(judged)) < 2:
        assert np.isnan(scores.spearman)
        assert np.isnan(scores.pearson)
    else:
        assert scores.spearman == pytest.approx(scipy.stats.spearmanr(cosines, judged)[0], abs=1e-9)
        assert scores.pearson == pytest.approx(scipy.stats.pearsonr(cosines, judged)[0], abs=1e-9)


@pytest.mark.parametrize("method", ANALOGIES)
@given(table=factor_tables(max_rows=6), restrict=st.none() | st.integers(1, 7), data=st.data())
def test_analogies_are_those_of_a_plain_loop(method, table, restrict, data):
    vectors = named(table)
    word = st.integers(0, len(table))
    asked = data.draw(st.lists(st.tuples(word, word, word, word), min_size=1, max_size=8))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("vsenumba.evaluation.analogies._BLOCK_CELLS", data.draw(st.sampled_from([1, 60])))
        scores = vse.evaluate_analogies(
            vectors, [tuple(f"w{i}" for i in one) for one in asked], method=method, restrict_vocab=restrict
        )
    limit = min(len(table), restrict or len(table))
    right = missing = 0
    for a, b, c, d in asked:
        if max(a, b, c, d) >= limit or not table[[a, b, c, d]].any(axis=1).all():
            missing += 1
            continue
        directions = vectors.directions()[:limit]
        cosines = [directions @ directions[i] for i in (a, b, c)]
        score = ANALOGIES[method](*cosines)
        others = [i for i in range(limit) if i not in (a, b, c, d) and table[i].any()]
        right += d not in (a, b, c) and all(score[i] < score[d] for i in others)
    assert (scores.n_questions, scores.n_missing) == (len(asked), missing)
    n_asked = len(asked) - missing
    assert np.isnan(scores.accuracy) if n_asked == 0 else scores.accuracy == pytest.approx(right / n_asked)


def test_sections_add_up(tmp_path):
    (tmp_path / "q.txt").write_text(": capitals\nA b c d\na b c x\n\n: empty\n: family\n# comment\na b c d\n")
    vectors = vse.WordVectors(list("abcd"), [[1, 0], [1, 1], [-1, 0.2], [-1, 1.2]])
    scores = vse.evaluate_analogies(vectors, tmp_path / "q.txt")
    assert (scores.accuracy, scores.n_questions, scores.n_missing) == (1.0, 3, 1)
    assert {name: (one.accuracy, one.n_questions, one.n_missing) for name, one in scores.sections.items()} == {
        "capitals": (1.0, 2, 1),
        "family": (1.0, 1, 0),
    }
    assert vse.evaluate_analogies(vectors, read_questions(tmp_path / "q.txt")) == scores


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("cat\tdog\t9.5\n", [("cat", "dog", 9.5)]),
        ("word1,word2,score\ncat, dog ,9\n", [("cat", "dog", 9.0)]),
        ("# from a paper\ncat dog 9 a note\n\n", [("cat", "dog", 9.0)]),
        ("ice cream\tdog\t1e0\r\n", [("ice cream", "dog", 1.0)]),
    ],
)
def test_pairs_are_read_from_files_of_several_forms(tmp_path, text, pairs):
    (tmp_path / "p.txt").write_text(text)
    assert read_pairs(tmp_path / "p.txt") == pairs
    assert not has_questions(tmp_path / "p.txt")


def test_bad_files_are_refused_by_line(tmp_path):
    path = tmp_path / "t.txt"
    for text, message in [
        ("cat dog 9\ncat dog\n", "line 2 must be two words and a number, not 'cat dog'"),
        ("cat dog 9\ncat dog much\n", "line 2 must be two words and a number"),
        ("a b c\n", "no line has two words and a number"),
        ("", "no line has two words and a number"),
    ]:
        path.write_text(text)
        with pytest.raises(FileFormatError, match=message):
            read_pairs(path)
    for text, message in [(": x\na b c\n", "line 2 must be four words, not 'a b c'"), ("", "no line has four words")]:
        path.write_text(text)
        with pytest.raises(FileFormatError, match=message):
            read_questions(path)
    assert not has_questions(path)


def test_wrong_arguments():
    vectors = named(np.eye(2))
    with pytest.raises(InputError, match="there are no pairs"):
        vse.evaluate_similarity(vectors, [])
    with pytest.raises(InputError, match="there are no questions"):
        vse.evaluate_analogies(vectors, {})
    with pytest.raises(UnknownNameError, match="unknown method"):
        vse.evaluate_analogies(vectors, [("a", "b", "c", "d")], method="cos")
    with pytest.raises(InputError, match="restrict_vocab must be"):
        vse.evaluate_analogies(vectors, [("a", "b", "c", "d")], restrict_vocab=0)
    with pytest.raises(InputError, match="vectors must be WordVectors or a model with word vectors, not ndarray"):
        vse.evaluate_similarity(np.eye(2), [("a", "b", 1)])


FORMS = ["king", "King", "KING", "queen", "Queen", "man", "MAN", "woman", "Woman", "ox"]


@pytest.mark.parametrize("method", ANALOGIES)
@given(
    table=factor_tables(rows=10),
    asked=st.lists(st.tuples(*[st.sampled_from([*FORMS, "ouch"])] * 4), min_size=1, max_size=6),
    restrict=st.sampled_from([None, 10, 7, 300_000]),
)
def test_words_that_differ_in_case_alone_can_be_one(method, table, asked, restrict):
    """The numbers for words in upper case differed from gensim's, which takes all forms of a word for one."""
    vectors = vse.WordVectors(FORMS, table)
    scores = vse.evaluate_analogies(vectors, asked, method=method, restrict_vocab=restrict, case_insensitive=True)
    known = FORMS[:restrict]
    directions = vectors.directions()[: len(known)]
    right = n_asked = 0
    for question in asked:
        upper = [word.upper() for word in question]
        if not all(any(word.upper() == one for word in known) for one in upper):
            continue
        rows = [next(i for i, word in enumerate(known) if word.upper() == one) for one in upper]
        if not table[rows].any(axis=1).all():
            continue
        n_asked += 1
        score = ANALOGIES[method](*(directions @ directions[row] for row in rows[:3]))
        others = [i for i, word in enumerate(known) if word.upper() not in upper and table[i].any()]
        own = [i for i, word in enumerate(known) if word.upper() == upper[3] and table[i].any()]
        best = max((score[i] for i in others), default=-np.inf)
        answer = max(score[i] for i in own)
        # The order of words whose scores agree to the last digits hangs on the order of the sums.
        assume(answer == best or not np.isclose(answer, best, rtol=1e-5, atol=1e-6))
        right += upper[3] not in upper[:3] and answer > best
    assert scores.n_missing == len(asked) - n_asked
    assert np.isnan(scores.accuracy) if n_asked == 0 else scores.accuracy == pytest.approx(right / n_asked)


@pytest.mark.parametrize("case_insensitive", [False, True])
@pytest.mark.parametrize("restrict", [40, 300_000])
def test_gensim_counts_the_same(tmp_path, case_insensitive, restrict):
    if importlib.util.find_spec("gensim") is None:
        pytest.skip("gensim is not installed")
    rng = np.random.default_rng(0)
    words = [form(f"w{chr(97 + i)}") for i in range(20) for form in (str.lower, str.upper, str.title)]
    table = np.repeat(rng.normal(size=(20, 4)), 3, axis=0) + 0.5 * rng.normal(size=(60, 4))
    order = rng.permutation(60)
    vse.WordVectors([words[i] for i in order], table[order]).save_word2vec(tmp_path / "v.vec")
    questions = [" ".join(words[i] for i in rng.integers(0, 60, 4)) for _ in range(2000)]
    (tmp_path / "q.txt").write_text(": one\n" + "\n".join(questions) + "\n")
    ours = vse.evaluate_analogies(
        vse.WordVectors.load_word2vec(tmp_path / "v.vec"), tmp_path / "q.txt", restrict_vocab=restrict,
        case_insensitive=case_insensitive,
    )  # fmt: skip
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of its own imports
        from gensim.models import KeyedVectors

        theirs = KeyedVectors.load_word2vec_format(str(tmp_path / "v.vec"))
        accuracy, _ = theirs.evaluate_word_analogies(
            str(tmp_path / "q.txt"), restrict_vocab=restrict, case_insensitive=case_insensitive
        )
    assert ours.accuracy == pytest.approx(accuracy)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfec\0a\0t\0", "is not text in UTF-8: it is UTF-16"),
        (b"\x7fELF\2\1\1\0", "is not text in UTF-8: it contains NUL bytes"),
    ],
)
def test_files_that_are_no_text_are_refused(tmp_path, content, message):
    (tmp_path / "a").write_bytes(content)
    for reads in (read_pairs, read_questions, has_questions):
        with pytest.raises(FileFormatError, match=message):
            reads(tmp_path / "a")


def test_questions_and_pairs_that_are_no_such_are_refused(tmp_path):
    """Texts were taken apart into letters, and a judgement that is not known made both correlations NaN."""
    vectors = named(np.eye(3))
    for bad in ("w0w1", ("w0", "w1", "w2"), ("w0", "w1", "w2", "w0", "w1")):
        with pytest.raises(InputError, match="a question must be four words, not"):
            vse.evaluate_analogies(vectors, [("w0", "w1", "w2", "w0"), bad])
    for bad in ("w05", ("w0", "w1"), ("w0", "w1", None), ("w0", "w1", "5")):
        with pytest.raises(InputError, match="a pair must be two words and a number, not"):
            vse.evaluate_similarity(vectors, [("w0", "w1", 2), bad])
    with pytest.raises(InputError, match=r"a judgement must be a finite number; found \('w0', 'w2', nan\)"):
        vse.evaluate_similarity(vectors, [("w0", "w1", 2), ("w0", "w2", float("nan"))])
    for line in ("w0\tw1\tnan", "w0\t\t3"):
        (tmp_path / "pairs").write_text(f"w0\tw1\t2\n{line}\n")
        with pytest.raises(FileFormatError, match="line 2 must be two words and a number"):
            read_pairs(tmp_path / "pairs")


def test_a_zero_vector_never_wins_an_analogy():
    """Found 2026-11: a word without a direction scored 0, more than the answer, which had less."""
    vectors = vse.WordVectors([*"abcd", "zero"], [[1, 0], [-1, 0.1], [-1, -0.1], [1, 0.2], [0, 0]])
    assert vectors.analogy("a", "b", "c")[0].name == "d"
    for method in ANALOGIES:
        for case_insensitive in (False, True):
            scores = vse.evaluate_analogies(
                vectors, [tuple("abcd")], method=method, case_insensitive=case_insensitive, restrict_vocab=None
            )
            assert scores.accuracy == float(vectors.analogy("a", "b", "c", method=method)[0].name == "d")


@given(table=factor_tables(max_rows=7), data=st.data(), method=st.sampled_from(sorted(ANALOGIES)))
@pytest.mark.parametrize("case_insensitive", [False, True])
def test_analogies_are_those_that_a_word_is_asked_for(case_insensitive, table, data, method):
    """Found 2026-11: words with a zero vector took part here, and not in `WordVectors.analogy`."""
    zeros = data.draw(st.lists(st.integers(0, len(table) - 1)))
    table[zeros] = 0
    # In pairs that differ in case alone.
    words = [("xX"[i % 2] + str(i // 2)) for i in range(len(table))]
    vectors = vse.WordVectors(words, table)
    question = tuple(words[data.draw(st.integers(0, len(words) - 1))] for _ in range(4))
    scores = vse.evaluate_analogies(vectors, [question], method=method, case_insensitive=case_insensitive)
    if case_insensitive:
        *asked, answer = (word.lower() for word in question)
    else:
        *asked, answer = question
    if not all(vectors[word].any() for word in (*asked, answer)):
        assert scores.n_missing == 1
        return
    found = vectors.analogy(*asked, n=len(words), method=method)
    best: dict[str, float] = {}
    for match in found:
        name = match.name.lower() if case_insensitive else match.name
        if name not in asked:
            best[name] = max(best.get(name, -np.inf), match.score)
    others = [score for name, score in best.items() if name != answer]
    if answer in best and others and abs(best[answer] - max(others)) < 1e-6:
        return  # which of two products rounds higher is the library's business
    assert scores.accuracy == float(answer in best and best[answer] > max(others, default=-np.inf))


@pytest.mark.parametrize("case_insensitive", [False, True])
def test_words_of_questions_are_names(case_insensitive):
    r"""Found 2026-11: with case_insensitive, "e\u0301" and "a " counted as missing."""
    vectors = vse.WordVectors(["a", "b", "é", "d"], [[1, 0], [1, 1], [-1, 0.2], [-1, 1.2]])
    scores = vse.evaluate_analogies(vectors, [("a ", "b", "e\u0301", "d")], case_insensitive=case_insensitive)
    assert (scores.n_missing, scores.accuracy) == (0, 1.0)


class Frame(list):
    """Iterates over its columns' names, as tables of pandas do."""

    columns = (0, 1, 2)


@pytest.mark.parametrize(
    "pairs",
    [
        [("a", "b", 10**400)],
        [{"a", "b", 1}],
        [3],
        [None],
        3,
        None,
        [("a", "b", True)],
        [("a", "b", float("nan"))],
        Frame([[0, 1, 2]]),
    ],
)
def test_what_is_no_list_of_pairs_is_refused(pairs):
    """Found 2026-11: numbers beyond any float, sets, whole numbers and tables were raw errors."""
    vectors = vse.WordVectors(["a", "b"], [[1, 0], [1, 1]])
    with pytest.raises(InputError, match="two words and a number|a judgement must be a finite number"):
        vse.evaluate_similarity(vectors, pairs)


@pytest.mark.parametrize("questions", [[{"a", "b", "c", "d"}], [3], 3, None, {"section": 3}])
def test_what_is_no_list_of_questions_is_refused(questions):
    """Found 2026-11: sets of words have no order, and whole numbers were raw errors."""
    with pytest.raises(InputError, match="four words"):
        vse.evaluate_analogies(vse.WordVectors(["a", "b"], [[1, 0], [1, 1]]), questions)
