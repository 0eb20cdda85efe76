import itertools

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from spacy_attn.nn.attention import SCORINGS
from spacy_attn.nn.batching import Layout
from spacy_attn.nn.decoder import END, PADDING, UNKNOWN, AttentionDecoder
from spacy_attn.nn.known import KnownSequences
from spacy_attn.nn.read_states import Source

N_SYMBOLS, WIDTH = 9, 6


def make_decoder(**settings) -> AttentionDecoder:
    torch.manual_seed(0)
    decoder = AttentionDecoder(
        **{
            "n_symbols": N_SYMBOLS,
            "states_width": WIDTH,
            "symbol_width": 4,
            "hidden_width": WIDTH,
            "output_width": 5,
            **settings,
        }
    )
    for parameter in decoder.parameters():
        torch.nn.init.normal_(parameter, std=0.7)
    return decoder


def make_source(decoder, lengths, seed=0, context_width=0, symbols=None) -> Source:
    """A source of random states, and of symbols of which some are not in the vocabulary."""
    generator = torch.Generator().manual_seed(seed)
    n = sum(lengths)
    states = torch.randn(n, WIDTH, generator=generator)
    if symbols is None:
        symbols = torch.randint(UNKNOWN + 1, N_SYMBOLS + 2, (n,), generator=generator)
    context = torch.randn(len(lengths), context_width, generator=generator)
    return decoder.read(states, lengths, symbols, context if context_width else None)


def part_of(source: Source, decoder, index: int) -> Source:
    """One of several sources, read alone."""
    start = int(source.layout.starts[index])
    end = start + int(source.layout.lengths[index])
    return decoder.read(
        source.states[start:end],
        [end - start],
        source.symbols[start:end],
        source.context[index : index + 1],
    )


def padded(targets) -> torch.Tensor:
    longest = max(map(len, targets))
    return torch.tensor([[*target, *[PADDING] * (longest - len(target))] for target in targets])


def sigmoid(x):
    return 1 / (1 + numpy.exp(-x))


def reference(decoder, source: Source, target) -> tuple[numpy.ndarray, numpy.ndarray]:
    """The equations of the class, one step after another: log P(y_i) and all a_i."""
    weights = {name: value.detach().double().numpy() for name, value in decoder.named_parameters()}
    h, k = source.states.double().numpy(), source.context.double().numpy()[0]
    x, half = source.symbols.numpy(), WIDTH // 2

    def linear(name, value):
        return weights[f"{name}.weight"] @ value + weights.get(f"{name}.bias", 0.0)

    final = numpy.concatenate((h[-1, :half], h[0, half:]))
    s = numpy.tanh(linear("first", numpy.concatenate((final, k))))
    cell, o, last = numpy.zeros_like(s), numpy.zeros(decoder.combined.out_features), END
    found, alignment = [], []
    for y in target:
        vector = weights["embedding.weight"][last if last < N_SYMBOLS else UNKNOWN]
        fed = [o] if decoder.sizes["input_feeding"] else []
        read = numpy.concatenate((vector, k, *fed))
        gates = (
            weights["lstm.weight_ih_l0"] @ read
            + weights["lstm.bias_ih_l0"]
            + weights["lstm.weight_hh_l0"] @ s
            + weights["lstm.bias_hh_l0"]
        )
        i, f, g, out = numpy.split(gates, 4)
        cell = sigmoid(f) * cell + sigmoid(i) * numpy.tanh(g)
        s = sigmoid(out) * numpy.tanh(cell)
        scoring = decoder.attention.scoring
        if scoring == "additive_query":
            query = linear("attention.query", s)
            scores = numpy.array(
                [
                    linear("attention.energy", numpy.tanh(linear("attention.key", key) + query))[0]
                    for key in h
                ]
            )
        elif scoring == "general":
            scores = h @ linear("attention.query", s)
        else:
            scores = h @ s
        a = numpy.exp(scores - scores.max())
        a /= a.sum()
        o = numpy.tanh(linear("combined", numpy.concatenate((s, a @ h, k))))
        output = "embedding" if decoder.sizes["tied"] else "output"
        logits = weights[f"{output}.weight"] @ o + weights["output_bias"]
        written = numpy.exp(logits - logits.max())
        written /= written.sum()
        gate = sigmoid(linear("gate", o)[0]) if decoder.gate is not None else 0.0
        probability = gate * a[x == y].sum()
        if y < N_SYMBOLS:
            probability += (1 - gate) * written[y]
        found.append(numpy.log(probability))
        alignment.append(a)
        last = y
    return numpy.array(found), numpy.array(alignment)


