"""Text: corpora of running text as numbers, and word vectors."""
