"""The computations, as modules of PyTorch. Neither spaCy nor Thinc is in here."""
