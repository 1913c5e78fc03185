"""Loading word vectors from a model or a word2vec file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vsenumba.cli import options

if TYPE_CHECKING:
    from vsenumba.data import WordVectors

vectors_argument = click.argument("vectors", type=options.FILE)


def load_vectors(path: Path) -> WordVectors:
    """Read the word vectors of a model, or of a file in one of word2vec's formats."""
    from vsenumba.data import WordVectors
    from vsenumba.models import WordEmbedder, load_model
    from vsenumba.storage import is_native

    if not is_native(path):
        return WordVectors.load_word2vec(path)
    return load_model(path, WordEmbedder).word_vectors_
