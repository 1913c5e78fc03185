"""Visual-semantic embeddings: vectors for images and labels in one space, trained in seconds on a laptop.

The public names are imported when they are first used, so that ``import vsenumba`` is quick and loads neither
matplotlib, h5py nor click.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vsenumba.data import (
        AnnotationSet,
        Corpus,
        Vocabulary,
        WordVectors,
        holdout,
        kfold,
        leave_one_out,
        load_dataset,
        prune,
        synthetic,
    )
    from vsenumba.errors import (
        FileFormatError,
        InputError,
        MemoryLimitError,
        TrainingDivergedError,
        UnknownNameError,
        VsenumbaError,
    )
    from vsenumba.evaluation import (
        AnalogyScores,
        Scores,
        SimilarityScores,
        evaluate,
        evaluate_analogies,
        evaluate_similarity,
    )
    from vsenumba.experiments import Comparison, Run, compare
    from vsenumba.losses import HingeLoss, LogisticLoss, WarpLoss
    from vsenumba.models import (
        EaseAnnotator,
        ImageAnnotator,
        PopularityAnnotator,
        Suggestion,
        WordEmbedder,
        load_model,
    )
    from vsenumba.plotting import convergence_figure, save_figure
    from vsenumba.samplers import (
        AdaptiveSampler,
        DynamicSampler,
        PopularitySampler,
        RankSampler,
        UniformSampler,
        WarpSampler,
    )
    from vsenumba.training import (
        Callback,
        Checkpoint,
        EarlyStopping,
        History,
        ProgressBar,
        RowAdagrad,
        Sgd,
        TimeBudget,
    )

__version__ = "0.1.0"

_ROOMS = {
    "data": (
        "AnnotationSet", "Corpus", "Vocabulary", "WordVectors", "holdout", "kfold", "leave_one_out", "load_dataset",
        "prune", "synthetic",
    ),
    "errors": (
        "FileFormatError", "InputError", "MemoryLimitError", "TrainingDivergedError", "UnknownNameError",
        "VsenumbaError",
    ),
    "evaluation": (
        "AnalogyScores", "Scores", "SimilarityScores", "evaluate", "evaluate_analogies", "evaluate_similarity",
    ),
    "experiments": ("Comparison", "Run", "compare"),
    "losses": ("HingeLoss", "LogisticLoss", "WarpLoss"),
    "models": ("EaseAnnotator", "ImageAnnotator", "PopularityAnnotator", "Suggestion", "WordEmbedder", "load_model"),
    "plotting": ("convergence_figure", "save_figure"),
    "samplers": (
        "AdaptiveSampler", "DynamicSampler", "PopularitySampler", "RankSampler", "UniformSampler", "WarpSampler",
    ),
    "training": (
        "Callback", "Checkpoint", "EarlyStopping", "History", "ProgressBar", "RowAdagrad", "Sgd", "TimeBudget",
    ),
}  # fmt: skip

_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}

__all__ = [*sorted(_ROOM_OF), "__version__"]


def __getattr__(name: str) -> Any:
    if name not in _ROOM_OF:
        raise AttributeError(f"module 'vsenumba' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"vsenumba.{_ROOM_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
