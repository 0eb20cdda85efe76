"""What users of lemmatizers ask for: known forms, capitals, unknown words, and ambiguous ones."""

import unicodedata
import warnings

import numpy
import pytest
import spacy
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import fix_random_seed

from ..made_up import (
    WITH_CONTEXT,
    WITH_POS,
    learn,
    make_examples,
    make_lemmatizer,
    make_rows,
    read,
    sources,
    stems,
)

ROWS = make_rows()
KNOWN = stems(140, 0)
UNKNOWN = [stem for stem in stems(600, 1) if stem not in KNOWN][:60]
DOTLESS = "\N{LATIN SMALL LETTER DOTLESS I}"
CURLY = "\N{RIGHT SINGLE QUOTATION MARK}"
# Each form, how often each part of speech and lemma was seen with it.
ENTRIES = [
    *[("Rimasi", "VERB", "rimanere")] * 2,
    *[("rimasi", "VERB", "rimanere")] * 2,
    *[("meldet", "VERB", "melden")] * 2,
    *[("will", "AUX", "will")] * 3,
    *[("Bill", "PROPN", "Bill")] * 2,
    *[("bill", "NOUN", "bill")] * 2,
    *[("saw", "VERB", "see")] * 3,
    *[("saw", "NOUN", "saw")] * 2,
    *[("her", "PRON", "she")] * 2,
    *[("Henri", "PROPN", "Henri")] * 2,
]


def make_known(entries=ENTRIES, lang="xx", **config):
    """A lemmatizer with a dictionary that has learned nothing else."""
    rows = [([form], [lemma], [pos]) for form, pos, lemma in entries]
    return make_lemmatizer(rows, lang=lang, **config)


def switched(nlp, **settings):
    """The pipeline with other settings."""
    other = spacy.util.load_model_from_config(
        nlp.config.copy().merge({"components": {"attn_lemmatizer": settings}})
    )
    return other.from_bytes(nlp.to_bytes())


# Capitals


@pytest.mark.parametrize("word", ["Meldet", "MELDET", "MeldeT"])
def test_a_known_word_in_capitals_gets_the_lemma_of_the_word(word):
    nlp = make_known()
    assert read(nlp, word, "her") == ["melden", "she"]
    assert sources(nlp, word, "her") == ["lower", "dictionary"]


def test_a_capitalised_first_word_that_is_known_as_such_gets_the_lemma_of_the_word():
    assert sources(make_known(), "Rimasi") == ["dictionary"]
    assert read(make_known(), "Rimasi") == ["rimanere"]


@pytest.mark.parametrize("write", [str.capitalize, str.upper])
def test_an_unknown_first_word_and_one_in_capitals_get_the_lemma_of_the_word(lemmatizer, write):
    found = [read(lemmatizer, write(f"{stem}ed"))[0] for stem in UNKNOWN]
    assert sum(map(str.__eq__, found, UNKNOWN)) >= 50


@pytest.mark.parametrize("pos", [None, ["PROPN"]])
def test_a_known_name_in_capitals_gets_the_lemma_of_the_name(pos):
    assert read(make_known(), "HENRI", pos=pos) == ["Henri"]
    assert sources(make_known(), "HENRI", pos=pos) == ["lower"]
    assert read(make_known(use_pos=True), "HENRI", pos=pos) == ["Henri"]


def test_a_token_without_a_part_of_speech_is_looked_up_by_its_form_alone():
    entries = [*[("saw", "VERB", "see")] * 4, ("saw", "NOUN", "saw"), ("saw", "", "sow")]
    nlp = make_known(entries, use_pos=True, candidates=False)
    assert read(nlp, "saw") == ["see"]
    assert read(nlp, "saw", pos=["NOUN"]) == ["saw"]


def test_a_known_proper_noun_keeps_its_own_lemma():
    nlp = make_known()
    assert read(nlp, "Bill", "bill", "BILL") == ["Bill", "bill", "bill"]


