"""Data sets: classes that hold them, readers, splits, and a catalogue of public sets."""

from vsenumba.data.annotation.annotation_set import AnnotationSet
from vsenumba.data.annotation.catalogue import DATASETS, fetch_dataset, load_dataset
from vsenumba.data.annotation.coercion import as_annotation_set
from vsenumba.data.annotation.data_set import DataSet, RemoteFile
from vsenumba.data.annotation.feature_files import FEATURE_READERS, FeatureTable, join_features, load_features
from vsenumba.data.annotation.planted import save_synthetic, synthetic
from vsenumba.data.annotation.pruning import prune
from vsenumba.data.annotation.readers import READERS, read_annotations
from vsenumba.data.annotation.splits import holdout, kfold, leave_one_out
from vsenumba.data.captions.caption_set import CaptionSet
from vsenumba.data.captions.picture_grid import grid_features
from vsenumba.data.captions.planted import synthetic_captions
from vsenumba.data.captions.ragged import Ragged
from vsenumba.data.captions.readers import CAPTION_READERS, load_caption_set
from vsenumba.data.matches import Match
from vsenumba.data.text.corpus import Corpus, as_corpus
from vsenumba.data.text.word_vectors import ANALOGIES, WordVectors
from vsenumba.data.vocabulary import Vocabulary

__all__ = [
    "ANALOGIES",
    "CAPTION_READERS",
    "DATASETS",
    "FEATURE_READERS",
    "READERS",
    "AnnotationSet",
    "CaptionSet",
    "Corpus",
    "DataSet",
    "FeatureTable",
    "Match",
    "Ragged",
    "RemoteFile",
    "Vocabulary",
    "WordVectors",
    "as_annotation_set",
    "as_corpus",
    "fetch_dataset",
    "grid_features",
    "holdout",
    "join_features",
    "kfold",
    "leave_one_out",
    "load_caption_set",
    "load_dataset",
    "load_features",
    "prune",
    "read_annotations",
    "save_synthetic",
    "synthetic",
    "synthetic_captions",
]
