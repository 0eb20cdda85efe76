"""`spacy_attn.summarize_corpus`: what the decisions about many documents have in common."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy
from numpy.typing import NDArray
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import minibatch

from ...checks import check_choice, check_not_negative, check_positive
from ...pipeline.decisions import Outcome
from ...results.explanation import CONTRIBUTIONS, Explanation, method_name
from ..methods import check_method, check_several, explain_docs
from ..subject import Classifier
from .word_counts import WordCounts
from .word_report import WordReport
from .word_summary import WordSummary, WordTable, words_to_dataframe, words_to_dict

if TYPE_CHECKING:
    import pandas

# So many labels, and words of each, are printed.
_SHOWN = 3
_WHERE = "spacy_attn.summarize_corpus"


@dataclass(frozen=True, eq=False)
class Misclassified:
    """A document whose labels are others than those predicted.

    Attributes:
        gold: The labels it has, also those that the component does not have.
        predicted: The labels that the component gave it.
    """

    gold: tuple[str, ...]
    predicted: tuple[str, ...]
    explanation: Explanation


@dataclass(frozen=True, eq=False)
class CorpusSummary(WordReport):
    """What the decisions about a corpus were made of.

    Attributes:
        labels: The component's labels.
        method: How the attributions were found.
        n_docs: The number of documents, of which `n_with_tokens` have tokens.
        words: For each label, the words that contributed most to it, the first one most.
        attention_on_punctuation: The share of a document's attention that goes to punctuation
            (`token.is_punct`), as the mean over the documents with tokens. `punctuation` is the
            share of their tokens that are punctuation, which equal weights would give it.
        attention_on_stop_words, stop_words: The same of stop words (`token.is_stop`).
        n_gold: The number of documents that came with labels.
        n_errors: How many of these were given others, as in `cats_acc`: all that have a label which
            the component does not have are among them.
        errors: The first of them.
        misleading: For each label that was wrongly given, the words that spoke most for it in these
            documents, and not for the label that was missed, by their sum. Where a label was missed
            and none given in its place, they stand at "not LABEL", and spoke against it.
        sort_by: What `words` are sorted by, "mean" or "total".
    """

    labels: tuple[str, ...]
    method: str
    n_docs: int
    n_with_tokens: int
    words: Mapping[str, list[WordSummary]]
    attention_on_punctuation: float
    punctuation: float
    attention_on_stop_words: float
    stop_words: float
    n_gold: int
    n_errors: int
    errors: list[Misclassified]
    misleading: Mapping[str, list[WordSummary]] = field(default_factory=dict)
    sort_by: str = "mean"

    def __repr__(self) -> str:
        """Show its numbers, and the first words of a few labels."""
        words = [
            f"{label!r}: {', '.join(word.word for word in words[:_SHOWN])}"
            for label, words in list(self.words.items())[:_SHOWN]
        ]
        more = ["..."] if len(self.words) > _SHOWN else []
        return f"CorpusSummary({self.numbers()} Words: {'; '.join(words + more) or 'none'}.)"

    def numbers(self) -> str:
        """Write what it counts, in sentences."""
        by = "" if self.method == CONTRIBUTIONS else f" by {method_name(self.method)}"
        gold = f" {self.n_errors} of {self.n_gold} were given wrong labels." if self.n_gold else ""
        return (
            f"{self.n_docs} documents{by}.{gold} Punctuation has "
            f"{self.attention_on_punctuation:.1%} of the attention and is {self.punctuation:.1%} "
            f"of the tokens; stop words {self.attention_on_stop_words:.1%} and "
            f"{self.stop_words:.1%}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the summary in lists, strings and numbers, which JSON can hold."""
        data = {
            **vars(self),
            "labels": list(self.labels),
            "words": words_to_dict(self.words),
            "misleading": words_to_dict(self.misleading),
        }
        data["errors"] = [
            {
                "gold": list(error.gold),
                "predicted": list(error.predicted),
                "explanation": error.explanation.to_dict(),
            }
            for error in self.errors
        ]
        return data

    def tables(self) -> list[WordTable]:
        """Return the words of each label and, if there are any, those that misled."""
        what = "an occurrence of the word adds to the logit, on average"
        if self.sort_by == "total":
            what = "the word added to the logits, over all its occurrences"
        tables = [
            WordTable("Words of each label", f"A bar is what {what}.", self.sort_by, self.words)
        ]
        if self.misleading:
            note = (
                "In documents that were decided wrongly: what the word added to the label that was "
                "given, and not to the one that was missed, over all its occurrences."
            )
            tables.append(WordTable("Words that misled", note, "total", self.misleading))
        return tables

    def words_to_dataframe(self) -> "pandas.DataFrame":
        """Return a row for each label and word, with the fields of `WordSummary` as columns."""
        return _without_title(self.tables()[:1])

    def _notebook_words(self) -> "pandas.DataFrame":
        return self.words_to_dataframe()

    def misleading_to_dataframe(self) -> "pandas.DataFrame":
        """Return the same of the words that spoke for wrong decisions."""
        return _without_title(self.tables()[1:])

    def errors_to_dataframe(self) -> "pandas.DataFrame":
        """Return a row for each token and label of each error.

        The columns are the number of the error, gold and predicted labels (joined by commas), and
        those of `Explanation.to_dataframe`.
        """
        import pandas

        tables = []
        for i, error in enumerate(self.errors):
            table = error.explanation.to_dataframe()
            table.insert(0, "predicted", ", ".join(error.predicted))
            table.insert(0, "gold", ", ".join(error.gold))
            table.insert(0, "error", i)
            tables.append(table)
        return pandas.concat(tables, ignore_index=True) if tables else pandas.DataFrame()


