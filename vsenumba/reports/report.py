"""Writing the report of a run to one HTML file."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from vsenumba.data.annotation.coercion import as_annotation_set
from vsenumba.errors import InputError
from vsenumba.printable import counted
from vsenumba.reports.again_section import again_section
from vsenumba.reports.convergence_section import convergence_section
from vsenumba.reports.data_section import data_section
from vsenumba.reports.examples_section import examples_section
from vsenumba.reports.held_out import held_out_scores
from vsenumba.reports.labels_section import labels_section, popularity_section
from vsenumba.reports.laws_section import laws_section
from vsenumba.reports.opened import Opened, mapping_in, opened
from vsenumba.reports.page import rendered
from vsenumba.reports.results_section import in_short, results_section
from vsenumba.storage import check_writable, ending_of, open_output

_ENDINGS = (".html", ".htm")


def write_report(
    run: Any,
    path: str | PathLike[str],
    *,
    data: Any = None,
    measured_model: Any = None,
    pictures: Any = None,
    n_threads: int | None = None,
) -> list[str]:
    """Write a report of a comparison or a model to one HTML file that works offline.

    The report has the data, the results, figures, scores by label, the samplers' laws, suggestions for some images, and
    all that is needed to run it again. The same content gives the same bytes.

    Parameters
    ----------
    run : path, Comparison, Annotator, or (Comparison, Annotator)
        A folder that ``vsenumba compare`` wrote, its ``runs.h5``, or a model's file; or these as they are in Python,
        such as what `vsenumba.compare` returned.
    path : str or path-like
        The file to write, ending in ``.html``. A file that is there is replaced.
    data : AnnotationSet, path or name, optional
        The data set, for scores by label. If the model has not seen some of its pairs, these are scored. If it has seen
        all, it is trained once more, without the pairs that were held out when it was made.
    measured_model : Annotator, optional
        A model that was trained without some pairs of `data`, whose scores by label are those of the report. It saves
        the training.
    pictures : path or PictureFolder, optional
        The folder with the pictures of the images, for thumbnails. If `data` is a folder, it is looked in.
    n_threads : int, optional
        Threads to train and to score with; by default those that the model was made with, or all.

    Returns
    -------
    list of str
        The titles of the sections.

    Raises
    ------
    InputError
        If `run` is none of these, `data` is another set than that which was compared on, or the file cannot be written.
    FileFormatError
        If a file is damaged, or holds something else.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import vsenumba as vse
    >>> train, test = vse.leave_one_out(vse.synthetic(60, 12, 240, rng=0), rng=0)
    >>> model = vse.ImageAnnotator(n_factors=8, n_epochs=2, random_state=0).fit(train)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     sections = vse.write_report(model, Path(folder, "report.html"), data=test)
    >>> sections[:4]
    ['Data', 'Results', 'Training', 'By popularity of the label']
    """
    check_report_name(path)
    check_writable(path)
    found = opened(run)
    known = None if data is None else as_annotation_set(data, "data")
    held_out = held_out_scores(found, known, measured_model, n_threads)
    digest = mapping_in(found.settings, "data").get("sha256")
    if not isinstance(digest, str):
        digest = None if found.model is None else found.model.seen_.digest()
    if pictures is None and isinstance(data, (str, PathLike)) and Path(data).is_dir():
        pictures = data
    sections = [
        data_section(found, known, held_out),
        results_section(found, held_out),
        convergence_section(found, measured_model),
        popularity_section(found, held_out),
        labels_section(held_out),
        laws_section(found),
        examples_section(found, known, held_out, pictures),
        again_section(found, digest),
    ]
    there = [section for section in sections if section is not None]
    page = rendered(found.name, _subtitle(found), in_short(found, held_out), there)
    with open_output(path) as file:
        file.write(page)
    return [section.title for section in there]


def check_report_name(path: str | PathLike[str]) -> None:
    """Refuse the name of a file that browsers would not read as HTML."""
    if (ending := ending_of(path)) not in _ENDINGS:
        raise InputError(f"report {str(path)!r} ends in {ending!r}; name it .html")


def _subtitle(found: Opened) -> str:
    if found.comparison is not None:
        n_seeds = len({run.seed for run in found.comparison.runs})
        return f"Comparison of {counted(len(found.comparison.samplers), 'sampler')}, {counted(n_seeds, 'seed')}"
    return f"{type(found.model).__name__}: a model of images and labels"
