"""The contract between the components and a model's architecture."""

from functools import partial

import pytest
import spacy
from spacy.tokens import Doc
from spacy.util import registry
from thinc.api import Linear, Model, chain, with_debug

import spacy_attn
from spacy_attn.models import bilstm_attention
from spacy_attn.models.attention_layer import attention_head
from spacy_attn.models.bilstm_attention import BiLSTMAttention_v1
from spacy_attn.models.bilstm_layer import bilstm_encoder
from spacy_attn.models.contract import REFS, check_model
from spacy_attn.models.embeddings.words import WordEmbedding_v1

from ..conftest import (
    SMALL_EMBEDDING,
    TEXTS,
    assert_same_predictions,
    make_examples,
    make_nlp,
    train,
)

BOW = {
    "@architectures": "spacy.TextCatBOW.v3",
    "exclusive_classes": True,
    "ngram_size": 1,
    "no_output_layer": False,
}


def make_model(tok2vec=None) -> Model:
    """A model that is put together by a user, of parts that meet the contract."""
    tok2vec = tok2vec or WordEmbedding_v1(4, min_frequency=1)
    parts = {"dropout": None, "mixed_precision": False, "grad_scaler_config": None}
    bilstm = bilstm_encoder(hidden_width=3, depth=1, **parts)
    head = attention_head(width=6, attention="dot", attention_width=None, evidence=0.0, **parts)
    encoder = chain(tok2vec, bilstm)

    def forward(model, docs, is_train):
        hidden, backprop_hidden = encoder(docs, is_train)
        output, backprop = head(hidden, is_train)
        return output, lambda d_logits: backprop_hidden(backprop(d_logits))

    return Model(
        "my_model",
        forward,
        init=bilstm_attention.init,
        dims={"nO": None},
        layers=[encoder, head],
        refs={"tok2vec": tok2vec, "bilstm": bilstm, "encoder": encoder, "output_layer": head},
        attrs={"expected_nO": None},
    )


def test_a_model_of_spacys_textcat_is_refused_when_the_component_is_made(factory):
    message = (
        f"Component '{factory}': it cannot use the model '.*', which has no reference to its "
        r"layers \['tok2vec', 'bilstm', 'encoder'.*Set '@architectures'.*BiLSTMAttention.v1"
    )
    with pytest.raises(ValueError, match=message):
        spacy.blank("en").add_pipe(factory, config={"model": BOW})


@pytest.mark.parametrize("ref", REFS)
def test_a_model_without_a_reference_is_refused_with_its_name(ref):
    model = make_model()
    check_model("Component 'c'", model)
    model.set_ref(ref, None)
    with pytest.raises(ValueError, match=rf"'my_model', which has no reference.*\['{ref}'\]"):
        check_model("Component 'c'", model)


@pytest.mark.parametrize("ref", ["bilstm", "output_layer"])
def test_a_model_with_a_layer_that_is_not_of_torch_is_refused(ref):
    model = BiLSTMAttention_v1(WordEmbedding_v1(4))
    layer = Linear(4, 4)
    model.layers.append(layer)
    model.set_ref(ref, layer)
    with pytest.raises(ValueError, match=f"a layer '{ref}' without a TorchShim"):
        check_model("Component 'c'", model)


def test_something_that_is_no_model_is_refused():
    with pytest.raises(ValueError, match="its model must be a Thinc model, but is True"):
        check_model("Component 'c'", True)


def test_a_model_of_ones_own_trains_predicts_explains_is_saved_and_sourced(factory, tmp_path):
    name = "test-contract.MyModel.v1"
    registry.architectures.register(name, func=make_model)
    nlp = spacy.blank("en")
    config = {"@architectures": name, "tok2vec": SMALL_EMBEDDING}
    nlp.add_pipe(factory, config={"model": config, "contributions_attr": "parts"})
    nlp.initialize(lambda: make_examples(nlp))
    train(nlp, steps=60)
    for text, gold in TEXTS.items():
        assert nlp(text).cats[gold] > 0.5
    for method in ("contributions", "gradient_x_input"):
        (explanation,) = spacy_attn.explain(nlp, ["great fun"], method=method)
        assert explanation.attributions.shape == (2, 2)
    assert isinstance(nlp.get_pipe(factory).calibrate(make_examples(nlp)), float)
    nlp.to_disk(tmp_path)
    assert_same_predictions(nlp, spacy.load(tmp_path), atol=1e-6)
    other = spacy.blank("en")
    other.add_pipe(factory, source=nlp)
    assert_same_predictions(nlp, other)


def test_a_wrapped_model_is_accepted():
    check_model("Component 'c'", with_debug(make_model()))


def weights_and_predictions(factory, change_layers) -> tuple:
    nlp = make_nlp(factory, perturbation=2.0, contributions_attr="parts")
    change_layers(nlp.get_pipe(factory).model)
    train(nlp, steps=2)
    docs = list(nlp.pipe([*TEXTS, ""]))
    (explanation,) = spacy_attn.explain(nlp, ["great fun"], method="leave_one_out")
    return [doc.cats for doc in docs], [doc._.parts.tolist() for doc in docs], explanation.to_dict()


def test_layers_that_know_lists_alone_give_the_same(factory):
    def take_lists(model):
        for name in ("tok2vec", "bilstm", "output_layer"):
            layer = model.get_ref(name)
            layer._func = partial(forward, layer._func)

    def as_list(arrays):
        return [array.copy() for array in arrays] if isinstance(arrays, list) else arrays

    def forward(inner, layer, X, is_train):
        Y, backprop = inner(layer, X if isinstance(X[0], Doc) else as_list(X), is_train)
        return as_list(Y), lambda dY: as_list(backprop(as_list(dY)))

    expected = weights_and_predictions(factory, lambda model: None)
    assert weights_and_predictions(factory, take_lists) == expected


def test_a_layer_may_change_the_list_of_vectors_that_it_is_given(factory):
    def scale(in_place):
        def forward(model, X, is_train):
            scaled = X if in_place else [None] * len(X)
            for i, vectors in enumerate(X):
                scaled[i] = 3.0 * vectors
            return scaled, lambda d_scaled: [3.0 * gradient for gradient in d_scaled]

        return lambda model: _put_behind_embedding(model, Model("scale", forward))

    expected = weights_and_predictions(factory, scale(in_place=False))
    assert weights_and_predictions(factory, scale(in_place=True)) == expected
    assert weights_and_predictions(factory, lambda model: None) != expected


def _put_behind_embedding(model, layer):
    tok2vec = model.get_ref("tok2vec")
    embed, forward = tok2vec._func, layer._func

    def forward_both(_, docs, is_train):
        vectors, backprop_embedding = embed(tok2vec, docs, is_train)
        scaled, backprop = forward(layer, vectors, is_train)
        return scaled, lambda d_scaled: backprop_embedding(backprop(d_scaled))

    tok2vec._func = forward_both
    tok2vec.attrs.pop("distinct_vectors", None)
