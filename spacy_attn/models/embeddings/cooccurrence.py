"""Vectors of words, learned from the words that they stand near to, in texts without labels.

They factorize the positive pointwise mutual information of words and their neighbours, after Levy,
Goldberg and Dagan 2015, "Improving Distributional Similarity with Lessons Learned from Word
Embeddings" (https://aclanthology.org/Q15-1016/). Neighbours count by one over their distance, the
frequencies of contexts are smoothed, and singular values are weighted by their square root.
"""

from collections.abc import Iterable, Iterator

import numpy
import torch

WINDOW = 5
CONTEXT_SMOOTHING = 0.75
# How much is counted: time and memory need a bound, and frequent words are known by then.
MAX_TOKENS = 5_000_000
# How much is counted at a time. Words on two sides of a cut are no neighbours.
CHUNK = 250_000
# Words beside each other as often as by chance say nothing; this is more than rounding.
LEAST_INFORMATION = 1e-9
# Of the randomised singular value decomposition.
POWER_ITERATIONS = 4
SEED = 0

# Pairs of words, and how often each stands near to the other, by one over the distance.
Counts = tuple[numpy.ndarray, numpy.ndarray]


def cooccurrence_vectors(
    documents: Iterable[numpy.ndarray], n_rows: int, width: int
) -> numpy.ndarray:
    """Return vectors for the words of some documents, alike for words with like neighbours.

    They depend on no seed. On another number of threads they are the same up to rounding and the
    signs of columns.

    Args:
        documents: The rows of the words of each, shape (n_tokens,); 0 for a word without a row. No
            more than the first five million tokens are read.

    Returns:
        A vector for each row, shape (n_rows, width). Those of known words have mean square 1. Row 0
        and words without informative neighbours have zeros. Fewer rows than `width` leave the last
        columns at 0.
    """
    vectors = numpy.zeros((n_rows, width), dtype=numpy.float32)
    information = _positive_information(*_count(documents, n_rows), n_rows)
    if information._nnz() == 0:
        return vectors
    rank = min(width, n_rows)
    # Random numbers are drawn here, which must not change those of the training.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(SEED)  # torch.manual_seed would seed GPUs, too
        left, singular, _ = torch.svd_lowrank(information, rank, niter=POWER_ITERATIONS)
    known = numpy.unique(information.indices()[0].numpy())
    found = (left * singular.sqrt()).numpy()[known]
    vectors[known, :rank] = found / numpy.sqrt(numpy.square(found).mean() * (rank / width))
    return vectors


def _count(documents: Iterable[numpy.ndarray], n_rows: int) -> Counts:
    """How often words stand near to each other.

    Returns:
        The pairs as lower row * n_rows + higher row, ascending, and for each the sum of one over
        the distance.
    """
    pairs: numpy.ndarray = numpy.zeros(0, dtype=numpy.int64)
    weights: numpy.ndarray = numpy.zeros(0)
    for rows in _chunks(documents):
        more = [(pairs, weights)]
        for distance in range(1, WINDOW + 1):
            left, right = rows[:-distance], rows[distance:]
            known = (left > 0) & (right > 0)
            first, second = numpy.sort([left[known], right[known]], axis=0)
            pair = first * n_rows + second
            more.append((pair, numpy.full(len(pair), 1 / distance)))
        every, amounts = (numpy.concatenate(parts) for parts in zip(*more, strict=True))
        pairs, place = numpy.unique(every, return_inverse=True)
        weights = numpy.bincount(place, amounts, len(pairs))
    return pairs, weights


def _chunks(documents: Iterable[numpy.ndarray]) -> Iterator[numpy.ndarray]:
    """Documents one after another, so far apart that none has neighbours in the next."""
    gap = numpy.zeros(WINDOW, dtype=numpy.int64)
    chunk: list[numpy.ndarray] = []
    pending = total = 0
    for rows in documents:
        rows = rows[: MAX_TOKENS - total].astype(numpy.int64)
        for start in range(0, len(rows), CHUNK):
            part = rows[start : start + CHUNK]
            chunk += [part, gap]
            pending += len(part)
            if pending >= CHUNK:
                yield numpy.concatenate(chunk)
                chunk, pending = [], 0
        total += len(rows)
        if total >= MAX_TOKENS:
            break
    if chunk:
        yield numpy.concatenate(chunk)


def _positive_information(
    pairs: numpy.ndarray, weights: numpy.ndarray, n_rows: int
) -> torch.Tensor:
    """Positive pointwise mutual information, sparse, shape (n_rows, n_rows)."""
    left, right = pairs // n_rows, pairs % n_rows
    word, context = numpy.concatenate([left, right]), numpy.concatenate([right, left])
    amounts = numpy.concatenate([weights, weights])
    counts = _sparse(word, context, amounts, n_rows)
    (word, context), amounts = counts.indices().numpy(), counts.values().numpy()
    frequency = numpy.bincount(word, amounts, n_rows)
    smoothed = frequency**CONTEXT_SMOOTHING
    expected = frequency[word] * (smoothed / max(smoothed.sum(), 1e-12))[context]
    information = numpy.log(amounts / expected)
    positive = information > LEAST_INFORMATION
    values = information[positive].astype(numpy.float32)
    return _sparse(word[positive], context[positive], values, n_rows)


def _sparse(
    rows: numpy.ndarray, columns: numpy.ndarray, values: numpy.ndarray, size: int
) -> torch.Tensor:
    """A square matrix, the values of one place added up."""
    places = torch.from_numpy(numpy.stack([rows, columns]))
    matrix = torch.sparse_coo_tensor(
        places, torch.from_numpy(values), (size, size), check_invariants=True
    )
    return matrix.coalesce()