KINDS = [
    {"attention": "additive_query", "attention_width": 3, "input_feeding": True},
    {"attention": "general", "context_width": 2},
    {"attention": "dot", "copy": False, "input_feeding": True, "context_width": 2},
    {"attention": "general", "hidden_width": 7, "symbol_width": 5, "tied": True},
]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_log_probabilities_and_alignment_are_those_of_the_equations(kind):
    decoder = make_decoder(**kind)
    source = make_source(decoder, [4], context_width=kind.get("context_width", 0))
    copied = int(source.symbols.max()) if kind.get("copy", True) else UNKNOWN
    target = [3, copied, 5, 5, END]
    expected, alignment = reference(decoder, source, target)
    with torch.no_grad():
        found = decoder(source, padded([target]))[0]
    numpy.testing.assert_allclose(found.numpy(), expected, atol=2e-5)
    for written in decoder_writes(decoder, source, beam_width=2)[0]:
        symbols = written.symbols.tolist() + [END] * written.is_complete
        expected, alignment = reference(decoder, source, symbols)
        assert written.log_probability == pytest.approx(expected.sum(), abs=1e-4)
        if written.alignment is not None:
            numpy.testing.assert_allclose(
                written.alignment.numpy(), alignment[: len(written.symbols)], atol=1e-5
            )


@pytest.mark.parametrize("kind", [kind for kind in KINDS if not kind.get("copy", True)], ids=str)
def test_smoothing_spreads_a_share_of_a_log_probability_evenly_over_the_vocabulary(kind):
    decoder = make_decoder(**kind)
    source = make_source(decoder, [4], context_width=kind.get("context_width", 0))
    with torch.no_grad():
        of_all = [decoder(source, padded([[y, END]]))[0, 0].item() for y in range(1, N_SYMBOLS)]
        of_all.insert(END, decoder(source, padded([[END]]))[0, 0].item())
        smoothed = decoder(source, padded([[3, END]]), label_smoothing=0.2)[0, 0].item()
    assert numpy.exp(of_all).sum() == pytest.approx(1)
    assert smoothed == pytest.approx(0.8 * of_all[3] + 0.2 * numpy.mean(of_all), abs=1e-5)


def test_tied_embeddings_begin_as_small_as_output_weights_should():
    weights = AttentionDecoder(50, 4, symbol_width=8, tied=True).embedding.weight
    assert 0.05 < weights.std().item() < 0.2


def decoder_writes(decoder, source, longest=8, beam_width=1):
    with torch.no_grad():
        return decoder.write(source, [longest] * len(source.layout), beam_width, alignment=True)


@pytest.mark.parametrize("kind", KINDS, ids=str)
@settings(max_examples=15)
@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=5),
    beam_width=st.integers(1, 4),
    seed=st.integers(0, 99),
)
def test_batch_mates_and_padding_change_nothing(kind, lengths, beam_width, seed):
    decoder = make_decoder(**kind)
    source = make_source(decoder, lengths, seed, kind.get("context_width", 0))
    together = decoder_writes(decoder, source, beam_width=beam_width)
    targets = [[2 + (i + j) % 7 for j in range(i % 3)] + [END] for i in range(len(lengths))]
    with torch.no_grad():
        log_probabilities = decoder(source, padded(targets))
    for i, target in enumerate(targets):
        alone = part_of(source, decoder, i)
        with torch.no_grad():
            found = decoder(alone, padded([target]))[0]
        numpy.testing.assert_allclose(found, log_probabilities[i, : len(target)], atol=1e-5)
        assert not log_probabilities[i, len(target) :].any()
        (one,) = decoder_writes(decoder, alone, beam_width=beam_width)
        assert len(one) == len(together[i])
        # Of those that are equally probable to rounding, either may come first.
        for mine, other in zip(one, together[i], strict=True):
            assert mine.log_probability == pytest.approx(other.log_probability, abs=1e-4)
        ranks = [(each.is_complete, each.log_probability / (len(each.symbols) + 1)) for each in one]
        assert ranks == sorted(ranks, reverse=True)
        numpy.testing.assert_allclose(one[0].alignment.sum(1), 1.0, atol=1e-5)
        assert one[0].alignment.shape == (len(one[0].symbols), lengths[i])


