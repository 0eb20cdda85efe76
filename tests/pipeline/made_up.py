"""A made-up language whose lemmas a tiny model learns in a few seconds.

Nouns have a plural in -s, verbs a past in -ed, and names nothing. The first word of a sentence has
a capital. "saw" is a form of "see" after "we", and a noun after "a".
"""

import random

import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import fix_random_seed

from ..conftest import HASH_EMBEDDING, TOK2VEC

SMALL = {
    "@architectures": "spacy-attn.AttentionDecoder.v1",
    "tok2vec": None,
    "symbol_width": 16,
    "context_width": 8,
    "hidden_width": 24,
    "depth": 1,
    "decoder_width": 40,
    "output_width": 32,
    "dropout": 0.2,
}
WITH_CONTEXT = {**SMALL, "tok2vec": TOK2VEC}
WITH_POS = {**SMALL, "tok2vec": {**HASH_EMBEDDING, "attrs": ["POS"], "rows": [50]}}
_CONSONANTS, _VOWELS = "bdgklmnprtvz", "aeiou"
_SUFFIXES = {"NOUN": ("", "s"), "VERB": ("", "ed"), "PROPN": ("",), "ADJ": ("",)}
Row = tuple[list[str], list[str], list[str]]


def stems(number: int, seed: int) -> list[str]:
    """Stems, which all end in a consonant that is no suffix."""
    draw = random.Random(seed)

    def stem() -> str:
        n_syllables = draw.choice([1, 1, 2])
        syllables = (draw.choice(_CONSONANTS) + draw.choice(_VOWELS) for _ in range(n_syllables))
        return "".join(syllables) + draw.choice("klmnprtz")

    return list(dict.fromkeys(stem() for _ in range(number)))


def make_rows(number: int = 150, seed: int = 0) -> list[Row]:
    """Sentences: words, lemmas and parts of speech."""
    draw = random.Random(seed)
    known = stems(140, seed)
    rows: list[Row] = []
    for i in range(number):
        words, lemmas, pos = [], [], []
        for _ in range(4):
            stem, part = draw.choice(known), draw.choice(["NOUN", "NOUN", "VERB", "PROPN"])
            lemma = stem.capitalize() if part == "PROPN" else stem
            words.append(lemma + draw.choice(_SUFFIXES[part]))
            lemmas.append(lemma)
            pos.append(part)
        words[0] = words[0].capitalize()
        rows.append((words, lemmas, pos))
        is_verb = i % 2 == 0
        ambiguous = ["we" if is_verb else "a", "saw", "."]
        of_ambiguous = ["we" if is_verb else "a", "see" if is_verb else "saw", "."]
        tags = ["PRON", "VERB", "PUNCT"] if is_verb else ["DET", "NOUN", "PUNCT"]
        rows.append((ambiguous, of_ambiguous, tags))
    return rows


def make_examples(nlp: Language, rows: list[Row], give_pos: bool = False) -> list[Example]:
    return [
        Example(
            Doc(nlp.vocab, words=words, pos=pos if give_pos else None),
            Doc(nlp.vocab, words=words, lemmas=lemmas, pos=pos),
        )
        for words, lemmas, pos in rows
    ]


def make_lemmatizer(
    rows: list[Row], steps: int = 0, lang: str = "xx", give_pos: bool = False, **config
) -> Language:
    """A pipeline of a lemmatizer, trained for some steps."""
    fix_random_seed(0)
    nlp = spacy.blank(lang)
    nlp.add_pipe("attn_lemmatizer", config={"model": SMALL, **config})
    nlp.initialize(lambda: make_examples(nlp, rows, give_pos))
    learn(nlp, rows, steps, give_pos=give_pos)
    return nlp


def learn(nlp: Language, rows: list[Row], steps: int, give_pos=False, sgd=None) -> None:
    sgd = nlp.create_optimizer() if sgd is None else sgd
    draw = random.Random(0)
    for step in range(steps):
        sgd.learn_rate = 0.015 * (1.0 - step / steps)
        nlp.update(make_examples(nlp, draw.sample(rows, min(60, len(rows))), give_pos), sgd=sgd)


def read(nlp: Language, *words: str, pos: list[str] | None = None) -> list[str]:
    """The lemmas of some words in a sentence."""
    return [token.lemma_ for token in nlp(Doc(nlp.vocab, words=list(words), pos=pos))]


def sources(nlp: Language, *words: str, pos: list[str] | None = None) -> list[str | None]:
    """Where these come from."""
    return [token._.lemma_source for token in nlp(Doc(nlp.vocab, words=list(words), pos=pos))]