def test_a_proper_noun_by_its_part_of_speech_is_not_looked_up_in_lower_case():
    nlp = make_known()
    assert read(nlp, "Will", pos=["AUX"]) == ["will"]
    assert sources(nlp, "Will", pos=["AUX"]) == ["lower"]
    assert sources(nlp, "Will", pos=["PROPN"]) == ["decoder"]


@pytest.mark.parametrize("order", [("AUX", "PROPN"), ("PROPN", "AUX")])
def test_a_name_and_a_word_of_one_form_do_not_answer_for_each_other(order):
    # Ambiguous in lower case, so that the model is asked for both.
    entries = [*ENTRIES, ("will", "NOUN", "wish")]
    alone = {pos: read(make_known(entries), "Will", pos=[pos])[0] for pos in order}
    nlp = make_known(entries)
    assert dict(zip(order, read(nlp, "Will", "Will", pos=list(order)), strict=True)) == alone
    assert {pos: read(nlp, "Will", pos=[pos])[0] for pos in order} == alone
    assert alone["AUX"] in ("will", "wish")
    assert alone["PROPN"] not in ("will", "wish")


def test_a_word_of_another_part_of_speech_does_not_answer_in_lower_case_where_that_is_used():
    entries = [("arbeiten", "VERB", "arbeiten"), ("teuer", "ADJ", "teuer")]
    nlp = make_known(entries, "de", use_pos=True)
    assert sources(nlp, "Arbeiten", "Teuer", pos=["NOUN", "ADJ"]) == ["decoder", "lower"]
    # Without a part of speech, any will do.
    assert sources(nlp, "Arbeiten") == ["lower"]
    assert sources(make_known(entries, "de"), "Arbeiten", pos=["NOUN"]) == ["lower"]


def test_the_model_chooses_between_name_and_word_with_context_alone():
    inside = ("her", "Meldet")
    with_context = make_known(model=WITH_CONTEXT)
    asked = []
    component = with_context.get_pipe("attn_lemmatizer")
    choose = component._choose
    component._choose = lambda questions, contexts: (
        asked.extend(question.choices for question in questions) or choose(questions, contexts)
    )
    assert read(with_context, *inside)[1] in ("melden", "Meldet")
    assert asked == [{"melden": 2, "Meldet": 2}]
    # Whatever the weights, it cannot be told from a form alone.
    nlp = make_known()
    nlp.get_pipe("attn_lemmatizer")._choose = None
    assert read(nlp, *inside)[1] == read(nlp, "Meldet")[0] == "melden"


def test_the_first_word_of_a_sentence_may_be_another_one_than_the_name_that_training_had_once():
    entries = [*ENTRIES, ("Works", "PROPN", "Works"), *[("works", "VERB", "work")] * 3]
    nlp = make_known(entries, model=WITH_CONTEXT)
    asked = []
    component = nlp.get_pipe("attn_lemmatizer")
    component._choose = lambda questions, contexts: [
        asked.append(question.choices) or "work" for question in questions
    ]
    assert read(nlp, "Works", "her", "Works") == ["work", "she", "Works"]
    assert asked == [{"Works": 1, "work": 3}]
    assert sources(nlp, "Works", "her", "Works") == ["candidates", "dictionary", "dictionary"]
    assert sources(nlp, "Works", "WORKS", pos=["PROPN", ""]) == ["dictionary", "lower"]
    # Without context, a form has one lemma wherever it stands.
    assert read(make_known(entries), "Works") == ["Works"]


def test_a_part_of_speech_tells_a_first_word_from_a_name_of_the_same_form():
    entries = [*ENTRIES, *[("Works", "PROPN", "Works")] * 4, ("works", "VERB", "work")]
    for config in ({}, {"model": WITH_CONTEXT}, {"use_pos": True}):
        nlp = make_known(entries, **config)
        words = ("her", "Works", "Works", "Works", "Works")
        found = read(nlp, *words, pos=["PRON", "VERB", "PROPN", "VERB", "ADJ"])
        assert found == ["she", "work", "Works", "work", "Works"]


