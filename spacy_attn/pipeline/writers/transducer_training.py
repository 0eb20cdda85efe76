"""How `attn_lemmatizer` and `attn_transducer` learn pairs of strings, and their dictionary."""

import math
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example, validate_get_examples
from thinc.types import Floats2d

from ...models.attention_decoder import Sources, can_copy
from ...models.weights import is_initialized
from ..vocabularies import is_streamed, set_vocabularies
from .characters import CAPITALS, in_capitals, to_symbols
from .dictionary import Dictionary, Target
from .token_attributes import EMPTY, TokenAttribute
from .writer import WriterMixin

# The parts of speech of Universal Dependencies, which context can learn to tell.
_UNIVERSAL_POS = (
    *("ADJ", "ADP", "ADV", "AUX", "CCONJ", "DET", "INTJ", "NOUN", "NUM"),
    *("PART", "PRON", "PROPN", "PUNCT", "SCONJ", "SYM", "VERB", "X"),
)


class _Lesson(NamedTuple):
    """A token to learn from: its place in its document, and what it is and should become."""

    place: int
    form: str
    pos: str
    target: Target


class TransducerTrainingMixin(WriterMixin):
    """Learns pairs of strings of tokens, and keeps a dictionary of them."""

    source: TokenAttribute
    target: TokenAttribute
    dictionary: Dictionary
    underscore: bool
    keep_long: bool
    max_length: int
    pos_loss: float
    label_smoothing: float
    capitals: float

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
        extend: bool = False,
    ) -> None:
        """Learn the dictionary and the symbols, and make new weights.

        Args:
            get_examples: Returns all examples to learn from.
            nlp: The pipeline.
            extend: Whether to keep the weights and the dictionary of a component that was trained,
                and add to them what is new in the examples.

        Raises:
            ValueError: If no token of the examples has a value to learn, if some values are strings
                and others are lists, or if a list holds an empty string.
        """
        validate_get_examples(get_examples, f"{type(self).__name__}.initialize")
        if is_streamed(nlp):
            warnings.warn(
                f"Component '{self.name}' learns its dictionary and its symbols from the first "
                f"documents of a streamed corpus only. Set [training] max_epochs to 0 or more.",
                stacklevel=4,
            )
        extend = extend and is_initialized(self.model)
        if not extend:
            set_vocabularies(self, get_examples, nlp, None)
        self._check_annotated(get_examples())
        pairs = self._count_pairs(get_examples())
        writes_lists = self._check_pairs(pairs, extend)
        if not extend:
            self.dictionary = Dictionary()
            self.cfg["lang"] = self.vocab.lang
        for (form, pos, target), count in pairs.items():
            self.dictionary.add(form, pos, target, count)
        self.cfg["writes_lists"] = writes_lists
        sequences = [
            (self._source_symbols(form), self._target_symbols(target)) for form, _, target in pairs
        ]
        lengths = [(len(source), len(target)) for source, target in sequences]
        self._learn_symbols(
            lengths, self._count_symbols(sequences), get_examples, len(_UNIVERSAL_POS), extend
        )
        self._forget()

    def _check_annotated(self, examples: Iterable[Example]) -> None:
        """Refuse documents none of which has a value: a norm reads as one that nobody has set."""
        if not any(any(self.target.has_values(example.reference)) for example in examples):
            raise ValueError(
                f"Component '{self.name}': no token of the training data has a value of "
                f"'{self.target.path}' to learn. Annotate it, or set 'target'. A DocBin stores an "
                f"attribute of your own with store_user_data=True only."
            )

    def _check_pairs(self, pairs: Iterable[tuple[str, str, Target]], extend: bool) -> bool:
        """Check what is to be learned, and return whether it is lists."""
        if not pairs:
            raise ValueError(
                f"Component '{self.name}': no token of the training data that has a value of "
                f"'{self.target.path}' can be learned from. It needs one of '{self.source.path}', "
                f"which is read. Neither may have more than 'max_length' characters, "
                f"{self.max_length}. A value '{EMPTY}' is missing for a form '{EMPTY}', and with "
                f"underscore = false everywhere."
            )
        kinds = {isinstance(target, tuple) for _, _, target in pairs}
        if extend:
            kinds.add(self.cfg["writes_lists"])
        if len(kinds) > 1:
            raise ValueError(
                f"Component '{self.name}': some values of '{self.target.path}' are strings, and "
                f"others are lists of strings. Make all of them strings, or all of them lists."
            )
        for form, _, target in pairs:
            if isinstance(target, tuple) and "" in target:
                raise ValueError(
                    f"Component '{self.name}': the value of '{self.target.path}' for {form!r:.80} "
                    f"has an empty string in its list. Leave it out."
                )
        return kinds.pop()

    def _count_pairs(self, examples: Iterable[Example]) -> Counter[tuple[str, str, Target]]:
        """Count forms, parts of speech and targets, and say what is left out."""
        pairs: Counter[tuple[str, str, Target]] = Counter()
        n_long = 0
        for example in examples:
            for lesson in self._lessons(example, as_annotated=True):
                if self._is_long(lesson):
                    n_long += 1
                else:
                    pairs[lesson.form, lesson.pos, lesson.target] += 1
        if n_long:
            warnings.warn(
                f"Component '{self.name}' does not learn from {n_long} tokens that are longer than "
                f"'max_length', {self.max_length} characters, or have a longer value.",
                stacklevel=5,
            )
        return pairs

    def _count_symbols(self, sequences: Sequence[tuple[list[str], list[str]]]) -> dict[str, int]:
        """Count the symbols that the model is to know.

        One that was seen once, and can be copied, is left out. So the model learns to copy those
        that it does not know.
        """
        # Not of sets: the order of strings in these is another one in each process.
        counts = Counter(
            symbol for source, target in sequences for symbol in dict.fromkeys([*source, *target])
        )
        learned: dict[str, int] = counts
        if can_copy(self.model):
            learned = self._without_single(sequences, counts)
        # Training itself puts forms in capitals.
        return {**learned, CAPITALS: counts[CAPITALS] + 1} if self.capitals else learned

    def _without_single(
        self, sequences: Sequence[tuple[list[str], list[str]]], counts: Counter[str]
    ) -> dict[str, int]:
        written = {symbol for source, target in sequences for symbol in {*target} - {*source}}
        return {each: n for each, n in counts.items() if n > 1 or each in written}

    def _is_long(self, lesson: _Lesson) -> bool:
        """Return whether learning something would take more memory than is allowed."""
        return max(len(lesson.form), len(lesson.target)) > self.max_length

    def _keeps(self, form: str) -> bool:
        """Return whether a form that is not known is kept as it is."""
        if form.isspace() or form == EMPTY or len(form) > self.max_length:
            return True
        return self.keep_long and self.dictionary.keeps(form)

    def _lessons(self, example: Example, as_annotated: bool = False) -> Iterator[_Lesson]:
        """Yield the tokens that have one annotated value.

        Where a component before this one sets what is read, it has not run yet at initialization.
        Then the annotated token may have it.
        """
        alignment = example.alignment.x2y
        indices, start = alignment.data.tolist(), 0
        n_sharing = Counter(indices)
        for token, n_aligned in zip(example.predicted, alignment.lengths.tolist(), strict=True):
            aligned = indices[start : start + n_aligned]
            start += n_aligned
            if len(aligned) != 1 or n_sharing[aligned[0]] != 1:
                continue
            annotated = example.reference[aligned[0]]
            given = token
            if as_annotated and not self.source.has_value(token):
                given = annotated
            form, target = self.source.read(given), self.target.read(annotated)
            if not isinstance(form, str) or not form or form.isspace() or target is None:
                continue
            if not self._is_missing(form, target):
                yield _Lesson(token.i, form, annotated.pos_, target)

    def _is_missing(self, form: str, target: Target) -> bool:
        """Return whether a value says that there is none."""
        return target == EMPTY and (not self.underscore or form == EMPTY)

    def _check_examples(self, examples: list[Example]) -> None:
        """Warn where no component has set what is read. Prediction would find nothing either."""
        if self._can_read(example.predicted for example in examples):
            return
        if self._can_read(example.reference for example in examples):
            warnings.warn(
                f"Component '{self.name}' learns nothing from a batch: the annotated tokens have "
                f"'{self.source.path}', which it reads, and the predicted ones do not. Name the "
                f"component that sets it in [training] annotating_components.",
                stacklevel=5,
            )

    def _can_read(self, docs: Iterable[Doc]) -> bool:
        return any(self.source.read(token) for doc in docs for token in doc)

    def _backpropagate(self, examples: list[Example]) -> float:
        docs = [example.predicted for example in examples]
        starts = numpy.cumsum([0, *map(len, docs)]).tolist()
        lessons, rows = [], []
        for start, example in zip(starts, examples, strict=False):
            for lesson in self._drawn(example):
                lessons.append(lesson)
                rows.append(start + lesson.place)
        return self._teach_tokens(docs, rows, partial(self._learn_lessons, lessons))

    def _drawn(self, example: Example) -> Iterator[_Lesson]:
        """Yield each lesson that training has n times with a probability of (1 + ln n) / n.

        So frequent ones do not take all the time.
        """
        for lesson in self._lessons(example):
            n = max(1, self.dictionary.count(lesson.form, lesson.target))
            # A form that is kept takes time, and teaches nothing that is asked for.
            is_kept = self._keeps(lesson.form) or self._is_long(lesson)
            if not is_kept and numpy.random.random() * n < 1.0 + math.log(n):
                yield self._maybe_in_capitals(lesson)

    def _maybe_in_capitals(self, lesson: _Lesson) -> _Lesson:
        """Return a lesson, now and then with its form in capitals, as in a headline."""
        if not self.capitals or numpy.random.random() >= self.capitals:
            return lesson
        form = in_capitals(lesson.form, self.cfg["lang"])
        # Another length: such a letter has no capital, as the German sharp s.
        return lesson._replace(form=form) if len(form) == len(lesson.form) else lesson

    def _learn_lessons(self, lessons: list[_Lesson], given: Floats2d) -> tuple[float, Floats2d]:
        sources = [self._source_symbols(lesson.form) for lesson in lessons]
        targets = [
            self._target_numbers(self._target_symbols(lesson.target), source)
            for lesson, source in zip(lessons, sources, strict=True)
        ]
        tags = [
            _UNIVERSAL_POS.index(lesson.pos) if lesson.pos in _UNIVERSAL_POS else -1
            for lesson in lessons
        ]
        return self._teach(
            self._sources(sources, given),
            targets,
            tags,
            tag_weight=self.pos_loss,
            label_smoothing=self.label_smoothing,
        )

    def _after_step(self) -> None:
        self._forget()

    def _forget(self) -> None:
        """Forget answers of the model that it was before."""
        raise NotImplementedError

    # Sequences

    def _source_symbols(self, form: str) -> list[str]:
        return to_symbols(form, self.cfg["lang"])

    def _target_symbols(self, target: Target) -> list[str]:
        return to_symbols(target, self.cfg["lang"]) if isinstance(target, str) else list(target)

    def _sources(self, sequences: Sequence[Sequence[str]], given: Floats2d) -> Sources:
        return Sources([self.symbols.source_numbers(sequence) for sequence in sequences], given)
