"""Words a second and memory of `attn_textcat`, of spaCy's text classifiers, and of the limits."""