def _without_title(tables: list[WordTable]) -> "pandas.DataFrame":
    return words_to_dataframe(tables).drop(columns="table")


def summarize_corpus(
    nlp: Language,
    texts: Iterable[str | Doc | Example],
    *,
    component: str | None = None,
    method: str = CONTRIBUTIONS,
    top: int = 20,
    min_count: int = 5,
    sort_by: str = "mean",
    n_examples: int = 3,
    max_errors: int = 100,
    batch_size: int = 64,
) -> CorpusSummary:
    """Explain documents one batch at a time, and keep what they have in common.

    Memory grows with the number of different words, not with the number of documents or their
    length.

    Args:
        nlp: A trained pipeline.
        texts: Texts, documents, or Examples, whose reference has the labels that predictions are
            compared with.
        component: As for `spacy_attn.explain`.
        method: As for `spacy_attn.explain`.
        top: Number of words for each label.
        min_count: Leave out words that occur more rarely.
        sort_by: "mean" for the words that tell most when they occur, "total" for those that
            contributed most to all decisions together.
        n_examples: Number of examples of each word.
        max_errors: Number of misclassified documents to keep, with their explanations.
        batch_size: Number of documents that are worked on at once.

    Raises:
        ValueError: As `spacy_attn.explain`, and for settings out of range.
        ImportError: As `spacy_attn.explain`.
    """
    check_several(_WHERE, texts)
    check_method(_WHERE, method)
    check_choice(_WHERE, "sort_by", sort_by, ("mean", "total"))
    check_positive(_WHERE, top=top, min_count=min_count, batch_size=batch_size)
    check_not_negative(_WHERE, n_examples=n_examples, max_errors=max_errors)
    summary = _Summary(Classifier(nlp, component), method, n_examples, max_errors)
    for batch in minibatch(texts, batch_size):
        summary.add(batch)
    return summary.finish(top, min_count, sort_by)


@dataclass
class _Summary:
    """What is kept of the documents seen so far."""

    classifier: Classifier
    method: str
    n_examples: int
    max_errors: int
    n_docs: int = 0
    n_with_tokens: int = 0
    n_gold: int = 0
    n_errors: int = 0
    # Sums over documents: attention on punctuation, its share of tokens; the same of stop words.
    shares: NDArray[numpy.float64] = field(default_factory=lambda: numpy.zeros(4))
    errors: list[Misclassified] = field(default_factory=list)
    # By the label that was wrongly given.
    misleading: dict[str, WordCounts] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.words = WordCounts(self.n_examples)

    def add(self, batch: list[str | Doc | Example]) -> None:
        texts = [item.predicted if isinstance(item, Example) else item for item in batch]
        docs = self.classifier.prepare(texts)
        explanations = explain_docs(self.classifier, docs, self.method)
        for item, doc, explanation in zip(batch, docs, explanations, strict=True):
            self.n_docs += 1
            if len(doc):
                self.n_with_tokens += 1
                self.words.add(doc, explanation.attributions)
                self._add_shares(doc, explanation)
            if isinstance(item, Example):
                self._add_gold(item.reference.cats, doc, explanation)

    def _add_shares(self, doc: Doc, explanation: Explanation) -> None:
        punctuation = numpy.array([token.is_punct for token in doc])
        stop_words = numpy.array([token.is_stop for token in doc])
        for i, kind in enumerate((punctuation, stop_words)):
            self.shares[2 * i : 2 * i + 2] += explanation.attention[kind].sum(), kind.mean()

    def _add_gold(self, cats: Mapping[str, float], doc: Doc, explanation: Explanation) -> None:
        outcome = self.classifier.decisions.judge(explanation.scores, cats)
        self.n_gold += outcome.gold is not None
        if outcome.gold is None or outcome.correct:
            return
        self.n_errors += 1
        self._add_misleading(outcome, doc, explanation)
        if len(self.errors) < self.max_errors:
            labels = self.classifier.labels
            gold = (*(labels[column] for column in outcome.gold), *outcome.missing)
            predicted = tuple(labels[column] for column in outcome.predicted)
            self.errors.append(Misclassified(gold, predicted, explanation))

    def _add_misleading(self, outcome: Outcome, doc: Doc, explanation: Explanation) -> None:
        """Count what words added to the wrong decision."""
        missed, given = self.classifier.decisions.mistaken(outcome)
        labels, values = self.classifier.labels, numpy.zeros(len(doc))
        if given is not None:
            values, name = values + explanation.of_label(labels[given]), labels[given]
        if missed is not None:
            values = values - explanation.of_label(labels[missed])
            name = name if given is not None else f"not {labels[missed]}"
        if (missed, given) != (None, None):
            words = self.misleading.setdefault(name, WordCounts(self.n_examples))
            words.add(doc, values[:, None])

    def finish(self, top: int, min_count: int, sort_by: str) -> CorpusSummary:
        shares = (self.shares / max(1, self.n_with_tokens)).tolist()
        words = {
            label: self.words.best(label, column, top, min_count=min_count, sort_by=sort_by)
            for column, label in enumerate(self.classifier.labels)
        }
        misleading = {
            label: [word for word in found.best(label, 0, top) if word.total > 0.0]
            for label, found in sorted(self.misleading.items())
        }
        return CorpusSummary(
            labels=self.classifier.labels,
            method=self.method,
            n_docs=self.n_docs,
            n_with_tokens=self.n_with_tokens,
            words=words,
            attention_on_punctuation=shares[0],
            punctuation=shares[1],
            attention_on_stop_words=shares[2],
            stop_words=shares[3],
            n_gold=self.n_gold,
            n_errors=self.n_errors,
            errors=self.errors,
            misleading=misleading,
            sort_by=sort_by,
        )