KNOWN = [[2], [3, 4], [3, 5, 5]]


def best_of_all(decoder, source, known, bonus, longest=3):
    """Score every sequence that is complete, and return the highest score and that of `known`."""
    every = [
        [*symbols, END]
        for n in range(longest)
        for symbols in itertools.product(range(1, N_SYMBOLS), repeat=n)
    ]
    with torch.no_grad():
        scores = decoder(source.pick(torch.zeros(len(every), dtype=torch.int64)), padded(every))
    preferred = torch.tensor([target[:-1] in known for target in every])
    return (scores.sum(1) + bonus * preferred).max().item()


@given(
    known=st.lists(st.lists(st.integers(1, N_SYMBOLS - 1), max_size=2), max_size=6),
    bonus=st.sampled_from([0.0, 2.0, 5.0]),
    certainty=st.sampled_from([1.0, 8.0, 30.0]),
    seed=st.integers(0, 99),
)
def test_known_sequences_are_preferred_by_their_bonus_and_the_best_of_all_is_found(
    known, bonus, certainty, seed
):
    decoder = make_decoder(copy=False)
    decoder.output.weight.data *= certainty
    source = make_source(decoder, [3, 1, 4], seed)
    sequences = KnownSequences(known, END, N_SYMBOLS, bonus)
    for i, found in enumerate(decoder.write(source, [3] * 3, 600, known=sequences)):
        best = found[0]
        score = best.log_probability + bonus * (best.symbols.tolist() in known)
        one = source.pick(torch.tensor([i]))
        assert score == pytest.approx(best_of_all(decoder, one, known, bonus), abs=1e-3)


@pytest.mark.parametrize("symbol", range(2, 8))
@pytest.mark.parametrize("n_before", [0, 1])
def test_a_known_sequence_is_found_however_many_symbols_are_more_probable(symbol, n_before):
    decoder = make_decoder(copy=False)
    torch.nn.init.zeros_(decoder.output.weight)
    shares = torch.tensor([0.5, 1e-9, 0.2, 0.1, 0.08, 0.06, 0.04, 0.02, 1e-9])
    decoder.output_bias.data = shares.log()
    expected = [2] * n_before + [symbol]
    known = KnownSequences([expected, [7, 7, 7]], END, len(shares), 9.0)
    ((found, *_),) = decoder.write(make_source(decoder, [3]), [8], 9, known=known)
    assert found.symbols.tolist() == expected


@given(
    lengths=st.lists(st.integers(1, 6), min_size=1, max_size=6),
    beam_width=st.integers(1, 3),
    certainty=st.sampled_from([1.0, 8.0, 30.0]),
    seed=st.integers(0, 99),
)
def test_with_known_sequences_each_source_is_written_as_alone_no_worse_than_greedily(
    lengths, beam_width, certainty, seed
):
    decoder = make_decoder()
    decoder.output.weight.data *= certainty
    source = make_source(decoder, lengths, seed)
    known = KnownSequences(KNOWN, END, N_SYMBOLS, 2.0)

    def write(source, width):
        found = decoder.write(source, [8] * len(source.layout), width, known=known)
        return [
            [
                (w.is_complete, w.log_probability + 2.0 * (w.symbols.tolist() in KNOWN))
                for w in of_source
            ]
            for of_source in found
        ]

    together, greedy = write(source, beam_width), write(source, 1)
    for i, ranks in enumerate(together):
        (alone,) = write(part_of(source, decoder, i), beam_width)
        assert alone[0] == pytest.approx(ranks[0], abs=1e-3)
        assert 1 <= len(ranks) <= beam_width
        assert ranks == sorted(ranks, reverse=True)
        assert (ranks[0][0], ranks[0][1] + 1e-3) >= greedy[i][0]


