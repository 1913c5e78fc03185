"""Data sets: what they are, how they get in, how they are divided, and where some can be had."""

from vsenumba.data.annotation_set import AnnotationSet, as_annotation_set
from vsenumba.data.caption_readers import CAPTION_READERS, load_captions
from vsenumba.data.caption_set import CaptionSet
from vsenumba.data.catalogue import DATASETS, DataSet, load_dataset
from vsenumba.data.corpus import Corpus, as_corpus
from vsenumba.data.picture_grid import grid_features
from vsenumba.data.planted import save_synthetic, synthetic
from vsenumba.data.planted_captions import synthetic_captions
from vsenumba.data.pruning import prune
from vsenumba.data.ragged import Ragged
from vsenumba.data.readers import READERS, read_annotations
from vsenumba.data.splits import holdout, kfold, leave_one_out
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.data.word_vectors import ANALOGIES, Neighbor, WordVectors

__all__ = [
    "ANALOGIES",
    "CAPTION_READERS",
    "DATASETS",
    "READERS",
    "AnnotationSet",
    "CaptionSet",
    "Corpus",
    "DataSet",
    "Neighbor",
    "Ragged",
    "Vocabulary",
    "WordVectors",
    "as_annotation_set",
    "as_corpus",
    "grid_features",
    "holdout",
    "kfold",
    "leave_one_out",
    "load_captions",
    "load_dataset",
    "prune",
    "read_annotations",
    "save_synthetic",
    "synthetic",
    "synthetic_captions",
]
