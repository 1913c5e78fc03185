"""Caption sets: images as rows of features, captions, and which ones match."""
