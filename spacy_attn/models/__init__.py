"""Thinc models around the modules of `nn`: layers, the architecture, and its weights."""
