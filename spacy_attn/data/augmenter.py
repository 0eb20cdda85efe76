"""The augmenter `spacy-attn.augment.v1`: variants of texts, to learn more from few of them."""

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from spacy.language import Language
from spacy.tokens import Doc, Span, Token
from spacy.training import Example

from ..checks import check_not_negative, check_positive
from .similar_words import NearWords, SameTagWords, SimilarWords

# What is annotated of a word itself, which a mask or another word does not have.
_OF_WORDS = ("TAG", "POS", "MORPH", "LEMMA")
# What is annotated of its place, which they have.
_OF_STRUCTURE = ("HEAD", "DEP", "SENT_START", "ENT_IOB", "ENT_TYPE", "ENT_KB_ID", "ENT_ID")
_HEAD_AND_DEP = slice(len(_OF_WORDS), len(_OF_WORDS) + 2)
_NAME = "spacy-attn.augment.v1"


def make_augment(
    copies: int = 1,
    mask: float = 0.1,
    mask_text: str = "_",
    replace: float = 0.0,
    tagger: str | None = None,
    window: float = 0.25,
    min_window: int = 1,
    max_window: int = 5,
    seed: int = 0,
) -> Callable[[Language, Example], Iterator[Example]]:
    """Create an augmenter: any corpus reader takes it, and yields variants after each document.

    After Tang et al. 2019, "Distilling Task-Specific Knowledge from BERT into Simple Neural
    Networks". Words of a variant are masked or replaced, and some variants are cut. Spaces stay as
    they are, and so does punctuation. A variant has the labels of its document. Where a teacher
    labels the variants, they can differ more. Variants that are the same as another are left out.

    Args:
        copies: How many variants each document has at most.
        mask: The rate at which words are masked.
        mask_text: What stands in place of a masked word, a single token.
        replace: The rate at which words are replaced by others. These are of the same part of
            speech, and were in the texts before. Without parts of speech, they have near vectors.
        tagger: The name or folder of a pipeline that tells the parts of speech. Null takes those
            that are annotated, or else the vectors of the pipeline.
        window: The rate at which variants are cut to a few tokens that follow one another. At
            least one of them is a word.
        min_window: The smallest number of tokens of these.
        max_window: The largest number of tokens of these.
        seed: What the variants depend on. A second pass over the data makes others.

    Returns:
        The augmenter. It raises a `ValueError` where words are to be replaced and have neither
        parts of speech nor vectors.

    Raises:
        ValueError: If a setting is out of its range.
    """
    check_not_negative(_NAME, copies=copies, mask=mask, replace=replace, window=window)
    check_positive(_NAME, min_window=min_window, max_window=max_window)
    for condition, complaint in (
        (mask + replace <= 1, f"'mask' and 'replace' must sum to 1 at most, not {mask + replace}"),
        (window <= 1, f"'window' must be a rate, from 0 to 1, but is {window}"),
        (
            min_window <= max_window,
            f"'min_window' must be 'max_window' at most, {max_window}, but is {min_window}",
        ),
        (mask_text.split() == [mask_text], f"'mask_text' must be one token, but is {mask_text!r}"),
    ):
        if not condition:
            raise ValueError(f"{_NAME}: {complaint}")
    return Augmenter(
        copies, mask, mask_text, replace, tagger, window, (min_window, max_window), seed
    )


