"""A dictionary of forms that training has seen, with what each was mapped to, and how often."""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

import numpy
import srsly
from spacy.parts_of_speech import IDS
from spacy.strings import get_string_id

from .characters import (
    has_inner_sign,
    has_only_signs,
    n_inner_dashes,
    numbers,
    usual_spelling,
)
from .token_attributes import EMPTY

# What a form is mapped to: a string, or symbols.
Target = str | tuple[str, ...]
Counts = dict[Target, int]
# Whether a form and a target are alike; None where it does not apply to the form.
_Test = Callable[[str, str], bool | None]
# A target that is rarer among those of its form is taken for an error. In English-EWT, two of three
# tokens with several lemmas have one such, and of 25,147 validation tokens 5 have a rarer lemma.
_LEAST_SHARE = 0.002
# Long forms are kept if, of the forms that are longer than all but so few that change, there are
# at least so many, and at least so large a share is kept. These are addresses, not words.
_SHARE_OF_CHANGED, _LEAST_LONG, _SHARE_OF_KEPT = 0.999, 20, 0.9
# Otherwise those are kept that are longer by so many characters than any that training had: of
# these, the model has learned nothing.
_FURTHER = 10
# What holds for so large a share of the forms that it is about is a rule.
_SHARE_OF_RULE = 0.8


class _Rules(NamedTuple):
    """What training has done to forms.

    Attributes:
        longest: The number of characters of the longest forms that may change.
        tests: What a form and its target have in common, where a test is not None.
        has_names: Whether targets of names have capitals.
    """

    longest: float
    tests: tuple[_Test, ...]
    has_names: bool


class Dictionary:
    """Counts targets by form, and by form and part of speech.

    Forms are looked up by their ids, which are the same in all of spaCy's string stores. One that
    was not seen may be the usual spelling of one that was.
    """

    def __init__(self) -> None:
        self._entries: Counter[tuple[str, str, Target]] = Counter()
        self._targets: set[Target] = set()
        self._by_form: dict[int, Counts] = {}
        self._by_pos: dict[tuple[int, int], Counts] = {}
        # What was seen in another than the usual spelling, in the usual one.
        self._respelled: Dictionary | None = None
        self._found: _Rules | None = None

    def __len__(self) -> int:
        return len(self._by_form)

    def __iter__(self) -> Iterator[tuple[str, str, Target, int]]:
        """Yield forms, parts of speech, targets and counts."""
        for (form, pos, target), count in self._entries.items():
            yield form, pos, target, count

    def add(self, form: str, pos: str, target: Target, count: int = 1) -> None:
        """Count a form, a part of speech ("" for none), and what the form is mapped to."""
        self._entries[form, pos, target] += count
        self._targets.add(target)
        self._found = None
        key = get_string_id(form)
        of_form = self._by_form.setdefault(key, {})
        of_pos = self._by_pos.setdefault((key, IDS[pos]), {})
        of_pos[target] = of_pos.get(target, 0) + count
        # In Universal Dependencies, "_" of an X is the lemma of the second part of a word that was
        # written apart by mistake. Elsewhere, the same form is a word.
        if (pos, target) != ("X", EMPTY):
            of_form[target] = of_form.get(target, 0) + count
        usual = usual_spelling(form)
        if usual != form:
            self._respelled = self._respelled or Dictionary()
            self._respelled.add(usual, pos, target, count)

    def find(self, form: int, pos: int | None = None, or_form: bool = True) -> Counts | None:
        """Return what a form is mapped to, and how often; None for one that was not seen.

        Of a form that was a part of another one alone, there is nothing.

        Args:
            form: Its id.
            pos: The part of speech. None looks up the form alone.
            or_form: Whether to look that up, too, where the two were not seen together.
        """
        if self._respelled and form not in self._by_form:
            return self._respelled.find(form, pos, or_form)
        found = None if pos is None else self._by_pos.get((form, pos))
        return self._by_form.get(form) if found is None and (pos is None or or_form) else found

    def keeps(self, form: str) -> bool:
        """Return whether a form is kept because of its length.

        Training kept nearly all forms that are so long, or it is much longer than any that training
        had. Where forms are mapped to lists, none is kept.
        """
        return len(form) > self._rules.longest

    def breaks_rule(self, form: str, target: str) -> bool:
        """Return whether a form and a target differ in what training has kept as a rule.

        A number must not become another one, an address no other address, and a part of a name
        with dashes must not get lost.
        """
        if form.isalpha():
            return False
        return any(test(form, target) is False for test in self._rules.tests)

    def is_name(self, target: Target) -> bool:
        """Return whether a new target, written for a form with a capital, may be that of a name."""
        return target not in self._targets and self._rules.has_names

    @property
    def _rules(self) -> _Rules:
        if self._found is None:
            pairs = {(form, target) for form, _, target, _ in self if isinstance(target, str)}
            self._found = _find_rules(pairs)
        return self._found

    @property
    def n_targets(self) -> int:
        """How many different targets there are."""
        return len(self._targets)

    @property
    def targets(self) -> Iterator[Target]:
        """All that forms are mapped to."""
        return iter(self._targets)

    def count(self, form: str, target: Target) -> int:
        """Return how often a form was mapped to a target."""
        return self._by_form.get(get_string_id(form), {}).get(target, 0)

    def to_bytes(self) -> bytes:
        """Store it."""
        return srsly.msgpack_dumps([list(entry) for entry in self])

    @classmethod
    def from_bytes(cls, data: bytes) -> "Dictionary":
        """Load what `to_bytes` has stored.

        Raises:
            ValueError: If it is something else.
        """
        dictionary = cls()
        for entry in srsly.msgpack_loads(data):
            form, pos, target, count = _checked(entry)
            dictionary.add(form, pos, target, count)
        return dictionary


