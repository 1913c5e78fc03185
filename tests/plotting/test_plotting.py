"""Figures: what is drawn, and files that are the same every time."""

from __future__ import annotations

import subprocess
import sys
from itertools import combinations, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vsenumba.errors import InputError
from vsenumba.plotting import convergence_figure, law_figure, save_figure
from vsenumba.plotting.bands import band_over_seeds
from vsenumba.plotting.law import BINS_PER_DECADE, rank_bins
from vsenumba.plotting.style import SAMPLER_LOOKS, looks
from vsenumba.plotting.ticks import label_log_axis
from vsenumba.training.history import History


def run(values, *, seconds_per_epoch=0.1, trials=1.0, metric="mrr"):
    history = History()
    for epoch, value in enumerate(values, start=1):
        record = {"epoch": epoch, "seconds": epoch * seconds_per_epoch, "trials": trials * epoch}
        history.append(record | ({} if value is None else {metric: value}))
    return history


def line(panel, name):
    (found,) = [one for one in panel.get_lines() if one.get_label() == name]
    return found


def test_a_curve_and_a_band_for_every_method_in_both_panels():
    histories = {
        "adaptive": [run([0.1, 0.3, 0.4]), run([0.2, 0.3, 0.6]), run([0.3, 0.3, 0.5])],
        "uniform": [run([0.1, 0.1, 0.2]), run([0.1, 0.2, 0.2])],
    }
    figure = convergence_figure(histories, trials=False)
    in_time, in_epochs = figure.axes
    np.testing.assert_allclose(line(in_epochs, "adaptive").get_xdata(), [1, 2, 3])
    np.testing.assert_allclose(line(in_epochs, "adaptive").get_ydata(), [0.2, 0.3, 0.5])
    np.testing.assert_allclose(line(in_time, "adaptive").get_xdata(), [0.1, 0.2, 0.3])
    assert [len(panel.collections) for panel in figure.axes] == [2, 2]
    assert in_time.get_shared_y_axes().joined(in_time, in_epochs)
    assert (in_time.get_xlabel(), in_epochs.get_xlabel(), in_time.get_ylabel()) == (
        "training time (s)",
        "epochs",
        "MRR",
    )
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["uniform", "adaptive"]
    assert legend.get_title().get_text() == "median and range of 2 to 3 seeds"


def test_a_sampler_looks_the_same_in_every_figure():
    one = convergence_figure({"adaptive": [run([0.1, 0.2])]}).axes[0]
    other = convergence_figure({name: [run([0.1, 0.2])] for name in ("mine", *SAMPLER_LOOKS)}).axes[0]
    for attribute in ("get_color", "get_linestyle", "get_marker"):
        assert getattr(line(one, "adaptive"), attribute)() == getattr(line(other, "adaptive"), attribute)()


def test_no_two_looks_are_alike():
    names = [f"method {i}" for i in range(50)]
    assert len(set(looks(names).values())) == 50 + len(SAMPLER_LOOKS)
    assert len({look.color for look in SAMPLER_LOOKS.values()}) == len(SAMPLER_LOOKS)
    assert len({look.marker for look in SAMPLER_LOOKS.values()}) == len(SAMPLER_LOOKS)


def test_trials_of_all_are_drawn_where_one_tries_many():
    """The panel was silent about the samplers that try one label."""
    histories = {"warp": [run([0.1, 0.2], trials=100)], "adaptive": [run([0.1, 0.2], trials=0.6)]}
    panel = convergence_figure(histories).axes[2]
    assert [one.get_label() for one in panel.get_lines()] == ["warp", "adaptive"]
    np.testing.assert_allclose(line(panel, "warp").get_ydata(), [100, 200])
    np.testing.assert_allclose(line(panel, "adaptive").get_ydata(), [0.6, 1.2])
    assert panel.get_ylabel() == "labels tried per draw"
    assert len(convergence_figure(histories, trials=False).axes) == 2
    assert len(convergence_figure({"adaptive": histories["adaptive"]}).axes) == 2


