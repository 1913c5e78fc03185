"""Data sets: what they are, how they get in, how they are divided, and where some can be had."""

from vsenumba.data.annotation_set import AnnotationSet, as_annotation_set
from vsenumba.data.catalogue import DATASETS, DataSet, load_dataset
from vsenumba.data.corpus import Corpus, as_corpus
from vsenumba.data.planted import save_synthetic, synthetic
from vsenumba.data.pruning import prune
from vsenumba.data.readers import READERS, read_annotations
from vsenumba.data.splits import holdout, kfold, leave_one_out
from vsenumba.data.vocabulary import Vocabulary
from vsenumba.data.word_vectors import ANALOGIES, Neighbor, WordVectors

__all__ = [
    "ANALOGIES",
    "DATASETS",
    "READERS",
    "AnnotationSet",
    "Corpus",
    "DataSet",
    "Neighbor",
    "Vocabulary",
    "WordVectors",
    "as_annotation_set",
    "as_corpus",
    "holdout",
    "kfold",
    "leave_one_out",
    "load_dataset",
    "prune",
    "read_annotations",
    "save_synthetic",
    "synthetic",
]
