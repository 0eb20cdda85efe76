"""The component `attn_seq2seq`, which writes a text for a document, and its factory."""

import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from inspect import signature
from typing import Any, NamedTuple, cast

import numpy
from spacy.language import Language
from spacy.pipeline.trainable_pipe import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples
from spacy.vocab import Vocab
from thinc.api import Config, Model
from thinc.types import Floats2d

from ...checks import check_positive, check_rate
from ...models.arrays import TokenArrays, runs
from ...models.attention_decoder import Sources, Written, can_copy, token_layer
from ...models.symbols import UNKNOWN
from ...models.weights import is_initialized
from ...results.alignment import ALIGNMENT, Alignment
from ...results.extensions import install_generated
from ...results.written_data import GENERATED, generated_text, store_generated
from ..factories import register
from ..several import several_docs
from ..vocabularies import is_streamed, set_vocabularies
from .generation_scorer import score_generated
from .target_texts import (
    blank_tokenizer,
    check_labels,
    check_language,
    join_tokens,
    plain_tokens,
    put_spaces,
    read_tokens,
    spaced_tokens,
    spell,
)
from .writer import MAX_CHUNK_SYMBOLS, WriterMixin

# Of the size that was best for 29,000 sentences: docs/translate.md.
DEFAULT_MODEL = Config().from_str(
    """
[model]
@architectures = "spacy-attn.AttentionDecoder.v1"
reads = "vectors"
symbol_width = 256
context_width = 64
hidden_width = 256
depth = 1
decoder_width = 384
output_width = 256
dropout = 0.4
attention = "general"
attention_width = null
input_feeding = false
copy = false
tied = true
mixed_precision = false
grad_scaler_config = null

[model.tok2vec]
@architectures = "spacy-attn.SubwordEmbedding.v1"
width = 256
attr = "NORM"
min_frequency = 2
max_size = null
vectors = null
ngram_sizes = [3,4,5]
ngram_rows = 20000
word_dropout = 0.0
initial = "random"
"""
)["model"]


class Generated(NamedTuple):
    """What was written for a document.

    Attributes:
        text: The text.
        alignment: Of the text's tokens with those of the document.
        is_cut: Whether the text would have gone on beyond `max_length`.
    """

    text: str
    alignment: Alignment
    is_cut: bool = False


