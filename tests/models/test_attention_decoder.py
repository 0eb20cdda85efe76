"""The architecture of the encoder-decoder: its layers, gradients, settings, storage and copies."""

import copy
import pickle

import numpy
import pytest
import spacy
import srsly
from hypothesis import given
from hypothesis import strategies as st
from spacy.util import registry
from thinc.api import Adam, Config, fix_random_seed

from spacy_attn.models.attention_decoder import (
    AttentionDecoder_v1,
    Sources,
    align,
    begin_decoding,
    resize_symbols,
    score,
    write,
)
from spacy_attn.models.settings import SettingError, check_layers

from ..conftest import TOK2VEC

N_SYMBOLS, N_TAGS = 9, 3
SMALL = {"symbol_width": 6, "context_width": 5, "hidden_width": 4, "decoder_width": 7}
SOURCES = [[2, 3, 4], [5], [6, 9, 10, 2], [3, 3]]
TARGETS = [[2, 3], [], [6, 2], [8, 7, 2, 1]]


def tok2vec():
    return registry.resolve({"tok2vec": Config().from_str(Config({"t": TOK2VEC}).to_str())["t"]})[
        "tok2vec"
    ]


def make_model(**settings):
    fix_random_seed(0)
    model = AttentionDecoder_v1(**{**SMALL, "output_width": 8, "dropout": 0.0, **settings})
    model.set_dim("nO", N_SYMBOLS)
    model.set_dim("nT", N_TAGS)
    docs = [spacy.blank("xx")("one two three"), spacy.blank("xx")("four")]
    model.initialize(X=docs)
    return model


def sources_of(model, symbols=SOURCES):
    """Sources with some context, or with vectors."""
    decoder = model.get_ref("decoder")
    vectors = decoder.attrs["reads"].value == "vectors"
    rows = sum(map(len, symbols)) if vectors else len(symbols)
    given = numpy.random.default_rng(0).normal(size=(rows, decoder.get_dim("nI")))
    return Sources(symbols, given.astype("float32"))


KINDS = pytest.mark.parametrize(
    "settings",
    [
        {},
        {"tok2vec": True},
        {"tok2vec": True, "input_feeding": True, "attention": "additive_query"},
        {"tok2vec": True, "reads": "vectors", "depth": 2},
        {"copy": False, "tied": True, "output_width": None},
    ],
    ids=["symbols", "context", "feeding", "vectors", "tied"],
)


def make(settings):
    own = {key: value for key, value in settings.items() if key != "tok2vec"}
    return make_model(**own, tok2vec=tok2vec() if settings.get("tok2vec") else None)


@KINDS
def test_the_gradient_of_what_is_given_is_that_of_finite_differences(settings):
    model = make(settings)
    sources = sources_of(model)
    weights = numpy.random.default_rng(1)

    def outputs(given):
        return begin_decoding(model, sources._replace(given=given), TARGETS)

    (found, tags), backprop = outputs(sources.given)
    d_found = weights.normal(size=found.shape).astype("float32")
    d_tags = weights.normal(size=tags.shape).astype("float32")
    d_given = backprop((d_found, d_tags))
    assert d_given.shape == sources.given.shape

    def value(given):
        (found, tags), _ = outputs(given)
        return float((found * d_found).sum() + (tags * d_tags).sum())

    for place in list(numpy.ndindex(*d_given.shape))[:6]:
        step = numpy.zeros_like(d_given)
        step[place] = 1e-2
        difference = value(sources.given + step) - value(sources.given - step)
        assert d_given[place] == pytest.approx(difference / 2e-2, abs=2e-3)


@KINDS
def test_a_model_learns_to_write_its_targets(settings):
    model = make(settings)
    targets = [[2, 3], [4], [6, 2], [8, 7]]
    sources = sources_of(model)
    optimizer = Adam(0.05)
    for _ in range(150):
        (found, tags), backprop = begin_decoding(model, sources, targets)
        backprop((-numpy.ones_like(found), numpy.zeros_like(tags)))
        model.finish_update(optimizer)
    written = write(model, sources, [9] * 4)
    assert [each[0].symbols.tolist() for each in written] == targets
    assert numpy.exp(score(model, sources, targets)).min() > 0.8


