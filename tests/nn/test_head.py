import numpy
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from spacy_attn.nn.attention import SCORINGS
from spacy_attn.nn.bilstm import BiLSTM
from spacy_attn.nn.head import AttentionHead

INPUT_WIDTH, WIDTH = 7, 8


def make(scoring="dot", n_labels=3, evidence=0.7) -> AttentionHead:
    return AttentionHead(WIDTH, scoring, n_labels, evidence=evidence)


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


def evaluate(encoder: BiLSTM, head: AttentionHead, x):
    """The reference model for one document, in plain NumPy."""
    ahead = run_lstm(encoder.forwards[0], x)
    behind = run_lstm(encoder.backwards[0], x[::-1])[::-1]
    h = numpy.concatenate((ahead, behind), axis=1)
    q = numpy.concatenate((ahead[-1], behind[0]))
    w, b = head.output.weight.detach().numpy(), head.output.bias.detach().numpy()
    s = h @ q + head.sizes["evidence"] * numpy.log(numpy.linalg.norm(h @ w.T, axis=1) + 0.1)
    a = numpy.exp(s - s.max())
    a /= a.sum()
    return w @ (a @ h) + b, a


@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=9),
    st.integers(0, 1000),
    st.sampled_from([0.0, 1.0, 2.5]),
)
def test_dot_attention_reproduces_a_plain_numpy_evaluation(lengths, seed, evidence):
    torch.manual_seed(seed)
    encoder, head = BiLSTM(INPUT_WIDTH, WIDTH // 2), make(evidence=evidence)
    tokens = torch.randn(sum(lengths), INPUT_WIDTH) * 2
    logits, weights = head(encoder(tokens, lengths), lengths)
    for document, own_weights, own_logits in zip(
        tokens.split(lengths), weights.split(lengths), logits, strict=True
    ):
        expected_logits, expected_weights = evaluate(encoder, head, document.numpy())
        numpy.testing.assert_allclose(own_logits.detach().numpy(), expected_logits, atol=1e-5)
        numpy.testing.assert_allclose(own_weights.detach().numpy(), expected_weights, atol=1e-5)


@given(st.lists(st.integers(0, 15), min_size=1, max_size=12), st.sampled_from(SCORINGS))
def test_a_document_is_classified_alike_alone_and_in_any_batch(lengths, scoring):
    head = make(scoring)
    hidden = torch.randn(sum(lengths), WIDTH)
    logits, weights = head(hidden, lengths)
    for i, document in enumerate(hidden.split(lengths)):
        alone, own_weights = head(document, [lengths[i]])
        torch.testing.assert_close(alone[0], logits[i], atol=1e-6, rtol=0)
        torch.testing.assert_close(own_weights, weights.split(lengths)[i], atol=1e-6, rtol=0)


@pytest.mark.parametrize("scoring", SCORINGS)
def test_attention_sums_to_one_over_each_document(scoring):
    lengths = [3, 1, 0, 8]
    _, weights = make(scoring)(torch.randn(12, WIDTH), lengths)
    sums = [own.sum().item() for own in weights.split(lengths)]
    numpy.testing.assert_allclose(sums, [1, 1, 0, 1], atol=1e-6)
    assert (weights >= 0).all()


@pytest.mark.parametrize("scoring", SCORINGS)
def test_logits_are_the_bias_and_a_contribution_of_each_token(scoring):
    head, lengths = make(scoring), [3, 0, 1, 8]
    hidden = torch.randn(12, WIDTH)
    logits, weights = head(hidden, lengths)
    contributions = weights.unsqueeze(1) * (hidden @ head.output.weight.T)
    for own, own_logits in zip(contributions.split(lengths), logits, strict=True):
        torch.testing.assert_close(own.sum(0) + head.output.bias, own_logits, atol=1e-5, rtol=0)


def test_uniform_attention_is_mean_pooling_without_parameters():
    head, hidden = make("uniform"), torch.randn(5, WIDTH)
    logits, weights = head(hidden, [5])
    assert not list(head.attention.parameters())
    assert torch.equal(weights, torch.full((5,), 0.2))
    torch.testing.assert_close(logits[0], head.output(hidden.mean(0)), atol=1e-6, rtol=0)


def test_uniform_attention_stays_uniform_whatever_the_evidence():
    _, weights = make("uniform", evidence=100.0)(torch.randn(5, WIDTH), [5])
    assert torch.equal(weights, torch.full((5,), 0.2))


def test_with_much_evidence_attention_is_on_the_token_that_adds_most_to_the_logits():
    head, hidden = make("additive_query", evidence=1000.0), torch.randn(9, WIDTH)
    _, weights = head(hidden, [9])
    assert weights.argmax() == head.output(hidden).sub(head.output.bias).norm(dim=1).argmax()
    assert weights.max() > 0.9


def test_hidden_states_of_zeros_have_finite_gradients():
    head = make("additive_query")
    hidden = torch.zeros(4, WIDTH, requires_grad=True)
    head(hidden, [4])[0].sum().backward()
    assert torch.isfinite(hidden.grad).all()


def test_documents_without_tokens_get_the_bias_alone_or_among_others():
    head = make()
    for lengths in ([0], [0, 2, 0]):
        logits, _ = head(torch.randn(sum(lengths), WIDTH), lengths)
        assert torch.equal(logits[0], head.output.bias)
        assert torch.equal(logits[-1], head.output.bias)


@pytest.mark.parametrize("scoring", SCORINGS)
def test_gradients_agree_with_finite_differences(scoring):
    """Of the whole torch part: the encoder, and the head on top of it."""
    encoder, head = BiLSTM(3, 2, 2).double(), AttentionHead(4, scoring, 2, 3, 0.7).double()
    lengths = [3, 0, 1, 4]
    tokens = torch.randn(sum(lengths), 3, dtype=torch.float64, requires_grad=True)
    parameters = [*encoder.parameters(), *head.parameters()]

    def logits(tokens, *_):
        return head(encoder(tokens, lengths), lengths)[0]

    assert torch.autograd.gradcheck(logits, (tokens, *parameters), fast_mode=True)


def test_more_labels_leave_the_other_logits_as_they_are():
    head = make(n_labels=2)
    hidden = torch.randn(5, WIDTH)
    resized = head.with_labels(4, new_bias=-3.0)
    before, after = head(hidden, [2, 3])[0], resized(hidden, [2, 3])[0]
    torch.testing.assert_close(before, after[:, :2], atol=1e-6, rtol=0)
    assert torch.equal(after[:, 2:], torch.full((2, 2), -3.0))
    with pytest.raises(ValueError, match="There are 2 labels, not 1 or less"):
        head.with_labels(1, new_bias=-3.0)


def test_dropout_acts_on_the_pooled_vector_where_it_has_a_rate_whatever_the_mode():
    head = make()
    hidden = torch.randn(6, WIDTH)
    assert torch.equal(head.train()(hidden, [6])[0], head.eval()(hidden, [6])[0])
    (first, first_weights), (second, second_weights) = (head(hidden, [6], 0.5) for _ in range(2))
    assert not torch.equal(first, second)
    assert torch.equal(first_weights, second_weights)
