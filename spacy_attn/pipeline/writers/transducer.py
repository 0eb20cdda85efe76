"""The components `attn_lemmatizer` and `attn_transducer`: a string of a token to another one."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from spacy.parts_of_speech import PROPN
from spacy.strings import get_string_id
from spacy.tokens import Doc, Token
from spacy.training import Example
from spacy.vocab import Vocab
from thinc.api import Model

from ...checks import check_not_negative, check_positive, check_rate
from ...models.arrays import runs
from ...models.attention_decoder import token_layer
from ...results.alignment import Alignment
from ...results.extensions import install_token_alignments
from ...results.written_data import (
    store_sources,
    store_token_alignments,
    token_alignment,
    token_source,
)
from ..several import several_docs
from .answer_cache import AnswerCache, Key, make_key
from .characters import (
    capitalised,
    is_capital_of_place,
    is_in_title,
    lower_case,
    may_be_name,
    usual_spelling,
)
from .dictionary import Counts, Dictionary, Target, most_frequent, without_rare
from .questions import Question, QuestionsMixin
from .token_attributes import READABLE, WRITABLE, TokenAttribute
from .writer import MAX_CHUNK_SYMBOLS

# Where a value comes from, as `token._.lemma_source` says it.
DICTIONARY, CANDIDATES, LOWER, DECODER = "dictionary", "candidates", "lower", "decoder"
FORM = "form"


class Transductions(NamedTuple):
    """What a component predicts for the tokens of a document.

    Attributes:
        values: The value of each token; None where there is none to set, or one is kept.
        sources: Where each comes from; None where there is no value to set.
        alignments: Of each value with the form, where these are to be stored.
    """

    values: list[Target | None]
    sources: list[str | None]
    alignments: list[Alignment | None] | None = None


class AttentionTransducer(QuestionsMixin):
    """Write a string for each token that follows from another one, say its lemma from its form.

    A dictionary of the training data answers what it knows. Among several known answers the model
    chooses, and it writes those of unknown forms, character by character.
    """

    _further_parts = ("dictionary",)

    def __init__(
        self,
        vocab: Vocab,
        model: Model,
        name: str = "attn_lemmatizer",
        *,
        source: str = "ORTH",
        target: str = "LEMMA",
        use_pos: bool = False,
        dictionary: bool = True,
        candidates: bool = True,
        lower: bool = True,
        keep_long: bool = True,
        underscore: bool = True,
        overwrite: bool = False,
        alignment: bool = False,
        beam_width: int = 4,
        known_bonus: float = 3.0,
        max_length: int = 500,
        cache_size: int = 100_000,
        pos_loss: float = 1.0,
        label_smoothing: float = 0.0,
        capitals: float = 0.0,
        scorer: Callable | None = None,
    ) -> None:
        """Create the component.

        Args:
            vocab: The vocabulary of the pipeline.
            model: A model that reads symbols, of `spacy-attn.AttentionDecoder.v1`. If it has a
                `tok2vec`, that makes the context of a token.
            name: Name of the component in the pipeline. Its losses are reported under it.
            source: The attribute that is read: ORTH, NORM, LOWER, LEMMA, PREFIX, SUFFIX, SHAPE, or
                one of your own such as "_.name".
            target: The attribute that is set: LEMMA, NORM, or one of your own such as "_.name". One
                of your own may hold lists of strings: then these are the symbols that are written.
            use_pos: Whether the dictionary looks up a form together with `token.pos_`. Set it where
                a component before this one sets parts of speech.
            dictionary: Whether forms that training has seen take the value that they had there.
                Without it, the model writes all values.
            candidates: Whether the model chooses among several values that a known form had.
                Without it, the most frequent one is taken.
            lower: Whether an unknown form takes what the dictionary says of it in lower case. One
                in capitals may take what it says of the name, with one capital letter. With
                `use_pos`, both must have the same part of speech. A proper noun, by `token.pos_`,
                takes that of the name alone. Without a part of speech, a model with context chooses
                between that and the form itself for a capitalised word inside a sentence.
            keep_long: Whether an unknown form is kept as it is where training has kept nearly all
                forms of such a length, say addresses. If training had less than 20 of them, a form
                is kept that is longer than all of training by more than 10 characters. Where values
                are lists, none is kept.
            underscore: Whether a value `_` is learned, except for the form `_`. In some treebanks
                it means that there is none.
            overwrite: Whether to replace values that tokens have already.
            alignment: Whether to store `token._.NAME_alignment`, NAME being the target's name in
                lower case: which characters each one was written for. It takes more time.
            beam_width: How many beginnings of a value are kept while it is written. 1 is greedy
                search, which is faster.
            known_bonus: What is added to the log-probability of a value that training had, and to
                that of its beginnings. It makes no difference to greedy search.
            max_length: A form of more characters keeps itself as its value. Neither that nor a form
                with a value of more characters or symbols is learned from. It bounds the memory.
            cache_size: How many answers of the model are kept for forms that come again in the same
                context. 0 keeps none.
            pos_loss: The weight of telling the part of speech from the context, which helps to
                learn that. It needs parts of speech in the training data.
            label_smoothing: The share of each target that is spread evenly over all symbols, at
                least 0 and below 1. Probabilities then stay further from 0 and 1.
            capitals: The share of the forms that are learned in capitals, with the values that they
                have. So words of a headline get theirs.
            scorer: The scoring method, for `spacy train` and `spacy evaluate`.

        Raises:
            ValueError: If a setting is out of its range, or an attribute of your own cannot be set.
        """
        where = f"Component '{name}'"
        self._set_up(vocab, model, name, "symbols", beam_width, scorer)
        check_positive(where, max_length=max_length)
        check_rate(where, label_smoothing=label_smoothing, capitals=capitals)
        check_not_negative(where, known_bonus=known_bonus, cache_size=cache_size, pos_loss=pos_loss)
        self.source, self.target = TokenAttribute(source), TokenAttribute(target)
        self.source.check(where, "source", READABLE)
        self.target.check(where, "target", WRITABLE)
        if self.target.is_extension and self.target.own_name in map(str.lower, WRITABLE):
            raise ValueError(
                f"{where}: 'target' is {target!r}, whose scores and sources would have the names "
                f"of those of {self.target.own_name.upper()}. Name another attribute of your own."
            )
        if source == target:
            raise ValueError(
                f"{where}: 'source' and 'target' must be two, but both are {source!r}."
            )
        self.use_pos = use_pos
        self.use_dictionary = dictionary
        self.candidates = candidates
        self.lower = lower
        self.keep_long = keep_long
        self.underscore = underscore
        self.overwrite = overwrite
        self.alignment = alignment
        self.known_bonus = known_bonus
        self.max_length = max_length
        self.pos_loss = pos_loss
        self.label_smoothing = label_smoothing
        self.capitals = capitals
        # Its own: in a pipeline of another language, letters keep the capitals that it has learned.
        self.cfg.update(writes_lists=False, lang=vocab.lang)
        self.dictionary = Dictionary()
        self._answers = AnswerCache(cache_size)
        self._install_extensions()

    def _install_extensions(self) -> None:
        self.target.install(f"Component '{self.name}'")
        install_token_alignments(self.target.own_name)

    # Prediction

    def predict(self, docs: Iterable[Doc]) -> list[Transductions]:
        """Find the values of the tokens of some documents, without modifying these.

        Args:
            docs: The documents.

        Returns:
            One for each document.

        Raises:
            ValueError: If the component has not been initialized.
        """
        docs = list(docs)
        found = self._find_values(docs, self.overwrite)
        if not self.alignment:
            return found
        alignments = self._align(docs, [each.values for each in found])
        return [
            each._replace(alignments=of_doc) for each, of_doc in zip(found, alignments, strict=True)
        ]

    def _find_values(self, docs: list[Doc], overwrite: bool) -> list[Transductions]:
        """Find values: of all tokens, or of those without one."""
        self._install_extensions()
        self._check_initialized()
        found = [Transductions([None] * len(doc), [None] * len(doc)) for doc in docs]
        asked = [
            list(self._look_up(doc, self._kept(doc, overwrite), each))
            for doc, each in zip(docs, found, strict=True)
        ]
        answers = iter(self._answer(asked))
        for questions, each in zip(asked, found, strict=True):
            for question in questions:
                each.values[question.token.i] = self._with_capital(question, next(answers))
        return found

    def _kept(self, doc: Doc, overwrite: bool) -> list[bool]:
        """Return whether each token keeps the value that it has."""
        return [False] * len(doc) if overwrite else self.target.has_values(doc)

    def _look_up(self, doc: Doc, kept: list[bool], found: Transductions) -> Iterator[Question]:
        """Answer what needs no model, and yield what does."""
        for i, form_id in enumerate(self.source.read_ids(doc)):
            if not form_id or kept[i]:
                continue
            form, token = doc.vocab.strings[form_id], doc[i]
            counts, source = self._know(form_id, form, token)
            if counts is None:
                if self._keeps(form):
                    if not self.cfg["writes_lists"]:
                        found.values[i], found.sources[i] = form, FORM
                    continue
                form, counts, source = self._know_otherwise(form, token)
            if counts is not None and (len(counts) == 1 or not self.candidates):
                found.values[i] = most_frequent(counts)
            else:
                source = CANDIDATES if source == DICTIONARY else source
                yield Question(form, counts, token)
            found.sources[i] = source

    def _know(self, form_id: int, form: str, token: Token) -> tuple[Counts | None, str]:
        """Return what the dictionary says of a form where it stands, and how that was found."""
        # With its part of speech, if that is looked up.
        counts = self._find(form_id, token.pos, or_form=False)
        if counts is not None:
            return self._with_lower(counts, form, token), DICTIONARY
        counts = self._find_lower(form, token)
        if counts is not None:
            return counts, LOWER
        return self._find(form_id, token.pos), DICTIONARY

    def _know_otherwise(self, form: str, token: Token) -> tuple[str, Counts | None, str]:
        """Return how to read an unknown form, and what the dictionary says of that."""
        usual = usual_spelling(form)
        if usual != form:
            counts, source = self._know(get_string_id(usual), usual, token)
            if counts is not None:
                return usual, counts, source
        return self._readable(form), None, DECODER

    def _find(self, form_id: int, pos: int, or_form: bool = True) -> Counts | None:
        if not self.use_dictionary:
            return None
        # A token that nobody has tagged is looked up by its form alone.
        found = self.dictionary.find(form_id, pos if self.use_pos and pos else None, or_form)
        return without_rare(found) if found else None

    def _with_lower(self, counts: Counts, form: str, token: Token) -> Counts:
        """Add what a form is in lower case, where that may be meant, to what is known of it.

        So the first word of a sentence is not taken for a name that training had once.
        """
        lower = lower_case(form, self.cfg["lang"])
        if not self.lower or lower == form:
            return counts
        if token.pos:
            of_lower, of_form = (
                self.dictionary.find(get_string_id(each), token.pos, or_form=False)
                for each in (lower, form)
            )
            # If it had this part of speech in lower case alone.
            return without_rare(of_lower) if of_lower and not of_form else counts
        if not self._can_choose or not is_capital_of_place(token, form):
            return counts
        return _sum(counts, self._find(get_string_id(lower), 0) or {})

    def _find_lower(self, form: str, token: Token) -> Counts | None:
        """Return what the dictionary says of a form in lower case, or of a name in capitals."""
        lower = lower_case(form, self.cfg["lang"])
        if not self.lower or lower == form:
            return None
        is_name = token.pos == PROPN
        counts = None
        # As a word of another kind, it says nothing: a German noun may be a verb in lower case.
        if not is_name or (self._can_choose and not self.use_pos):
            counts = self._find(get_string_id(lower), token.pos, or_form=not token.pos)
        if form[1:].isupper():
            name = form[:1] + lower_case(form[1:], self.cfg["lang"])
            of_name = self._find(get_string_id(name), token.pos, or_form=not token.pos)
            # Of a name in a headline, training may have had a careless spelling, too.
            return max(counts or {}, of_name or {}, key=lambda each: sum(each.values())) or None
        if counts and self._can_choose and (is_name or not token.pos) and may_be_name(token, form):
            # The form itself is as probable as all others together.
            return {**counts, form: sum(counts.values())}
        return counts

    def _with_capital(self, question: Question, answer: Target) -> Target:
        """Give a new lemma its capital back, where that tells a name."""
        if question.choices is not None or not isinstance(answer, str) or not self._reads_context:
            return answer
        token, form, lang = question.token, question.form, self.cfg["lang"]
        is_small = answer[:1] == lower_case(form[:1], lang) != form[:1]
        if not is_small or token.pos or not self.dictionary.is_name(answer):
            return answer
        is_name = may_be_name(token, form) and not is_in_title(token)
        return capitalised(answer, lang) if is_name else answer

    @property
    def _can_choose(self) -> bool:
        """Whether the model may choose by where a form stands."""
        return self.candidates and not self.cfg["writes_lists"] and self._reads_context

    @property
    def _reads_context(self) -> bool:
        """Whether what a form is mapped to may follow from where it stands."""
        return token_layer(self.model) is not None

    def _answer(self, asked: list[list[Question]]) -> Iterator[Target]:
        """Answer the questions of each document, a question that comes again only once."""
        questions = [question for each in asked for question in each]
        contexts = self._contexts(asked)
        keys = [
            make_key(question.form, question.choices, context)
            for question, context in zip(questions, contexts, strict=True)
        ]
        first = {key: i for i, key in enumerate(keys)}
        self._answers.use((self.beam_width, self.known_bonus, self.dictionary.n_targets))
        answers: dict[Key, Target] = self._answers.find(first)
        new = [i for key, i in first.items() if key not in answers]
        # Those of like length together.
        new.sort(key=lambda i: len(questions[i].form))
        for run in runs(new, MAX_CHUNK_SYMBOLS, lambda i: len(questions[i].form)):
            found = self._ask([questions[i] for i in run], contexts[run])
            answers.update(zip((keys[i] for i in run), found, strict=True))
        self._answers.keep(answers)
        return (answers[key] for key in keys)

    def _forget(self) -> None:
        self._answers.clear()

    def use_params(self, params: dict) -> Iterator[None]:
        """Run with other weights, whose answers are not kept. As spaCy's own, it is a generator."""
        self._forget()
        try:
            with self.model.use_params(params):
                yield
        finally:
            self._forget()

    # Alignment

    def explain(self, docs: Iterable[Doc]) -> list[list[Alignment | None]]:
        """Say which symbols of each form the symbols of its value were written for.

        The value is what the component predicts, wherever it comes from. For one from the
        dictionary, it is the alignment with which the model would have written it.

        Args:
            docs: The documents, which are not modified.

        Returns:
            For each document, an alignment for each token; None for one without a value, and for
            one that keeps its form: white space, and a form that is too long.

        Raises:
            ValueError: If the component has not been initialized.
            TypeError: For a text or a single document.
        """
        docs = several_docs(self.name, docs)
        # Of tokens that keep a value, too.
        return self._align(docs, [each.values for each in self._find_values(docs, overwrite=True)])

    def set_annotations(self, docs: Iterable[Doc], predictions: Sequence[Transductions]) -> None:
        """Set the values of tokens, and where they come from.

        Args:
            docs: The documents to modify.
            predictions: What `predict` returned for them.
        """
        name, keeps = self.target.own_name, not self.overwrite
        for doc, found in zip(docs, predictions, strict=True):
            sources = list(found.sources)
            alignments = None if found.alignments is None else list(found.alignments)
            kept = self._kept(doc, self.overwrite)
            for token, value, is_kept in zip(doc, found.values, kept, strict=True):
                if is_kept:
                    # What is known of the value, where the component has seen the document before.
                    sources[token.i] = token_source(token, name)
                    if alignments is not None:
                        alignments[token.i] = token_alignment(token, name)
                elif value is not None:
                    self.target.write(token, value)
            store_sources(doc, sources, name, author=self.name, keeps=keeps)
            if alignments is not None:
                store_token_alignments(doc, alignments, name, author=self.name, keeps=keeps)

    def score(self, examples: Iterable[Example], **kwargs: Any) -> dict[str, Any]:
        """Score the values of some examples, and those of forms that training did not have.

        The forms are those of the annotated documents.

        Args:
            examples: Documents as predicted and as annotated.
            kwargs: Passed on to the scorer.

        Returns:
            The scores.
        """
        return super().score(
            examples,
            attribute=self.target.path,
            is_seen=self._is_seen,
            is_missing=self._has_no_value,
            **kwargs,
        )

    def _is_seen(self, token: Token) -> bool:
        form = self.source.read(token)
        return isinstance(form, str) and bool(self.dictionary.find(get_string_id(form)))

    def _has_no_value(self, token: Token) -> bool:
        target = self.target.read(token)
        return target is None or self._is_missing(str(self.source.read(token)), target)

    # Storage

    def _store_part(self, name: str) -> bytes:
        return self.dictionary.to_bytes()

    def _read_part(self, name: str, data: bytes) -> Dictionary:
        return Dictionary.from_bytes(data)

    def _take_part(self, name: str, part: Dictionary) -> None:
        self.dictionary = part

    def _check_cfg(self, cfg: Mapping[str, Any]) -> None:
        super()._check_cfg(cfg)
        if not isinstance(cfg["writes_lists"], bool):
            raise ValueError(
                f"'writes_lists' must be true or false, but is {cfg['writes_lists']!r:.50}"
            )
        if not isinstance(cfg["lang"], str):
            raise ValueError(f"'lang' must be the code of a language, but is {cfg['lang']!r:.50}")

    def _load(self, parts: Mapping[str, Any], place: str) -> None:
        super()._load(parts, place)
        self._forget()


def _sum(counts: Counts, others: Counts) -> Counts:
    """Return how often each target was counted in either."""
    return {each: counts.get(each, 0) + others.get(each, 0) for each in counts | others}
