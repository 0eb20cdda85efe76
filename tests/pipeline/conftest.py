"""What tests of several components in `pipeline/` use."""

import pytest
from spacy.language import Language

from .made_up import make_lemmatizer, make_rows


@pytest.fixture(scope="session")
def lemmatizer() -> Language:
    """A trained lemmatizer without context; tests must not change it."""
    return make_lemmatizer(make_rows(), steps=100)