@KINDS
def test_what_is_written_has_the_score_of_its_symbols(settings):
    model = make(settings)
    sources = sources_of(model)
    written = [each[0] for each in write(model, sources, [30] * 4, beam_width=2)]
    expected = score(model, sources, [each.symbols.tolist() for each in written])
    for each, log_probability in zip(written, expected, strict=True):
        if each.is_complete:
            assert each.log_probability == pytest.approx(float(log_probability), abs=1e-4)


@given(data=st.data())
def test_neither_order_nor_company_changes_what_a_source_gets(data):
    model = _CONTEXT_MODEL
    sources = sources_of(model)
    picked = data.draw(st.permutations(range(4)))[: data.draw(st.integers(1, 4))]
    some = Sources([SOURCES[i] for i in picked], sources.given[picked])
    all_scores = score(model, sources, TARGETS)
    assert score(model, some, [TARGETS[i] for i in picked]) == pytest.approx(
        all_scores[picked], abs=1e-5
    )
    alone = [each[0].symbols.tolist() for each in write(model, some, [8] * len(picked))]
    together = [each[0].symbols.tolist() for each in write(model, sources, [8] * 4)]
    assert alone == [together[i] for i in picked]


@KINDS
def test_a_model_that_was_stored_copied_or_pickled_writes_the_same(settings):
    model = make(settings)
    sources = sources_of(model)
    expected = score(model, sources, TARGETS)
    loaded = make(settings)
    loaded.from_bytes(model.to_bytes())
    others = [loaded, copy.deepcopy(model), pickle.loads(pickle.dumps(model))]
    for other in others:
        assert (score(other, sources, TARGETS) == expected).all()


def test_weights_trained_with_another_setting_are_refused():
    model = make_model()
    other = make_model(decoder_width=8)
    with pytest.raises(SettingError, match="'decoder_width' is 8 in the config, but the weights"):
        other.from_bytes(model.to_bytes())
    nodes = srsly.msgpack_loads(model.to_bytes())["nodes"]
    with pytest.raises(SettingError, match="The config makes the layers"):
        check_layers(make_model(tok2vec=tok2vec()), nodes)


@KINDS
def test_added_symbols_leave_the_weights_of_the_others_as_they_are(settings):
    model = make(settings)
    sources = sources_of(model, [[2, 3, 4], [5]])

    def odds():
        """Those of one first symbol against another, which no other symbol has a part in."""
        (first, _), _ = begin_decoding(model, sources, [[2], [7]])
        (second, _), _ = begin_decoding(model, sources, [[6], [8]])
        return first[:, 0] - second[:, 0]

    before = odds()
    resize_symbols(model, N_SYMBOLS + 2)
    (found, _), _ = begin_decoding(model, sources, [[9], [10]])
    assert (numpy.exp(found[:, 0]) > 0).all()
    # What is copied takes no part in the competition of the symbols.
    places = [1] if model.get_ref("decoder").attrs["copy"].value else [0, 1]
    assert odds()[places] == pytest.approx(before[places], abs=1e-5)


@pytest.mark.parametrize(
    ("settings", "complaint"),
    [
        ({"reads": "words"}, "'reads' must be one of symbols, vectors, but is 'words'"),
        ({"reads": "vectors"}, "needs a 'tok2vec', but it is null"),
        ({"tied": True, "output_width": 3}, "'tied' needs an 'output_width' that is"),
        ({"decoder_width": 0}, "'decoder_width' must be 1 or more, but is 0"),
        ({"dropout": 1.0}, "'dropout' must be at least 0 and below 1, but is 1.0"),
        ({"attention": "none"}, "'attention' must be one of"),
    ],
)
def test_a_setting_out_of_its_range_is_refused(settings, complaint):
    with pytest.raises(ValueError, match=complaint):
        AttentionDecoder_v1(**settings)


_CONTEXT_MODEL = make_model(tok2vec=tok2vec())


@KINDS
def test_a_target_is_aligned_as_where_it_was_written(settings):
    model = make(settings)
    sources = sources_of(model)
    written = [each[0] for each in write(model, sources, [6] * 4, alignment=True)]
    targets = [each.symbols.tolist() for each in written]
    for each, source, weights in zip(written, SOURCES, align(model, sources, targets), strict=True):
        assert weights.shape == (len(each.symbols), len(source))
        assert weights == pytest.approx(each.alignment.numpy(), abs=1e-5)
        assert weights.sum(axis=1) == pytest.approx(numpy.ones(len(weights)), abs=1e-5)