def test_groups_have_a_panel_with_every_method_and_reference_that_has_values():
    histories = {"warp": [run([0.1, 0.2]), run([0.2, 0.3])], "adaptive": [run([0.1, 0.2])], "mine": [run([0.2])]}
    values = {"warp": [[0.1, 0.3], [0.3, 0.5]], "adaptive": [[0, 0.4]], "EASE": [[0.5, 0.6]], "far": [[0.2, 0.2]]}
    groups = {"metric": "recall@5", "names": ["1–3", "4–10"], "values": values}
    references = {"EASE": 0.25, "far": -9.0, "farther": 9.0}
    figure = convergence_figure(histories, references=references, trials=False, groups=groups)
    panel = figure.axes[-1]
    assert len(figure.axes) == 3
    np.testing.assert_allclose(line(panel, "warp").get_ydata(), [0.2, 0.4])
    np.testing.assert_allclose(line(panel, "adaptive").get_ydata(), [0, 0.4])
    assert [list(one.get_ydata()) for one in panel.get_lines()[:2]] == [[0.5, 0.6], [0.2, 0.2]]
    assert len(panel.get_lines()) == 4
    assert [text.get_text() for text in panel.get_xticklabels()] == ["1–3", "4–10"]
    assert (panel.get_ylabel(), panel.get_xlabel()) == ("Recall@5", "training images of a label")
    assert panel.get_title(loc="left") == "(c)"
    # One far from the curves has a line in the legend where it has one in this panel.
    legend = figure.legends[0]
    lines = {text.get_text(): one for text, one in zip(legend.get_texts(), legend.get_lines(), strict=True)}
    assert lines["far, -9.000 (below the axis)"].get_linestyle() != "None"
    assert lines["farther, 9.000 (above the axis)"].get_linestyle() == "None"
    assert len(convergence_figure(histories, trials=False).axes) == 2


def test_trials_of_many_sizes_stand_on_a_logarithmic_axis():
    histories = {"warp": [run([0.1, 0.2], trials=1000)], "dynamic": [run([0.1, 0.2], trials=5)]}
    assert convergence_figure(histories).axes[2].get_yscale() == "log"


@pytest.mark.parametrize(("slow", "scale"), [(0.3, "linear"), (3.0, "log")])
def test_the_time_axis_is_logarithmic_where_lengths_differ_much(slow, scale):
    histories = {"uniform": [run([0.1, 0.2])], "rank": [run([0.1, 0.2], seconds_per_epoch=slow)]}
    assert convergence_figure(histories).axes[0].get_xscale() == scale


def test_references_are_lines_that_the_legend_names_with_their_values():
    """Their labels stood between two panels, of which they seemed to belong to the wrong one."""
    figure = convergence_figure(
        {"adaptive": [run([0.1, 0.5], trials=9)], "warp": [run([0.1, 0.4])]},
        references={"EASE": 0.4, "iALS": 0.399, "popularity ranking": -3.0, "oracle": 5.0},
    )
    for panel in figure.axes[:2]:
        level = [one for one in panel.get_lines() if len(set(one.get_ydata())) == 1]
        assert [one.get_ydata()[0] for one in level] == [0.4, 0.399]
        assert len({one.get_linestyle() for one in level} | {str(one._dash_pattern) for one in level}) > 1
    assert all(not panel.texts for panel in figure.axes)
    legend = figure.legends[0]
    texts = [text.get_text() for text in legend.get_texts()]
    assert [text for text in texts if text] == [
        "warp",
        "adaptive",
        "oracle, 5.000 (above the axis)",
        "EASE, 0.400",
        "iALS, 0.399",
        "popularity ranking, -3.000 (below the axis)",
    ]
    lines = dict(zip(texts, legend.get_lines(), strict=True))
    assert lines["EASE, 0.400"].get_linestyle() != "None"
    assert lines["oracle, 5.000 (above the axis)"].get_linestyle() == "None"


