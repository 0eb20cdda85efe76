"""Layers that make token vectors of documents: of words, of their parts, and of word vectors."""