def test_a_symbol_that_no_vocabulary_has_can_be_copied_and_not_otherwise():
    decoder = make_decoder()
    source = make_source(decoder, [3], symbols=torch.tensor([2, N_SYMBOLS, 3]))
    torch.nn.init.constant_(decoder.gate.bias, 50.0)
    with torch.no_grad():
        copied = decoder(source, padded([[N_SYMBOLS, END]]))[0, 0]
        torch.nn.init.constant_(decoder.gate.bias, -500.0)
        written = decoder(source, padded([[N_SYMBOLS, END]]))[0, 0]
    assert copied > -10
    assert written < -60


def test_a_decoder_that_never_ends_is_cut_off_and_says_so():
    decoder = make_decoder(copy=False)
    with torch.no_grad():
        decoder.output_bias[END] = -1e4
    source = make_source(decoder, [2, 3])
    for found in decoder_writes(decoder, source, longest=5, beam_width=3):
        assert [len(written.symbols) for written in found] == [5] * 3
        assert not any(written.is_complete for written in found)


def test_what_has_an_end_comes_before_what_was_cut_off_however_probable_this_is():
    # An end is far less probable than to go on for ever.
    decoder = make_decoder(copy=False)
    with torch.no_grad():
        decoder.output_bias[END] = 12.0
        decoder.output_bias[2] = 20.0
    (found,) = decoder_writes(decoder, make_source(decoder, [3]), longest=6, beam_width=4)
    assert found[0].is_complete
    cut = next(each for each in found if not each.is_complete)
    assert cut.log_probability > found[0].log_probability


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_in_mixed_precision_it_learns_and_writes_about_the_same(kind):
    decoder = make_decoder(**kind)
    source = make_source(decoder, [4, 2], context_width=kind.get("context_width", 0))
    targets = padded([[3, 5, END], [END]])
    expected = decoder(source, targets)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = decoder(source, targets)
        written = decoder_writes(decoder, source, beam_width=2)
    torch.testing.assert_close(found.float(), expected, atol=0.3, rtol=0.1)
    found.sum().backward()
    for of_source, n_source in zip(written, [4, 2], strict=True):
        assert of_source[0].alignment.shape == (len(of_source[0].symbols), n_source)
        assert of_source[0].alignment.sum(1).tolist() == pytest.approx(
            [1.0] * len(of_source[0].symbols), abs=0.02
        )


def test_nothing_is_written_where_nothing_may_be():
    decoder = make_decoder()
    source = make_source(decoder, [2, 3])
    with torch.no_grad():
        for found in decoder.write(source, [0, 0]):
            assert len(found[0].symbols) == 0
        nothing, something = decoder.write(source, [0, 4], alignment=True)
    assert len(nothing[0].symbols) == 0
    assert nothing[0].alignment.shape == (0, 2)
    assert len(something[0].alignment) == len(something[0].symbols)


def test_a_beam_wider_than_the_vocabulary_finds_the_most_probable_of_all_sequences():
    decoder = make_decoder(copy=False)
    source = make_source(decoder, [3])
    (found,) = decoder_writes(decoder, source, longest=2, beam_width=100)
    every = [[END]] + [[a, END] for a in range(1, N_SYMBOLS)]
    with torch.no_grad():
        ended = {len(t): [] for t in every}
        for target in every:
            one = decoder(source, padded([target])).sum()
            ended[len(target)].append(float(one))
    complete = sorted(w.log_probability for w in found if len(w.symbols) < 2)
    numpy.testing.assert_allclose(complete, sorted(ended[1] + ended[2]), atol=1e-4)
    assert len({tuple(w.symbols.tolist()) for w in found}) == len(found)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_gradients_reach_states_context_and_every_weight(kind):
    decoder = make_decoder(**kind)
    states = torch.randn(5, WIDTH, requires_grad=True)
    context = torch.randn(2, kind.get("context_width", 0), requires_grad=True)
    source = decoder.read(states, [3, 2], torch.tensor([2, 3, 4, 9, 3]), context)
    decoder(source, padded([[3, END], [4, 3, 3, END]])).sum().backward()
    assert states.grad.any(1).all()
    assert all(parameter.grad.any() for parameter in decoder.parameters())