@pytest.mark.parametrize("names", [["adaptive"], ["x" * 200, "word " * 40], [f"method {i}" for i in range(15)]])
def test_everything_lies_inside_the_figure(names):
    figure = convergence_figure(
        {name: [run([0.1, 0.5], trials=9), run([0.2, 0.4], trials=9)] for name in names},
        references={"a rather long reference name": 0.3},
        title="A title of many words, " * 6,
        groups={"metric": "mrr", "names": [f"1{i}–3{i}" for i in range(9)], "values": {names[0]: [[0.1] * 9]}},
    )
    figure.draw_without_rendering()
    box = figure.get_tightbbox().transformed(figure.dpi_scale_trans)
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= figure.bbox.x1
    assert box.y1 <= figure.bbox.y1
    legend = figure.legends[0].get_window_extent()
    for panel in figure.axes:
        assert panel.get_tightbbox().y0 > legend.y1
        assert panel.get_window_extent().height > 80


def test_one_epoch_is_a_marker(tmp_path):
    figure = convergence_figure({"adaptive": [run([0.3])], "warp": [run([0.2], trials=3)]})
    np.testing.assert_array_equal(line(figure.axes[0], "adaptive").get_ydata(), [0.3])
    assert line(figure.axes[0], "adaptive").get_markevery() is None
    save_figure(figure, tmp_path / "one.png")


def test_one_seed_has_no_range_in_the_legend():
    assert convergence_figure({"adaptive": [run([0.3, 0.4])]}).legends[0].get_title().get_text() == ""


def test_epochs_that_were_not_validated_are_left_out():
    figure = convergence_figure({"adaptive": [run([None, 0.2, np.nan, 0.4])], "warp": [run([np.nan, np.nan])]})
    np.testing.assert_array_equal(line(figure.axes[1], "adaptive").get_xdata(), [2, 4])
    assert len(line(figure.axes[1], "warp").get_xdata()) == 0
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["warp (no finite mrr)", "adaptive"]


def test_other_metrics_are_named():
    figure = convergence_figure({"adaptive": [run([0.3], metric="ndcg@10")]}, metric="ndcg@10", title="A title")
    assert figure.axes[0].get_ylabel() == "nDCG@10"
    assert figure.get_suptitle() == "A title"


