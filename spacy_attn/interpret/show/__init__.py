"""Explanations as HTML: a fixed colour scale, tokens on its shades, and the templates."""
