import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_attn.torch.attention import SCORINGS
from spacy_attn.torch.classifier import AttentionClassifier, Sizes

WIDTH = 7


def make(scoring="dot", depth=1, n_labels=3) -> AttentionClassifier:
    return AttentionClassifier(Sizes(WIDTH, 4, depth, scoring, n_labels)).eval()


def sigmoid(x):
    return 1.0 / (1.0 + numpy.exp(-x))


def run_lstm(lstm: torch.nn.LSTM, inputs):
    """The equations of torch.nn.LSTM's documentation, a step at a time."""
    w_ih, w_hh, b_ih, b_hh = (
        getattr(lstm, name).detach().numpy()
        for name in ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    )
    h = c = numpy.zeros(lstm.hidden_size)
    outputs = []
    for x in inputs:
        i, f, g, o = numpy.split(w_ih @ x + b_ih + w_hh @ h + b_hh, 4)
        c = sigmoid(f) * c + sigmoid(i) * numpy.tanh(g)
        h = sigmoid(o) * numpy.tanh(c)
        outputs.append(h)
    return outputs


def evaluate(model: AttentionClassifier, x):
    """The reference model for one document, in plain NumPy."""
    ahead = run_lstm(model.encoder.forwards[0], x)
    behind = run_lstm(model.encoder.backwards[0], x[::-1])[::-1]
    h = numpy.concatenate((ahead, behind), axis=1)
    q = numpy.concatenate((ahead[-1], behind[0]))
    s = h @ q
    a = numpy.exp(s - s.max())
    a /= a.sum()
    w, b = model.head.weight.detach().numpy(), model.head.bias.detach().numpy()
    return w @ (a @ h) + b, a


@given(st.lists(st.integers(1, 12), min_size=1, max_size=9), st.integers(0, 1000))
@settings(deadline=None, max_examples=30)
def test_dot_attention_reproduces_a_plain_numpy_evaluation(lengths, seed):
    torch.manual_seed(seed)
    model = make()
    tokens = torch.randn(sum(lengths), WIDTH) * 2
    logits, weights = model(tokens, lengths)
    for document, own_weights, own_logits in zip(
        tokens.split(lengths), weights.split(lengths), logits, strict=True
    ):
        expected_logits, expected_weights = evaluate(model, document.numpy())
        numpy.testing.assert_allclose(own_logits.detach().numpy(), expected_logits, atol=1e-5)
        numpy.testing.assert_allclose(own_weights.detach().numpy(), expected_weights, atol=1e-5)


@given(
    st.lists(st.integers(0, 15), min_size=1, max_size=12),
    st.sampled_from(SCORINGS),
    st.integers(1, 2),
)
@settings(deadline=None, max_examples=40)
def test_a_document_is_classified_alike_alone_and_in_any_batch(lengths, scoring, depth):
    model = make(scoring, depth)
    tokens = torch.randn(sum(lengths), WIDTH)
    logits, weights = model(tokens, lengths)
    for i, document in enumerate(tokens.split(lengths)):
        alone, own_weights = model(document, [lengths[i]])
        torch.testing.assert_close(alone[0], logits[i], atol=1e-5, rtol=0)
        torch.testing.assert_close(own_weights, weights.split(lengths)[i], atol=1e-5, rtol=0)


@pytest.mark.parametrize("scoring", SCORINGS)
def test_attention_sums_to_one_over_each_document(scoring):
    lengths = [3, 1, 0, 8]
    _, weights = make(scoring)(torch.randn(12, WIDTH), lengths)
    sums = [own.sum().item() for own in weights.split(lengths)]
    numpy.testing.assert_allclose(sums, [1, 1, 0, 1], atol=1e-6)
    assert (weights >= 0).all()


def test_documents_without_tokens_get_the_bias_alone_or_among_others():
    model = make()
    for lengths in ([0], [0, 2, 0]):
        logits, _ = model(torch.randn(sum(lengths), WIDTH), lengths)
        assert torch.equal(logits[0], model.head.bias)


@pytest.mark.parametrize("scoring", SCORINGS)
def test_gradients_agree_with_finite_differences(scoring):
    model = make(scoring, depth=2).double()
    lengths = [3, 0, 1, 4]
    tokens = torch.randn(sum(lengths), WIDTH, dtype=torch.float64, requires_grad=True)
    parameters = list(model.parameters())

    def logits(tokens, *_):
        return model(tokens, lengths)[0]

    assert torch.autograd.gradcheck(logits, (tokens, *parameters))


def test_more_labels_leave_the_other_logits_as_they_are():
    model = make(n_labels=2)
    tokens = torch.randn(5, WIDTH)
    resized = model.with_labels(4, new_bias=-3.0)
    before, after = model(tokens, [2, 3])[0], resized(tokens, [2, 3])[0]
    torch.testing.assert_close(before, after[:, :2], atol=1e-6, rtol=0)
    assert torch.equal(after[:, 2:], torch.full((2, 2), -3.0))


def test_dropout_acts_on_token_vectors_and_on_the_head_in_training_mode_only():
    model = make()
    tokens = torch.ones(6, WIDTH)
    assert torch.equal(model(tokens, [6], 0.5)[0], model(tokens, [6], 0.5)[0])
    model.train()
    _, first = model(tokens, [6], 0.5)
    _, second = model(tokens, [6], 0.5)
    assert not torch.equal(first, second)  # attention sees the dropout on the tokens alone
    # Without tokens to drop, what varies is the pooled vector: the head's dropout zeroes units.
    zeroed = [model(torch.zeros(1, WIDTH), [1], 0.5)[0] for _ in range(20)]
    assert len({tuple(logits[0].tolist()) for logits in zeroed}) > 1
