"""Tests of `spacy_attn.tables`."""