@pytest.mark.parametrize(
    ("histories", "found"),
    [
        ({}, "empty"),
        ({"adaptive": []}, "'adaptive' needs a sequence"),
        ({"adaptive": run([0.1])}, "'adaptive' needs a sequence"),
        ({"adaptive": [run([0.1]), run([None])]}, "run 1 of 'adaptive' holds no 'mrr'"),
        ({"adaptive": [History()]}, "holds no 'mrr'; it holds no epoch"),
        ({"adaptive": [run([np.nan])]}, "no history holds a finite 'mrr'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(histories, found):
    with pytest.raises(InputError, match=found):
        convergence_figure(histories)


def test_bands_end_with_the_seeds():
    curves = [(np.arange(1, n + 1), np.full(n, float(n))) for n in (2, 9, 10, 10)]
    band = band_over_seeds(curves)
    np.testing.assert_array_equal(band.x, np.arange(1, 10))
    np.testing.assert_array_equal(band.median[:2], 9.5)
    np.testing.assert_array_equal(band.median[2:], 10)
    np.testing.assert_array_equal(band.low[:3], [2, 2, 9])


def test_bands_begin_with_the_last_seed():
    band = band_over_seeds([(np.array([1.0, 2.0]), np.array([0.0, 1.0])), (np.array([1.5, 2.0]), np.array([1.0, 1.0]))])
    np.testing.assert_array_equal(band.x, [1.5, 2.0])
    np.testing.assert_array_equal(band.low, [0.5, 1.0])
    apart = band_over_seeds([(np.array([1.0, 2.0]), np.array([0.0, 1.0])), (np.array([5.0]), np.array([0.5]))])
    np.testing.assert_array_equal(apart.x, [5.0])


def test_seeds_that_differ_in_speed_alone_make_no_band():
    """A band in time began as a triangle: seeds that had got further by then were compared with one at its start."""
    values = np.array([0.6, 0.7, 0.72])
    histories = {"dynamic": [run(values, seconds_per_epoch=pace) for pace in (0.1, 0.2, 0.15)]}
    (outline,) = convergence_figure(histories).axes[0].collections
    band = band_over_seeds([(np.arange(3), values)] * 3, [np.arange(3) * pace for pace in (1, 2, 1.5)])
    np.testing.assert_array_equal(band.low, values)
    np.testing.assert_array_equal(band.high, values)
    np.testing.assert_array_equal(band.x, [0, 1.5, 3])
    vertices = outline.get_paths()[0].vertices
    np.testing.assert_allclose(np.unique(vertices[:, 1]), values)
    assert vertices[:, 0].min() == 0.15


def test_time_never_runs_backwards_where_slow_seeds_end_first():
    epochs = [np.arange(1.0, n + 1) for n in (40, 60, 100)]
    band = band_over_seeds([(x, x) for x in epochs], [10 * x / x[-1] for x in epochs])
    assert (np.diff(band.x) > 0).all()
    assert (band.x[-1], band.median[-1]) == (10, 60)
    alone = band_over_seeds([(np.array([1.0]), np.array([0.5])), (np.array([2.0]), np.array([0.5]))], [np.ones(1)] * 2)
    assert len(alone.x) == 0


@pytest.mark.parametrize("low", [1.0, 2.1, 5.1])
@pytest.mark.parametrize("ratio", [4.01, 9, 12, 30, 80, 1e5])
@pytest.mark.parametrize("axis", ["x", "y"])
def test_a_logarithmic_axis_has_a_few_plain_numbers_that_do_not_touch(low, ratio, axis):
    """On an axis of little more than a decade, ticks lay on each other; a law within one had none."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(2.2, 2.2), dpi=100)
    panel = figure.subplots()
    panel.set(**{f"{axis}scale": "log", f"{axis}lim": (low, low * ratio)})
    label_log_axis(getattr(panel, f"{axis}axis"))
    figure.draw_without_rendering()
    ticks = getattr(panel, f"get_{axis}ticklabels")(which="both")
    shown = [one for one in ticks if one.get_text() and low <= one.get_position()[axis == "y"] <= low * ratio]
    assert 2 <= len(shown) <= 7
    assert all(float(one.get_text()) > 0 for one in shown)
    boxes = [one.get_window_extent() for one in shown]
    assert not any(one.overlaps(other) for one, other in combinations(boxes, 2))


CURVES = st.lists(
    st.dictionaries(st.integers(1, 20), st.floats(0, 1) | st.just(np.nan), min_size=1, max_size=8),
    min_size=1,
    max_size=5,
)


@given(CURVES)
def test_bands_invent_nothing(curves):
    curves = [(np.array(sorted(one), dtype=float), np.array([one[x] for x in sorted(one)])) for one in curves]
    band = band_over_seeds(curves)
    finite = np.concatenate([y[np.isfinite(y)] for _, y in curves])
    assert (len(band.x) > 0) == (len(finite) > 0)
    assert (np.diff(band.x) > 0).all()
    if len(finite):
        assert (band.low <= band.median + 1e-15).all()
        assert (band.median <= band.high + 1e-15).all()
        assert band.low.min() >= finite.min() - 1e-15
        assert band.high.max() <= finite.max() + 1e-15
        assert set(band.x) <= {x for points, y in curves for x in points[np.isfinite(y)]}


# A sampler's law.


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


def bars_of(panel):
    """Return where the bars begin and end, and how high they reach."""
    boxes = [bar.get_bbox() for bar in panel.patches if hasattr(bar, "get_bbox")]
    return [(box.x0, box.x1, box.y1) for box in boxes]


def test_a_samplers_law_and_draws_share_their_bins():
    law = np.arange(40, 0, -1) / 820
    counts = np.random.default_rng(0).multinomial(5000, law)
    uniform = np.full(40, 1 / 40)
    figure = law_figure(law, counts, name="rank", references={"uniform": uniform}, own_ranks=[0, 3, 3], title="A title")
    upper, lower = figure.axes
    edges = rank_bins(40)
    spans = list(pairwise(edges))
    (means,) = [one for one in upper.patches if not hasattr(one, "get_bbox")]
    values, borders, _ = means.get_data()
    np.testing.assert_allclose(borders, edges + 0.5)
    np.testing.assert_allclose(values, [law[a:b].mean() for a, b in spans])
    expected = [(a + 0.5, b + 0.5, counts[a:b].mean() / 5000) for a, b in spans]
    np.testing.assert_allclose(bars_of(upper), expected)
    # The first line is the dots: a label each.
    np.testing.assert_allclose(upper.get_lines()[0].get_xydata(), np.column_stack([np.arange(1, 41), law]))
    np.testing.assert_allclose(line(lower, "uniform").get_ydata(), np.cumsum(uniform))
    assert any(np.allclose(one.get_ydata(), np.cumsum(law)) for one in lower.get_lines())
    own = line(upper, "own labels of the image, among the others")
    np.testing.assert_allclose(own.get_xdata(), [0.5, 3.5])
    assert [text.get_text() for text in upper.texts] == ["×2"]
    assert (upper.get_xscale(), upper.get_yscale(), lower.get_yscale()) == ("log", "log", "linear")
    assert figure.get_suptitle() == "A title"
    assert legend_of(figure)[-1] == "uniform"
    assert "5,000 draws" in legend_of(figure)


def test_a_sampler_has_the_colour_of_its_curves():
    law = np.array([0.5, 0.5])
    figure = law_figure(law, [1, 1], name="warp", n_given_up=3)
    assert figure.axes[0].get_lines()[0].get_color() == SAMPLER_LOOKS["warp"].color
    assert "5 draws (3 skipped)" in legend_of(figure)


def test_labels_that_a_sampler_never_draws_are_ticks():
    law = np.array([0.5, 0.5, 0, 0])
    upper = law_figure(law, [3, 2, 0, 0], name="warp").axes[0]
    np.testing.assert_array_equal(line(upper, "labels that are never drawn").get_xdata(), [3, 4])
    np.testing.assert_array_equal(upper.get_lines()[0].get_xdata(), [1, 2])
    assert len(bars_of(upper)) == 2


def test_a_sampler_that_draws_nothing_has_references_only(tmp_path):
    figure = law_figure(np.zeros(5), np.zeros(5), n_given_up=9, references={"uniform": np.full(5, 0.2)})
    assert legend_of(figure)[-1] == "uniform"
    assert bars_of(figure.axes[0]) == []
    save_figure(figure, tmp_path / "nothing.png")


@pytest.mark.parametrize("n", [1, 2, 9, 10, 440, 5000])
def test_a_samplers_law_is_drawn_whatever_the_number_of_labels(tmp_path, n):
    law = np.random.default_rng(0).dirichlet(np.full(n, 0.3))
    figure = law_figure(
        law, np.ones(n), references={"uniform": np.full(n, 1 / n)}, own_ranks=[0, n], title="word " * 60
    )
    save_figure(figure, tmp_path / "law.svg")
    assert (tmp_path / "law.svg").stat().st_size < 1_000_000
    legend = figure.legends[0].get_window_extent()
    for panel in figure.axes:
        assert panel.get_tightbbox().y0 > legend.y1
    box = figure.get_tightbbox()
    assert box.x0 >= 0
    assert box.y0 >= 0
    assert box.x1 <= figure.get_figwidth() + 0.01
    assert box.y1 <= figure.get_figheight()


@pytest.mark.parametrize("n", [1, 2, 7, 50, 1000, 12_345])
def test_bins_of_ranks_cover_all_ranks_once(n):
    edges = rank_bins(n)
    assert (edges[0], edges[-1]) == (0, n)
    assert (np.diff(edges) > 0).all()
    assert len(edges) <= BINS_PER_DECADE * np.log10(n + 1) + 2


@pytest.mark.parametrize(
    ("law", "counts", "references"),
    [([], [], {}), ([0.5, 0.5], [1], {}), ([[0.5, 0.5]], [[1, 1]], {}), ([0.5, 0.5], [1, 1], {"uniform": [1.0]})],
)
def test_a_samplers_law_without_a_number_for_each_label_is_refused(law, counts, references):
    with pytest.raises(InputError, match="one number per label"):
        law_figure(law, counts, references=references)


@pytest.mark.parametrize("suffix", ["png", "svg", "pdf"])
def test_two_saves_are_the_same_bytes(tmp_path, suffix):
    histories = {"adaptive": [run([0.1, 0.2]), run([0.1, 0.3])], "warp": [run([0.1, 0.2], trials=50)]}
    paths = [tmp_path / f"{name}.{suffix}" for name in ("one", "again", "new")]
    figure = convergence_figure(histories, references={"EASE": 0.25})
    save_figure(figure, paths[0])
    save_figure(figure, paths[1])
    save_figure(convergence_figure(histories, references={"EASE": 0.25}), paths[2])
    first, again, new = (path.read_bytes() for path in paths)
    assert len(first) > 1000
    assert first == again == new


def test_svg_text_is_text(tmp_path):
    save_figure(convergence_figure({"adaptive": [run([0.1, 0.2])]}), tmp_path / "figure.SVG")
    text = (tmp_path / "figure.SVG").read_text()
    assert ">training time (s)</text>" in text
    assert "<dc:date>" not in text


def test_png_is_made_for_print(tmp_path):
    from matplotlib.image import imread

    save_figure(convergence_figure({"adaptive": [run([0.1, 0.2])]}), tmp_path / "figure.png")
    assert imread(tmp_path / "figure.png").shape[1] == 1400


@pytest.mark.parametrize("name", ["figure.jpg", "figure"])
def test_unknown_endings_are_refused(tmp_path, name):
    with pytest.raises(InputError, match=r"use one of \.png, \.svg, \.pdf"):
        save_figure(convergence_figure({"adaptive": [run([0.1])]}), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_the_callers_matplotlib_is_left_alone():
    import matplotlib as mpl

    before = dict(mpl.rcParams)
    convergence_figure({"adaptive": [run([0.1])]})
    assert dict(mpl.rcParams) == before


def test_importing_is_cheap_and_pyplot_never_needed(tmp_path):
    code = (
        "import sys, vsenumba.plotting as p\n"
        "assert not {'matplotlib', 'h5py'} & set(sys.modules)\n"
        "from vsenumba.training.history import History\n"
        "h = History(); h.append({'epoch': 1, 'seconds': 1.0, 'mrr': 0.5})\n"
        f"p.save_figure(p.convergence_figure({{'warp': [h]}}), {str(tmp_path / 'f.png')!r})\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)


def test_values_that_no_axis_can_hold_are_left_out():
    """Found 2026-11: a crafted file with 1e308 and its negative ended in a fault of linear algebra."""
    made = History()
    for epoch, value in enumerate([0.5, 1e308, -1e308, 0.6], start=1):
        made.append({"epoch": epoch, "seconds": float(epoch), "steps": 10, "mrr": value})
    (line, *_) = convergence_figure({"uniform": [made]}).axes[1].lines
    assert line.get_xydata().tolist() == [[1, 0.5], [4, 0.6]]
