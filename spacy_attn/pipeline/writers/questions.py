"""What a transducer asks its model: to write a value, to choose among some, or to align one."""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy
from numpy.typing import NDArray
from spacy.tokens import Doc, Token

from ...models.arrays import runs
from ...models.attention_decoder import (
    END,
    KnownSequences,
    Written,
    align,
    can_copy,
    score,
    token_layer,
)
from ...models.symbols import UNKNOWN_SYMBOL
from ...results.alignment import Alignment
from ..prediction import MAX_CHUNK_TOKENS
from .characters import (
    CAPITALS,
    by_character,
    from_symbols,
    in_own_characters,
    usual_spelling,
    with_inner_capitals,
)
from .dictionary import Counts, Target
from .token_attributes import EMPTY
from .transducer_training import TransducerTrainingMixin

# In main memory, shape (n_questions, width).
_Contexts = NDArray[numpy.float32]
# At most so many symbols of forms are aligned at once: their weights grow with the targets, too.
_MAX_ALIGNED_SYMBOLS = 8192


class Question(NamedTuple):
    """What is left to ask the model.

    Attributes:
        form: The string that is read.
        choices: The targets among which to choose; None to write one.
        token: What it is asked for.
    """

    form: str
    choices: Counts | None
    token: Token


class QuestionsMixin(TransducerTrainingMixin):
    """Answers questions on tokens with a model."""

    known_bonus: float

    def _contexts(self, asked: list[list[Question]]) -> _Contexts:
        """Return the contexts of the tokens that are asked for, in main memory."""
        tok2vec = token_layer(self.model)
        if tok2vec is None:
            return numpy.zeros((sum(map(len, asked)), 0), dtype="float32")
        parts = []
        with_questions = [questions for questions in asked if questions]
        for run in runs(with_questions, MAX_CHUNK_TOKENS, lambda each: len(each[0].token.doc)):
            found = tok2vec.predict([questions[0].token.doc for questions in run])
            for questions, vectors in zip(run, found, strict=True):
                parts.append(vectors[[question.token.i for question in questions]])
        if not parts:
            return numpy.zeros((0, 0), dtype="float32")
        return self.model.ops.to_numpy(self.model.ops.xp.concatenate(parts))

    def _ask(self, questions: Sequence[Question], contexts: _Contexts) -> list[Target]:
        """Have the model write what there is no choice for, and choose otherwise."""
        answers: list[Target] = [""] * len(questions)
        free = [i for i, question in enumerate(questions) if question.choices is None]
        if free:
            forms = [questions[i].form for i in free]
            for i, answer in zip(free, self._write_all(forms, contexts[free]), strict=True):
                answers[i] = answer
        bound = [i for i, question in enumerate(questions) if question.choices is not None]
        if bound:
            found = self._choose([questions[i] for i in bound], contexts[bound])
            for i, answer in zip(bound, found, strict=True):
                answers[i] = answer
        return answers

    def _write_all(self, forms: list[str], contexts: _Contexts) -> list[Target]:
        """Write what is most probable after each form, and rather what training had."""
        symbols = [self._source_symbols(form) for form in forms]
        sources = self._sources(symbols, self.model.ops.xp.asarray(contexts))
        # Greedy search finds the same, whatever is known.
        known = self._known_targets() if self.beam_width > 1 else None
        found = self._write(sources, known=known)
        return [
            self._spell(each, source, form)
            for each, source, form in zip(found, symbols, forms, strict=True)
        ]

    def _known_targets(self) -> KnownSequences:
        """Return what training had, for a search."""
        # Loading replaces the dictionary and the symbols, maybe by as many others.
        key = (self.dictionary, self.dictionary.n_targets, self.symbols, self.known_bonus)
        if getattr(self, "_known_by", None) != key:
            targets = self.dictionary.targets if self.known_bonus else ()
            numbers = [self.symbols.numbers(self._target_symbols(each)) for each in targets]
            self._known = KnownSequences(numbers, END, len(self.symbols), self.known_bonus)
            self._known_by = key
        return self._known

    def _spell(self, written: Written, source: Sequence[str], form: str) -> Target:
        symbols = self.symbols.spell(written.symbols.tolist(), source)
        if self.cfg["writes_lists"]:
            return tuple(symbols)
        text = from_symbols(symbols, self.cfg["lang"])
        if source[:1] == [CAPITALS]:
            text = with_inner_capitals(text, self.cfg["lang"])
        if not written.is_complete or (can_copy(self.model) and self._loses(source, symbols)):
            return form
        if self.dictionary.breaks_rule(form, text):
            return form
        # As other lemmatizers, it says nothing only where attributes can be empty.
        return form if text in ("", EMPTY) and not self.target.is_extension else text

    def _loses(self, source: Sequence[str], written: Sequence[str]) -> bool:
        """Return whether symbols that training did not have get lost, which could be copied."""
        # The mark of what is unknown may be in the text itself. Written for anything else, it says
        # that something got lost.
        if written.count(UNKNOWN_SYMBOL) != source.count(UNKNOWN_SYMBOL):
            return True
        unknown = self.symbols.unknown(source)
        return any(written.count(symbol) < source.count(symbol) for symbol in unknown)

    def _readable(self, form: str) -> str:
        """Return a form in its usual spelling, if the model knows more symbols of that."""
        usual = usual_spelling(form)
        if usual == form:
            return form
        return min(form, usual, key=lambda each: len(self._unknown(each)))

    def _unknown(self, form: str) -> list[str]:
        return self.symbols.unknown(self._source_symbols(form))

    def _choose(self, questions: list[Question], contexts: _Contexts) -> list[Target]:
        """Choose the most probable of known targets, with their frequencies as priors."""
        choices = [list((question.choices or {}).items()) for question in questions]
        sources = [self._source_symbols(question.form) for question in questions]
        of_target = [i for i, each in enumerate(choices) for _ in each]
        targets = [
            self._target_numbers(self._target_symbols(target), source)
            for source, each in zip(sources, choices, strict=True)
            for target, _ in each
        ]
        given = self._sources(sources, self.model.ops.xp.asarray(contexts))
        found = iter(score(self.model, given, targets, of_target).tolist())
        best = []
        for each in choices:
            totals = [next(found) + math.log(count) for _, count in each]
            best.append(each[totals.index(max(totals))][0])
        return best

    def _align(
        self, docs: list[Doc], values: list[list[Target | None]]
    ) -> list[list[Alignment | None]]:
        asked = [
            [
                Question(form, {value: 1}, doc[i])
                for i, value in enumerate(of_doc)
                if value and (form := self._readable(str(self.source.read(doc[i]))))
                if not self._keeps(form)
            ]
            for doc, of_doc in zip(docs, values, strict=True)
        ]
        questions = [question for each in asked for question in each]
        found = iter(self._align_all(questions, self._contexts(asked)))
        aligned: list[list[Alignment | None]] = [[None] * len(doc) for doc in docs]
        for of_doc, each in zip(aligned, asked, strict=True):
            for question in each:
                of_doc[question.token.i] = next(found)
        return aligned

    def _align_all(self, questions: list[Question], contexts: _Contexts) -> Iterator[Alignment]:
        """Align forms with the one target that each question has."""
        numbers = list(range(len(questions)))
        for run in runs(numbers, _MAX_ALIGNED_SYMBOLS, lambda i: len(questions[i].form)):
            pairs = [(questions[i].form, next(iter(questions[i].choices or ""))) for i in run]
            own_forms = [str(self.source.read(questions[i].token)) for i in run]
            symbols = [
                (self._source_symbols(form), self._target_symbols(value)) for form, value in pairs
            ]
            given = self.model.ops.xp.asarray(contexts[run])
            sources = self._sources([source for source, _ in symbols], given)
            targets = [self._target_numbers(target, source) for source, target in symbols]
            found = align(self.model, sources, targets)
            for (form, value), own, (source, target), weights in zip(
                pairs, own_forms, symbols, found, strict=True
            ):
                characters = None if self.cfg["writes_lists"] else target
                merged = by_character(weights, source, characters)
                if own != form:
                    merged = in_own_characters(merged, own)
                yield Alignment(tuple(own), tuple(value), merged)