def test_a_name_in_capitals_outweighs_a_careless_spelling_of_it():
    entries = [*[("Houston", "PROPN", "Houston")] * 3, ("houston", "PROPN", "houston")]
    entries += [*[("will", "AUX", "will")] * 3, ("Will", "PROPN", "Will")]
    for config in ({}, {"model": WITH_CONTEXT}):
        nlp = make_known(entries, **config)
        assert read(nlp, "HOUSTON", "WILL") == ["Houston", "will"]


def test_an_unknown_name_inside_a_sentence_keeps_its_capital_with_context_alone():
    entries = [*ENTRIES, ("Anna", "PROPN", "Anna"), ("venza", "NOUN", "venz")]
    with_context = {"model": WITH_CONTEXT}
    for config, expected in (
        (with_context, "Gurgaon"),
        (with_context | {"candidates": False}, "Gurgaon"),
        ({}, "gurgaon"),
    ):
        nlp = make_known(entries, **config)
        component = nlp.get_pipe("attn_lemmatizer")
        component._ask = lambda questions, contexts: [
            question.form.lower() for question in questions
        ]
        assert read(nlp, "her", "Gurgaon") == ["she", expected]
        # These may have their capital from their place, or are known words.
        assert read(nlp, "Gurgaon", "her") == ["gurgaon", "she"]
        assert read(nlp, "her", "Venz") == ["she", "venz"]
        assert read(nlp, "They", "Went", "Gurgaon", "Then")[2] == "gurgaon"
        assert read(nlp, "her", "Gurgaon", pos=["PRON", "NOUN"])[1] == "gurgaon"


def test_a_form_that_was_a_part_of_another_word_alone_is_written():
    nlp = make_known([*ENTRIES, *[("pose", "X", "_")] * 3])
    assert sources(nlp, "pose", "POSE") == ["decoder", "decoder"]
    assert "_" not in read(nlp, "pose", "POSE")


def test_a_word_in_lower_case_comes_before_a_name_of_another_part_of_speech_where_that_is_used():
    entries = [("Children", "PROPN", "Children"), ("children", "NOUN", "child")]
    nlp = make_known(entries, use_pos=True)
    assert read(nlp, "Children", "Children", pos=["NOUN", "PROPN"]) == ["child", "Children"]
    assert sources(nlp, "Children", "Children", pos=["NOUN", "VERB"]) == ["lower", "dictionary"]


# Spelling


def test_apostrophes_and_composed_letters_may_be_written_otherwise():
    pairs = [("l'", "le"), ("été", "être"), ("café", "café"), ("aujourd'hui", "aujourd'hui")]
    entries = [(form, "X", lemma) for form, lemma in [*pairs, (CURLY, "quote")]]
    nlp = make_known(entries)
    decomposed = unicodedata.normalize("NFD", "été")
    words = (f"L{CURLY}", decomposed, "Aujourd\u02bchui", CURLY)
    assert sources(nlp, *words) == ["lower", "dictionary", "lower", "dictionary"]
    assert read(nlp, *words) == ["le", "être", "aujourd'hui", "quote"]
    component = nlp.get_pipe("attn_lemmatizer")
    ((alignment,),) = component.explain([nlp(Doc(nlp.vocab, words=[decomposed]))])
    assert alignment.source == tuple(decomposed)
    # Both characters of a letter share its weight.
    numpy.testing.assert_array_equal(alignment.weights[:, 0], alignment.weights[:, 1])
    ((composed,),) = component.explain([nlp(Doc(nlp.vocab, words=["été"]))])
    numpy.testing.assert_allclose(alignment.weights[:, 2], composed.weights[:, 1], atol=1e-6)


def test_what_training_spelled_otherwise_is_found_in_the_usual_spelling():
    decomposed = unicodedata.normalize("NFD", "été")
    nlp = make_known([(f"l{CURLY}", "DET", "le"), (decomposed, "AUX", "être"), ("d'", "ADP", "de")])
    words = ("l'", "L'", "été", f"l{CURLY}", decomposed)
    assert read(nlp, *words) == ["le", "le", "être", "le", "être"]
    assert sources(nlp, *words) == ["dictionary", "lower", *["dictionary"] * 3]
    # What training had in this very spelling comes first.
    both = make_known([(f"l{CURLY}", "DET", "le"), ("l'", "DET", "el")])
    assert read(both, "l'", f"l{CURLY}") == ["el", "le"]