class AttentionSeq2Seq(WriterMixin, TrainablePipe):
    """Write a text for a document, such as its translation, and show what each word came from.

    Sets `doc._.generated`, the text, `doc._.generated_tokens`, and `doc._.alignment`, shape
    (n_output, n_tokens). Learns from the texts that annotated documents have in
    `doc._.generated`.
    """

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "attn_seq2seq",
        *,
        target_lang: str = "en",
        lower: bool = False,
        min_frequency: int = 2,
        label_smoothing: float = 0.1,
        beam_width: int = 5,
        max_length: int = 1000,
        generated_attr: str = GENERATED,
        scorer: Callable | None = score_generated,
    ) -> None:
        """Create the component.

        Args:
            vocab: The vocabulary of the pipeline.
            model: A model of `spacy-attn.AttentionDecoder.v1` that reads vectors.
            name: Name of the component in the pipeline. Its losses are reported under it.
            target_lang: The language of the texts that are written. Its spaCy tokenizer makes
                tokens of the texts that the component learns from. Any language of spaCy will do,
                "xx" for one that spaCy does not know.
            lower: Whether the texts are written in lower case. Set it where case does not matter.
            min_frequency: How often a token of the texts must occur to be learned. In place of
                others, the component writes the token of the document that it looks at most. Raise
                it for a smaller vocabulary, which is faster.
            label_smoothing: The share of each target that is spread evenly over the vocabulary, at
                least 0 and below 1 (Szegedy et al. 2016). It keeps the component from being too
                sure of the words it has learned.
            beam_width: How many beginnings of a text are kept at every step. 1 always goes on with
                the most probable token, which is over three times as fast, and writes worse texts.
            max_length: The largest number of tokens of a text, which bounds the memory and the time
                that a long document takes. The component does not learn from longer texts. Raise it
                for these.
            generated_attr: Name of the attribute that has the text, `doc._.NAME`. The tokens are
                `doc._.NAME_tokens`. The alignment is `doc._.alignment`, and under another name
                `doc._.NAME_alignment`, and the scores are `NAME_bleu` and `NAME_chrf`. Change it
                where two components of a pipeline would have the same.
            scorer: The scoring method, for `spacy train` and `spacy evaluate`.

        Raises:
            ValueError: If a setting is out of its range, if the model does not read vectors, or if
                another extension attribute of that name exists.
        """
        where = f"Component '{name}'"
        check_language(where, target_lang)
        check_positive(where, min_frequency=min_frequency, max_length=max_length)
        check_rate(where, label_smoothing=label_smoothing)
        self._set_up(vocab, model, name, "vectors", beam_width, scorer)
        self.target_lang = target_lang
        self.lower = lower
        self.min_frequency = min_frequency
        self.label_smoothing = label_smoothing
        self.max_length = max_length
        self.generated_attr = generated_attr
        install_generated(generated_attr)

    # Initialization

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        labels: Iterable[str] | None = None,
        words: Iterable[str] | None = None,
        extend: bool = False,
    ) -> None:
        """Initialize the component for training.

        Args:
            get_examples: Returns a representative sample of examples.
            nlp: The pipeline.
            labels: The tokens that can be written, as `spacy init labels` writes them; by default
                those of the examples.
            words: The vocabulary of a word embedding, as `spacy attn init-words` writes it; by
                default the words of the examples.
            extend: Whether to keep the weights of a component that was trained, and add what is new
                among the tokens that can be written.

        Raises:
            ValueError: If no example has a text to learn from, or if the labels are no such tokens.
        """
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        if labels is not None:
            labels = check_labels(self.name, labels)
        if not (extend and is_initialized(self.model)):
            set_vocabularies(self, get_examples, nlp, words)
        counts: Counter[str] = Counter()
        lengths = []
        n_long = 0
        for doc, target in self._annotated(get_examples()):
            if len(target) > self.max_length:
                n_long += 1
                continue
            counts.update(target)
            lengths.append((len(_read(doc)), len(target)))
        if n_long:
            warnings.warn(
                f"Component '{self.name}' does not learn from {n_long} texts that are longer than "
                f"'max_length', {self.max_length} tokens. Raise it to learn from these.",
                stacklevel=4,
            )
        if not lengths:
            raise ValueError(
                f"Component '{self.name}': no training document has a text in "
                f"'doc._.{self.generated_attr}' to learn from. Read the data with "
                f"spacy-attn.HFPairs.v1, or set it to a text in each document."
            )
        if labels is None and is_streamed(nlp):
            warnings.warn(
                f"Component '{self.name}' learns what it can write from the first documents of a "
                f"streamed corpus only. Write the tokens of the whole corpus with 'python -m spacy "
                f"init labels', and name that file in "
                f"[initialize.components.{self.name}.labels].",
                stacklevel=5,
            )
        frequent = {symbol: n for symbol, n in counts.items() if n >= self.min_frequency}
        known = frequent if labels is None else dict.fromkeys(labels, 1)
        self._learn_symbols(lengths, known, get_examples, n_tags=0, extend=extend)

    @property
    def label_data(self) -> list[str]:
        """The tokens that can be written, each with the space before it, for `initialize`."""
        return self.symbols.to_list()

    def _annotated(self, examples: Iterable[Example]) -> Iterator[tuple[Doc, list[str]]]:
        """Yield the documents that have a text and something to read, and the text's tokens."""
        for example in examples:
            target = self._target(example)
            if target is not None and _read(example.predicted):
                yield example.predicted, target

    def _target(self, example: Example) -> list[str] | None:
        """Return the tokens of an annotated text; None where there is none."""
        text = generated_text(example.reference, self.generated_attr)
        return None if text is None else self._tokenize(text)

    def _tokenize(self, text: str) -> list[str]:
        return spaced_tokens(blank_tokenizer(self.target_lang)(text), lower=self.lower)

    # Training

    @property
    def _token_layer(self) -> Model:
        # There is one: the model reads vectors.
        return cast(Model, token_layer(self.model))

    def _backpropagate(self, examples: list[Example]) -> float:
        docs = [example.predicted for example in examples]
        pairs = [pair for pair in self._annotated(examples) if len(pair[1]) <= self.max_length]
        taught = {id(doc) for doc, _ in pairs}
        is_taught = [id(doc) in taught and not token.is_space for doc in docs for token in doc]
        rows = numpy.flatnonzero(is_taught).tolist()
        return self._teach_tokens(docs, rows, partial(self._teach_pairs, pairs))

    def _teach_pairs(
        self, pairs: list[tuple[Doc, list[str]]], vectors: Floats2d
    ) -> tuple[float, Floats2d]:
        words = [self._words(doc) for doc, _ in pairs]
        targets = [
            self._target_numbers(target, own) for (_, target), own in zip(pairs, words, strict=True)
        ]
        return self._teach(
            Sources([self._source(own) for own in words], vectors),
            targets,
            label_smoothing=self.label_smoothing,
            by_symbol=True,
        )

    def _words(self, doc: Doc) -> list[str]:
        """Return the tokens of a document that are read, with their spaces there."""
        return read_tokens(doc, lower=self.lower)

    def _source(self, words: Sequence[str]) -> list[int]:
        """Return the symbols of a document, which only a model that copies asks for."""
        if can_copy(self.model):
            return self.symbols.source_numbers(words)
        return [UNKNOWN] * len(words)

    # Prediction

    def predict(self, docs: Iterable[Doc]) -> list[Generated]:
        """Write a text for each of some documents, without modifying them.

        A document's text depends on that document alone. White space is not read: its tokens have
        weights of 0 in the alignment. A document of white space alone, or without any token, gets
        an empty text. A warning says how many texts were cut off at `max_length`.

        Args:
            docs: The documents to predict.

        Raises:
            ValueError: If the component has not been initialized, or if a weight is not finite.
        """
        install_generated(self.generated_attr)
        self._check_initialized()
        docs = list(docs)
        found = [_nothing(doc) for doc in docs]
        read = [i for i, doc in enumerate(docs) if _read(doc)]
        order = sorted(read, key=lambda i: len(docs[i]))
        for chunk in runs(order, MAX_CHUNK_SYMBOLS, lambda i: len(docs[i])):
            for i, generated in zip(chunk, self._generate([docs[i] for i in chunk]), strict=True):
                found[i] = generated
        self._warn_of_cuts(found)
        return found

    def _longest(self, n_symbols: int) -> int:
        return min(super()._longest(n_symbols), self.max_length)

    def _warn_of_cuts(self, found: Iterable[Generated]) -> None:
        cut = [each for each in found if each.is_cut]
        if cut:
            warnings.warn(
                f"Component '{self.name}' cut off {len(cut)} texts at 'max_length', "
                f"{self.max_length} tokens. Raise it, or give shorter documents; the first is "
                f"'{' '.join(cut[0].alignment.source[:5])} ...'.",
                stacklevel=3,
            )

    def _generate(self, docs: list[Doc]) -> Iterator[Generated]:
        """Yield what is written for documents, each with at least one token that is read."""
        vectors = self._token_layer.predict(docs)
        words = [self._words(doc) for doc in docs]
        rows = numpy.flatnonzero([not token.is_space for doc in docs for token in doc]).tolist()
        given = TokenArrays.join(self.model.ops, vectors).joined[rows]
        sources = Sources([self._source(own) for own in words], given)
        written = self._write(sources, alignment=True)
        spaces = put_spaces(self.symbols.to_list())
        for doc, own_words, each in zip(docs, words, written, strict=True):
            yield self._spell(doc, own_words, each, spaces)

    def _spell(self, doc: Doc, words: Sequence[str], written: Written, spaces: bool) -> Generated:
        """Return the text that was written, with what was copied for unknown tokens."""
        read_weights = cast(Any, written.alignment).cpu().numpy()
        spaced = spell(self.symbols, written.symbols.tolist(), words, read_weights, spaces)
        weights = numpy.zeros((len(spaced), len(doc)), dtype="float32")
        weights[:, _read(doc)] = read_weights
        source, target = tuple(token.text for token in doc), tuple(plain_tokens(spaced))
        alignment = Alignment(source, target, weights, written.log_probability, of_tokens=True)
        is_cut = not written.is_complete and len(spaced) == self.max_length
        return Generated(join_tokens(spaced), alignment, is_cut)

    def set_annotations(self, docs: Iterable[Doc], predictions: Sequence[Generated]) -> None:
        """Set the attributes of a batch of documents.

        Args:
            docs: The documents to modify.
            predictions: What `predict` returned for them.
        """
        for doc, (text, alignment, _) in zip(docs, predictions, strict=True):
            store_generated(
                doc,
                text,
                alignment.target,
                alignment.weights,
                self.generated_attr,
                log_probability=alignment.log_probability,
                author=self.name,
            )

    def explain(self, docs: Iterable[Doc]) -> list[Alignment]:
        """Return the alignment of what is written for each document, which is not modified.

        Args:
            docs: The documents. Components that this one listens to must have seen them.

        Raises:
            ValueError: If the component has not been initialized.
            TypeError: For a text or a single document.
        """
        docs = several_docs(self.name, docs)
        return [each.alignment for each in self.predict(docs)]

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score a batch of examples with the component's scorer, and return the scores."""
        ours = {
            "generated_attr": self.generated_attr,
            "lower": self.lower,
            "tokenize": lambda text: plain_tokens(self._tokenize(text)),
        }
        return super().score(examples, **{**ours, **kwargs})


make_attn_seq2seq = register(
    AttentionSeq2Seq,
    "attn_seq2seq",
    signature(AttentionSeq2Seq.__init__).parameters.values(),
    model=DEFAULT_MODEL,
    scorer="spacy-attn.seq2seq_scorer.v1",
    assigns=[f"doc._.{GENERATED}", f"doc._.{GENERATED}_tokens", f"doc._.{ALIGNMENT}"],
    score_weights={"bleu": 1.0, "chrf": 0.0},
)


def _read(doc: Doc) -> list[int]:
    """Return the places of the tokens that are read: those that are not white space."""
    return [token.i for token in doc if not token.is_space]


def _nothing(doc: Doc) -> Generated:
    """Return an empty text."""
    words = tuple(token.text for token in doc)
    weights = numpy.zeros((0, len(doc)), dtype="float32")
    return Generated("", Alignment(words, (), weights, of_tokens=True))