def test_every_scoring_function_can_be_used_but_those_that_need_equal_widths():
    for attention in SCORINGS:
        decoder = make_decoder(attention=attention)
        assert decoder_writes(decoder, make_source(decoder, [2, 3]))


def test_a_decoder_like_it_is_made_from_its_sizes():
    decoder = make_decoder(**KINDS[0])
    other = AttentionDecoder(**decoder.sizes)
    other.load_state_dict(decoder.state_dict())
    shapes = {n: tuple(w.shape) for n, w in decoder.state_dict().items()}
    assert {n: tuple(s) for n, s in AttentionDecoder.weight_shapes(**decoder.sizes)} == shapes


def test_one_query_after_another_is_the_same_as_several_at_once():
    decoder = make_decoder(attention="additive")
    layout = Layout([3], torch.device("cpu"))
    keys, queries = torch.randn(3, WIDTH), torch.randn(1, 2, WIDTH)
    with torch.no_grad():
        compared = decoder.attention.compared(keys)
        for _ in range(2):
            several, weights = decoder.attention(keys, queries, layout, compared=compared)
        one, _ = decoder.attention(keys, queries[:, :1], layout)
    torch.testing.assert_close(several[:, :1], one)
    assert weights.shape == (3, 2)


@pytest.mark.parametrize("beam_width", [1, 3])
def test_sources_of_all_lengths_are_written_as_each_alone_and_in_their_order(beam_width):
    # Such lengths are cut into several groups, and the sources of a group end at several steps.
    lengths = [3, 150, 1, 3, 400, 2, 1, 80, 5]
    decoder = make_decoder()
    with torch.no_grad():
        decoder.output_bias[END] += 2.0
    source = make_source(decoder, lengths, seed=2)
    together = decoder_writes(decoder, source, longest=30, beam_width=beam_width)
    assert len({len(found[0].symbols) for found in together}) > 3
    targets = []
    for i, found in enumerate(together):
        (alone,) = decoder_writes(
            decoder, part_of(source, decoder, i), longest=30, beam_width=beam_width
        )
        assert found[0].symbols.tolist() == alone[0].symbols.tolist()
        assert found[0].is_complete == alone[0].is_complete
        assert found[0].log_probability == pytest.approx(alone[0].log_probability, abs=1e-4)
        torch.testing.assert_close(found[0].alignment, alone[0].alignment)
        targets.append(found[0].symbols.tolist() + [END] * found[0].is_complete)
    with torch.no_grad():
        scores = decoder(source, padded(targets)).sum(1)
    numpy.testing.assert_allclose(
        scores, [found[0].log_probability for found in together], atol=1e-4
    )


def test_the_bound_of_each_source_is_its_own():
    decoder = make_decoder(copy=False)
    with torch.no_grad():
        decoder.output_bias[END] = -1e4
    source = make_source(decoder, [3, 4, 3])
    for beam_width in (1, 2):
        found = decoder.write(source, [5, 0, 9], beam_width)
        assert [len(each[0].symbols) for each in found] == [5, 0, 9]
        assert not any(each[0].is_complete for each in found)


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_no_sources_have_nothing_to_write_and_no_log_probabilities(kind):
    decoder = make_decoder(**kind)
    states = torch.zeros(0, WIDTH, requires_grad=True)
    context = torch.zeros(0, kind.get("context_width", 0))
    source = decoder.read(states, [], torch.zeros(0, dtype=torch.int64), context)
    assert decoder.write(source, []) == []
    found = decoder(source, torch.zeros(0, 3, dtype=torch.int64))
    assert found.shape == (0, 3)
    found.sum().backward()
    assert states.grad.shape == states.shape


def test_alignment_is_there_only_where_it_is_asked_for():
    decoder = make_decoder()
    source = make_source(decoder, [3])
    (without,), (with_it,) = decoder.write(source, [5]), decoder_writes(decoder, source, 5)
    assert without[0].alignment is None
    assert with_it[0].alignment.shape == (len(with_it[0].symbols), 3)
    # Ordinary tensors, which can be changed.
    assert not with_it[0].alignment.is_inference()
    assert not with_it[0].symbols.is_inference()
    assert without[0].symbols.tolist() == with_it[0].symbols.tolist()