def test_a_spelling_that_training_had_is_read_as_it_is():
    decomposed = [unicodedata.normalize("NFD", f"{stem}é") for stem in stems(30, 3)]
    component = make_known([(form, "X", form) for form in decomposed]).get_pipe("attn_lemmatizer")
    unknown = unicodedata.normalize("NFD", "zupeké")
    assert component._readable(unknown) == unknown
    # Both apostrophes are unknown.
    assert component._readable(f"zupek{CURLY}s") == f"zupek{CURLY}s"


def test_without_context_a_capitalised_word_has_one_lemma_wherever_it_stands(lemmatizer):
    nlp = switched(lemmatizer)
    words = [stem.capitalize() for stem in KNOWN]
    firsts = [read(nlp, word, "we")[0] for word in words]
    assert [read(nlp, "we", word)[1] for word in words] == firsts


def test_turkish_capitals_stay_in_a_pipeline_of_another_language(tmp_path):
    heat = f"{DOTLESS}s{DOTLESS}"
    turkish = make_known([(heat, "NOUN", heat), ("iş", "NOUN", "iş")] * 2, "tr")
    words = ["ISI", "İŞ", "IŞI", "IŞIKİ"]
    other = spacy.blank("xx")
    other.add_pipe("attn_lemmatizer", source=turkish)
    other.to_disk(tmp_path)
    again = spacy.load(tmp_path)
    assert sources(again, *words)[:2] == ["lower"] * 2
    assert read(again, *words) == read(other, *words) == read(turkish, *words)


def test_turkish_capitals_are_those_of_turkish():
    heat = f"{DOTLESS}s{DOTLESS}"
    entries = [(heat, "NOUN", heat), ("iş", "NOUN", "iş"), ("isi", "NOUN", "is")]
    turkish, other = make_known(entries, "tr"), make_known(entries)
    assert sources(turkish, "ISI", "İŞ", "İSİ") == ["lower"] * 3
    assert read(turkish, "ISI", "İŞ", "İSİ") == [heat, "iş", "is"]
    assert read(other, "ISI") == ["is"]


# Unknown words


def test_an_unknown_noun_is_not_shortened_by_a_suffix_that_it_does_not_have(lemmatizer):
    lemmas = read(lemmatizer, *UNKNOWN)
    assert set(sources(lemmatizer, *UNKNOWN)) == {"decoder"}
    pairs = list(zip(UNKNOWN, lemmas, strict=True))
    # Of a small model, and of words that begin as known ones do.
    assert sum(word.startswith(lemma) and word != lemma for word, lemma in pairs) <= 3
    assert sum(map(str.__eq__, UNKNOWN, lemmas)) >= 50


@pytest.mark.parametrize("suffix", ["s", "ed"])
def test_an_unknown_word_loses_the_suffix_that_it_has(lemmatizer, suffix):
    lemmas = read(lemmatizer, *(stem + suffix for stem in UNKNOWN))
    assert sum(map(str.__eq__, UNKNOWN, lemmas)) >= 50


def test_without_context_a_form_has_one_lemma_wherever_it_stands(lemmatizer):
    words = [f"{stem}s" for stem in UNKNOWN[:20]]
    expected = dict(zip(words, read(lemmatizer, *words), strict=True))
    shuffled = [*words[::-1], *words[7:], "we", *words[:7], *words]
    # One that has no answers in its cache.
    lemmas = read(switched(lemmatizer), *shuffled)
    assert lemmas == [expected.get(word, word) for word in shuffled]


# Ambiguous words


@pytest.fixture(scope="module")
def ambiguous():
    """A lemmatizer with context that knows two lemmas of one form."""
    return make_lemmatizer(
        [row for row in ROWS if "saw" in row[0]][:8], 120, model=WITH_CONTEXT, use_pos=False
    )


