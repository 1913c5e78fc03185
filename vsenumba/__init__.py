"""Visual-semantic embeddings: vectors for images and labels in one space, trained in seconds on a laptop.

Public names are imported on first use. Thus ``import vsenumba`` is quick, and does not load matplotlib, h5py or click.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from vsenumba import plot
    from vsenumba.data import (
        AnnotationSet,
        CaptionSet,
        Corpus,
        Match,
        Vocabulary,
        WordVectors,
        holdout,
        kfold,
        leave_one_out,
        load_caption_set,
        load_dataset,
        prune,
        synthetic,
    )
    from vsenumba.errors import (
        FileFormatError,
        ForkedProcessError,
        InputError,
        MemoryLimitError,
        TrainingDivergedError,
        UnknownNameError,
        VsenumbaError,
    )
    from vsenumba.evaluation import (
        AnalogyScores,
        GroupScores,
        RetrievalScores,
        Scores,
        SimilarityScores,
        evaluate,
        evaluate_analogies,
        evaluate_similarity,
        evaluate_vectors,
    )
    from vsenumba.experiments import Comparison, Run, compare
    from vsenumba.losses import HingeLoss, LogisticLoss, WarpLoss
    from vsenumba.models import (
        CrossModalRetriever,
        EaseAnnotator,
        ImageAnnotator,
        PopularityAnnotator,
        WordEmbedder,
        load_model,
    )
    from vsenumba.objectives import (
        LSEH,
        AdOpt,
        ConstantK,
        InfoNCE,
        MaxOfHinges,
        RandomK,
        SemanticMargin,
        SumOfHinges,
    )
    from vsenumba.pictures import PictureFolder, describe_pictures, load_pictures
    from vsenumba.plotting import save_figure
    from vsenumba.poolings import AdPool, GeneralisedPooling, MaxPooling, MeanPooling, TopMeanPooling
    from vsenumba.reports import write_report
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

_SUBPACKAGES = {
    "data": (
        "AnnotationSet", "CaptionSet", "Corpus", "Match", "Vocabulary", "WordVectors", "holdout", "kfold",
        "leave_one_out", "load_caption_set", "load_dataset", "prune", "synthetic",
    ),
    "errors": (
        "FileFormatError", "ForkedProcessError", "InputError", "MemoryLimitError", "TrainingDivergedError",
        "UnknownNameError", "VsenumbaError",
    ),
    "evaluation": (
        "AnalogyScores", "GroupScores", "RetrievalScores", "Scores", "SimilarityScores", "evaluate",
        "evaluate_analogies", "evaluate_similarity", "evaluate_vectors",
    ),
    "experiments": ("Comparison", "Run", "compare"),
    "losses": ("HingeLoss", "LogisticLoss", "WarpLoss"),
    "models": (
        "CrossModalRetriever", "EaseAnnotator", "ImageAnnotator", "PopularityAnnotator", "WordEmbedder", "load_model",
    ),
    "objectives": (
        "AdOpt", "ConstantK", "InfoNCE", "LSEH", "MaxOfHinges", "RandomK", "SemanticMargin", "SumOfHinges",
    ),
    "pictures": ("PictureFolder", "describe_pictures", "load_pictures"),
    "plotting": ("save_figure",),
    "poolings": ("AdPool", "GeneralisedPooling", "MaxPooling", "MeanPooling", "TopMeanPooling"),
    "reports": ("write_report",),
    "samplers": (
        "AdaptiveSampler", "DynamicSampler", "PopularitySampler", "RankSampler", "UniformSampler", "WarpSampler",
    ),
    "training": (
        "Callback", "Checkpoint", "EarlyStopping", "History", "ProgressBar", "RowAdagrad", "Sgd", "TimeBudget",
    ),
}  # fmt: skip

_SUBPACKAGE_OF = {name: subpackage for subpackage, names in _SUBPACKAGES.items() for name in names}

__all__ = [*sorted({*_SUBPACKAGE_OF, "plot"}), "__version__"]


def __getattr__(name: str) -> Any:
    # As SciPy does, so that ``vse.models.ImageIndex`` works whatever was imported before.
    if name in _SUBPACKAGES or name == "plot":
        return importlib.import_module(f"vsenumba.{name}")
    if name not in _SUBPACKAGE_OF:
        raise AttributeError(f"module 'vsenumba' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"vsenumba.{_SUBPACKAGE_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
