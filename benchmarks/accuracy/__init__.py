"""How accurate `attn_textcat` is beside its peers: `python -m benchmarks.accuracy --help`."""
