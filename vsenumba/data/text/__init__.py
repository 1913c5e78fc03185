"""Text: corpora of running text encoded as numbers, and word vectors."""
