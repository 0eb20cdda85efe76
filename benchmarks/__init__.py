"""Measurements of spacy-attn; not part of the installed package."""