class Augmenter:
    """Yields a document and variants of it, as `make_augment` says, which has the settings."""

    def __init__(
        self,
        copies: int,
        mask: float,
        mask_text: str,
        replace: float,
        tagger: str | None,
        window: float,
        window_sizes: tuple[int, int],
        seed: int,
    ) -> None:
        self.copies = copies
        self.mask = mask
        self.mask_text = mask_text
        self.replace = replace
        self.window = window
        self.window_sizes = window_sizes
        self._random = random.Random(seed)
        self._tags = SameTagWords(tagger, self._random)
        self._near = NearWords(self._random)

    def __call__(self, nlp: Language, example: Example) -> Iterator[Example]:
        """Yield an example, and then its variants.

        Raises:
            ValueError: If words are to be replaced, and nothing says by which. If the pipeline
                makes several tokens of what stands for masked words.
        """
        if self.mask and len(masked := nlp.make_doc(self.mask_text)) != 1:
            raise ValueError(
                f"{_NAME}: 'mask_text' must be one token, but {self.mask_text!r} is "
                f"{[token.text for token in masked]} in this pipeline"
            )
        yield example
        reference = example.reference
        words = [token for token in reference if not (token.is_space or token.is_punct)]
        if not words:
            return
        similar = self._similar_words(nlp, reference) if self.replace else None
        as_tokenized = [token.text for token in example.predicted] == [t.text for t in reference]
        made = {reference.text}
        for _ in range(self.copies):
            changed = self._change(words, similar)
            start, end = self._cut(reference, [token.i for token in words])
            variant = _variant(nlp, reference, start, end, changed, as_tokenized=as_tokenized)
            if variant.reference.text not in made:
                made.add(variant.reference.text)
                yield variant

    def _similar_words(self, nlp: Language, doc: Doc) -> SimilarWords:
        if self._tags.meet(doc):
            return self._tags
        if self._near.meet(nlp.vocab):
            return self._near
        raise ValueError(
            f"{_NAME}: 'replace' is {self.replace}, but the words of '{doc.text[:40]}' have "
            f"neither parts of speech nor vectors. Set 'tagger' to a pipeline that has a tagger, "
            f"set '[initialize] vectors', or set 'replace' to 0."
        )

    def _change(self, words: Sequence[Token], similar: SimilarWords | None) -> dict[int, str]:
        """Return other words for some tokens, by their place."""
        changed = {}
        for token in words:
            drawn = self._random.random()
            if drawn < self.mask:
                changed[token.i] = self.mask_text
            elif similar is not None and drawn < self.mask + self.replace:
                other = similar.other(token)
                if other is not None:
                    changed[token.i] = other
        return changed

    def _cut(self, doc: Doc, words: Sequence[int]) -> tuple[int, int]:
        """Return the first token of a variant, which holds a word, and that behind its last one."""
        if self._random.random() >= self.window:
            return 0, len(doc)
        size = min(self._random.randint(*self.window_sizes), len(doc))
        last = len(doc) - size
        # Punctuation alone does not have the labels of the document.
        starts = {start for i in words for start in range(max(0, i - size + 1), min(i, last) + 1)}
        start = self._random.choice(sorted(starts))
        return start, start + size


def _variant(
    nlp: Language,
    reference: Doc,
    start: int,
    end: int,
    changed: Mapping[int, str],
    *,
    as_tokenized: bool,
) -> Example:
    """Make an example of some tokens of a document, with other words in their places."""
    whole = (start, end) == (0, len(reference))
    part = reference if whole else reference[start:end].as_doc()
    words, spaces = [t.text for t in part], [bool(t.whitespace_) for t in part]
    annotated: Any = part.to_array([*_OF_WORDS, *_OF_STRUCTURE])
    for i, word in changed.items():
        if start <= i < end:
            words[i - start] = word
            annotated[i - start, : len(_OF_WORDS)] = 0
    if not whole:
        spaces[-1] = False
        # Of the heads that it lacks, `as_doc` would have made others.
        outside = [not start <= token.head.i < end for token in reference[start:end]]
        annotated[outside, _HEAD_AND_DEP] = 0
    doc = Doc(nlp.vocab, words=words, spaces=spaces)
    doc.from_array([*_OF_WORDS, *_OF_STRUCTURE], annotated)
    doc.cats = dict(reference.cats)
    for name, group in reference.spans.items():
        doc.spans[name] = [
            Span(doc, span.start - start, span.end - start, span.label, kb_id=span.kb_id)
            for span in group
            if start <= span.start and span.end <= end
        ]
    if as_tokenized:
        return Example(Doc(nlp.vocab, words=words, spaces=spaces), doc)
    return Example(nlp.make_doc(doc.text), doc)