def without_rare(counts: Counts) -> Counts:
    """Return the targets that are more than errors of annotation beside the others."""
    if len(counts) == 1:
        return counts
    # Where all are rare, the most frequent ones stay.
    least = min(_LEAST_SHARE * sum(counts.values()), max(counts.values()))
    return {target: count for target, count in counts.items() if count >= least}


def most_frequent(counts: Counts) -> Target:
    """Return the target that was counted most often, of several the first one."""
    return max(counts, key=counts.__getitem__)


def _checked(entry: Any) -> tuple[str, str, Target, int]:
    form, pos, target, count = entry
    if isinstance(target, list):
        target = tuple(target)
    symbols = target if isinstance(target, tuple) else (target,)
    if not (
        all(isinstance(text, str) for text in (form, *symbols))
        and pos in IDS
        and isinstance(count, int)
        and count > 0
    ):
        raise ValueError(f"an entry must have texts and a count, but is {entry!r:.100}")
    return form, pos, target, count


def _find_rules(pairs: set[tuple[str, str]]) -> _Rules:
    if not pairs:
        return _Rules(math.inf, (), has_names=False)
    changed = [len(form) for form, target in pairs if form != target]
    longest = int(numpy.quantile(changed or [0], _SHARE_OF_CHANGED, method="lower"))
    kept = [form == target for form, target in pairs if len(form) > longest]
    is_rule = len(kept) >= _LEAST_LONG and sum(kept) >= _SHARE_OF_KEPT * len(kept)
    if not is_rule:
        longest = max(len(form) for form, _ in pairs) + _FURTHER
    tests = (_same_numbers, _same_address, _same_signs, _same_dashes)
    # None of them applies to a form of letters alone, as most are.
    others = [pair for pair in pairs if not pair[0].isalpha()]
    rules = tuple(test for test in tests if _is_rule(test, others))
    return _Rules(longest, rules, _have_capitals(pairs))


def _have_capitals(pairs: set[tuple[str, str]]) -> bool:
    """Return whether more targets than not have a capital, of forms that may be names."""
    words = {text for pair in pairs for text in pair if not pair[0][:1].isupper()}
    found = [
        target[:1].isupper()
        for form, target in pairs
        if form[:1].isupper() and words.isdisjoint((form.lower(), target.lower()))
    ]
    return 2 * sum(found) > len(found)


def _same_numbers(form: str, target: str) -> bool | None:
    """Return whether two have the same numbers; None if the form has none."""
    return found == numbers(target) if (found := numbers(form)) else None


def _same_address(form: str, target: str) -> bool | None:
    """Return whether two are the same but for capitals; None if the form has no sign inside."""
    return form.casefold() == target.casefold() if has_inner_sign(form) else None


def _same_signs(form: str, target: str) -> bool | None:
    """Return whether two are the same; None if the form has letters or digits."""
    return form == target if has_only_signs(form) else None


def _same_dashes(form: str, target: str) -> bool | None:
    """Return whether two have as many dashes inside; None if the form has none."""
    return found == n_inner_dashes(target) if (found := n_inner_dashes(form)) else None


def _is_rule(test: _Test, pairs: Iterable[tuple[str, str]]) -> bool:
    found = [same for form, target in pairs if (same := test(form, target)) is not None]
    return bool(found) and sum(found) >= _SHARE_OF_RULE * len(found)
