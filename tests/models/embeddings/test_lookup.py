import spacy
from spacy.attrs import LOWER, NORM

from spacy_attn.models.embeddings.lookup import attributes_of_tokens


def test_attributes_are_those_of_all_tokens_in_order():
    nlp = spacy.blank("en")
    docs = [nlp("Can't"), nlp(""), nlp("A b")]
    found = attributes_of_tokens(docs, [LOWER, NORM])
    words = [[nlp.vocab.strings[key] for key in row] for row in found]
    assert words == [["ca", "can"], ["n't", "not"], ["a", "a"], ["b", "b"]]
    assert attributes_of_tokens(docs[1:2], [LOWER, NORM]).shape == (0, 2)
