"""The scorer of generated texts: BLEU and chrF, by sacrebleu."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, Literal

from spacy.training import Example

from ...checks import check_choice
from ...results.written_data import GENERATED, generated_text, generated_tokens

_TEXTS, _TOKENS = "texts", "tokens"
_BLEU, _CHRF = "bleu", "chrf"


def make_seq2seq_scorer(
    compare: Literal["texts", "tokens"] = "texts", lowercase: bool = False
) -> Callable[..., dict[str, float | None]]:
    """Return the scorer of `attn_seq2seq`.

    The scores are `bleu` and `chrf`. Of a component with another `generated_attr` than "generated",
    they have its name before them, as `NAME_bleu`.

    Args:
        compare: "texts" compares the texts, tokenized as sacrebleu does by default (`13a`). Such
            figures can be held against published ones. "tokens" compares the tokens that the
            component writes with those that its tokenizer makes of the annotated text.
        lowercase: Whether upper and lower case are the same. They always are for a component that
            writes in lower case.
    """
    check_choice("spacy-attn.seq2seq_scorer.v1", "compare", compare, (_TEXTS, _TOKENS))
    return partial(score_generated, compare=compare, lowercase=lowercase)


def score_generated(
    examples: Iterable[Example],
    *,
    compare: str = _TEXTS,
    lowercase: bool = False,
    generated_attr: str = GENERATED,
    tokenize: Callable[[str], Sequence[str]] | None = None,
    lower: bool = False,
    **kwargs: Any,
) -> dict[str, float | None]:
    """Score the texts that a component writes.

    Documents whose annotation has no text are not scored.

    Args:
        examples: Documents as predicted and as annotated.
        compare: As in `make_seq2seq_scorer`.
        lowercase: As in `make_seq2seq_scorer`.
        generated_attr: Name of the attribute that has the texts.
        tokenize: Makes tokens of an annotated text, as the component's tokenizer does.
        lower: Whether the component writes in lower case.
        kwargs: What else the component passes on. It changes nothing.

    Returns:
        `bleu` of the corpus (Papineni et al. 2002), and `chrf` (Popović 2015), each from 0 to 1.
        None where no document is annotated. Of another attribute than "generated", their names are
        `NAME_bleu` and `NAME_chrf`.

    Raises:
        ImportError: If a document is annotated and sacrebleu is not installed.
        ValueError: If tokens are to be compared and `tokenize` is None, or if nothing was written
            for an annotated document.
    """
    written, annotated = [], []
    for example in examples:
        gold = generated_text(example.reference, generated_attr)
        if gold is None:
            continue
        text = generated_text(example.predicted, generated_attr)
        if text is None:
            raise ValueError(
                f"The predicted document '{example.predicted.text:.40}' has no text in "
                f"'doc._.{generated_attr}': run the pipeline on it before it is scored."
            )
        if compare == _TEXTS:
            written.append(text)
            annotated.append(gold)
            continue
        if tokenize is None:
            raise ValueError(
                "The scorer is to compare tokens, and the component gives it no tokenizer: set "
                'compare = "texts" in the block of the scorer.'
            )
        written.append(" ".join(generated_tokens(example.predicted, generated_attr) or ()))
        annotated.append(" ".join(tokenize(gold)))
    # As those of other keys of a span categorizer.
    prefix = "" if generated_attr == GENERATED else f"{generated_attr}_"
    if not annotated:
        return dict.fromkeys((f"{prefix}{_BLEU}", f"{prefix}{_CHRF}"))
    return {
        # Its rounding may exceed 100.
        f"{prefix}{name}": min(metric.corpus_score(written, [annotated]).score / 100, 1.0)
        for name, metric in _metrics(compare, lowercase or lower).items()
    }


def _metrics(compare: str, lowercase: bool) -> dict[str, Any]:
    try:
        from sacrebleu.metrics import BLEU, CHRF
    except ImportError as error:
        raise ImportError(
            f"The scores of generated texts need sacrebleu ({error}): pip install sacrebleu."
        ) from error
    # It would otherwise warn of texts that look like tokens, which they are.
    options: dict[str, Any] = {}
    if compare == _TOKENS:
        options = {"tokenize": "none", "force": True}
    return {_BLEU: BLEU(lowercase=lowercase, **options), _CHRF: CHRF(lowercase=lowercase)}