def test_context_tells_which_of_the_known_lemmas_is_meant(ambiguous):
    assert read(ambiguous, "we", "saw", ".") == ["we", "see", "."]
    assert read(ambiguous, "a", "saw", ".") == ["a", "saw", "."]
    assert sources(ambiguous, "a", "saw", ".") == ["dictionary", "candidates", "dictionary"]


def test_with_context_only_lemmas_that_were_seen_are_chosen_for_a_known_form(lemmatizer):
    # Neither the words around nor the weights, which have not been trained, matter.
    nlp = make_known(model=WITH_CONTEXT)
    sentences = [[word, "saw", other] for word in UNKNOWN[:10] for other in ("her", "Zzz", "!")]
    lemmas = [read(nlp, *words)[1] for words in sentences]
    assert set(lemmas) <= {"see", "saw"}
    assert {sources(nlp, *words)[1] for words in sentences} == {"candidates"}


def test_without_context_the_part_of_speech_chooses_where_it_is_used():
    nlp = make_known(use_pos=True)
    assert read(nlp, "saw", "saw", pos=["VERB", "NOUN"]) == ["see", "saw"]
    assert sources(nlp, "saw", "saw", pos=["VERB", "NOUN"]) == ["dictionary"] * 2
    # Not seen together: what is known of the form.
    assert sources(nlp, "her", "saw", pos=["DET", "ADV"]) == ["dictionary", "candidates"]
    assert sources(nlp, "saw") == ["candidates"]


def test_parts_of_speech_in_the_models_context_tell_ambiguous_forms_apart():
    rows = [row for row in ROWS if "saw" in row[0]][:8]
    nlp = make_lemmatizer(rows, 80, give_pos=True, model=WITH_POS, dictionary=False)
    assert read(nlp, "saw", "saw", pos=["VERB", "NOUN"]) == ["see", "saw"]
    assert sources(nlp, "saw") == ["decoder"]


# Settings


def test_without_the_dictionary_the_model_writes_everything(lemmatizer):
    nlp = switched(lemmatizer, dictionary=False)
    assert sources(nlp, "we", "saw", "We", ".") == ["decoder"] * 4


def test_without_candidates_the_most_frequent_lemma_of_a_form_is_taken():
    nlp = make_known(candidates=False)
    assert read(nlp, "saw", "SAW") == ["see", "see"]
    assert sources(nlp, "saw", "SAW") == ["dictionary", "lower"]


def test_without_lower_the_model_writes_what_is_known_in_lower_case_only():
    nlp = make_known(lower=False)
    assert sources(nlp, "Meldet", "meldet") == ["decoder", "dictionary"]


def test_a_known_bonus_prefers_lemmas_that_training_had(lemmatizer):
    words = [f"{stem}{suffix}" for stem in UNKNOWN for suffix in ("", "ed")]
    known = {lemma for _, lemmas, _ in ROWS for lemma in lemmas}
    counts = [
        sum(lemma in known for lemma in read(switched(lemmatizer, known_bonus=bonus), *words))
        for bonus in (0.0, 50.0)
    ]
    assert counts[0] < counts[1]


@pytest.mark.parametrize("overwrite", [False, True])
def test_lemmas_that_are_there_are_replaced_with_overwrite_alone_as_by_spacys(overwrite):
    nlp = make_known(overwrite=overwrite, alignment=True)
    doc = nlp(Doc(nlp.vocab, words=["her", "will"], lemmas=["HER", ""]))
    assert [token.lemma_ for token in doc] == (["she", "will"] if overwrite else ["HER", "will"])
    # A lemma of others is from none of ours.
    expected = ["dictionary" if overwrite else None, "dictionary"]
    assert [token._.lemma_source for token in doc] == expected
    assert [token._.lemma_alignment is None for token in doc] == [not overwrite, False]


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_second_lemmatizer_warns_of_what_it_replaces_and_of_nothing_that_it_keeps(overwrite):
    first = make_known(alignment=True)
    second = make_known(overwrite=overwrite, alignment=True).get_pipe("attn_lemmatizer")
    second.name = "second"
    doc = first(Doc(first.vocab, words=["her", "will"]))
    kept = [token._.lemma_alignment for token in doc]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        second(doc)
    assert len(caught) == 2 * overwrite
    assert all("replaces what 'attn_lemmatizer' stored" in str(each.message) for each in caught)
    assert [token._.lemma_source for token in doc] == ["dictionary", "dictionary"]
    if not overwrite:
        for token, alignment in zip(doc, kept, strict=True):
            numpy.testing.assert_array_equal(token._.lemma_alignment, alignment)


def test_a_document_that_is_seen_twice_keeps_where_its_lemmas_come_from():
    nlp = make_known(alignment=True)
    doc = nlp(Doc(nlp.vocab, words=["her", "Will", "zzz"]))
    kept = [(token.lemma_, token._.lemma_source) for token in doc]
    alignments = [token._.lemma_alignment for token in doc]
    doc = nlp(doc)
    assert [(token.lemma_, token._.lemma_source) for token in doc] == kept
    for token, alignment in zip(doc, alignments, strict=True):
        assert (token._.lemma_alignment == alignment).all()


def test_scores_are_those_of_all_tokens_and_of_unseen_forms(lemmatizer):
    rows = [(["we", UNKNOWN[0], "zzz"], ["we", UNKNOWN[0], "no"], ["PRON", "NOUN", "X"])]
    scores = lemmatizer.evaluate(make_examples(lemmatizer, rows))
    assert scores["lemma_acc"] == pytest.approx(2 / 3)
    assert scores["lemma_acc_unseen"] == pytest.approx(1 / 2)


def test_a_form_that_was_a_part_of_another_word_alone_is_scored_as_unseen():
    nlp = make_known([("thing", "X", "_"), ("mice", "NOUN", "mouse")])
    rows = [(["thing", "mice"], ["thingy", "mouse"], ["NOUN", "NOUN"])]
    scores = nlp.evaluate(make_examples(nlp, rows))
    assert (scores["lemma_acc"], scores["lemma_acc_unseen"]) == (0.5, 0.0)


def test_a_sentence_with_another_tokenization_is_learned_from_where_tokens_agree():
    nlp = make_known()
    words = Doc(nlp.vocab, words=["can", "not", "her"], spaces=[False, True, False])
    annotated = Doc(nlp.vocab, words=["cannot", "her"], lemmas=["can", "hers"])
    example = Example(words, annotated)
    nlp.get_pipe("attn_lemmatizer").initialize(lambda: [example], nlp=nlp)
    assert [tuple(entry) for entry in nlp.get_pipe("attn_lemmatizer").dictionary] == [
        ("her", "", "hers", 1)
    ]


def test_predicted_parts_of_speech_of_a_component_before_are_learned_from_and_read():
    nlp = spacy.blank("xx")
    tagger = nlp.add_pipe("morphologizer")
    nlp.add_pipe("attn_lemmatizer", config={"model": WITH_POS, "use_pos": True})
    rows = [row for row in ROWS if "saw" in row[0]][:8]
    nlp.initialize(lambda: make_examples(nlp, rows))
    seen = []
    lemmatizer = nlp.get_pipe("attn_lemmatizer")
    update = lemmatizer.update

    def spy(examples, **settings):
        seen.extend(token.pos_ for example in examples for token in example.predicted)
        return update(examples, **settings)

    lemmatizer.update = spy
    sgd = nlp.create_optimizer()
    sgd.learn_rate = 0.01
    for _ in range(15):
        nlp.update(make_examples(nlp, rows), sgd=sgd, annotates=[tagger.name])
    assert set(seen[-24:]) == {"PRON", "VERB", "DET", "NOUN", "PUNCT"}
    assert read(nlp, "we", "saw", ".") == ["we", "see", "."]
    assert read(nlp, "a", "saw", ".") == ["a", "saw", "."]


def test_learning_goes_on_where_it_was_left(lemmatizer):
    nlp = switched(lemmatizer)
    fix_random_seed(2)
    learn(nlp, ROWS, 1)
    assert sum(map(str.__eq__, UNKNOWN, read(nlp, *UNKNOWN))) >= 45
