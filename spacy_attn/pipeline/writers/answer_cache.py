"""A bounded cache of what a model has answered."""

from collections.abc import Hashable, Iterable
from hashlib import blake2b
from typing import Any

import numpy
from numpy.typing import NDArray

from .dictionary import Counts, Target

# Form, choices with their counts, and a digest of the context: what answers of one model and one
# search depend on.
Key = tuple[str, tuple[tuple[Target, int], ...] | None, bytes]


def make_key(form: str, choices: Counts | None, context: NDArray[numpy.float32]) -> Key:
    """Return what an answer is kept under. A context of any width takes 16 bytes."""
    counted = None if choices is None else tuple(choices.items())
    return form, counted, blake2b(context.tobytes(), digest_size=16).digest()


class AnswerCache:
    """Keeps the latest answers. Copied or pickled, it is empty.

    Args:
        max_size: How many are kept.
    """

    def __init__(self, max_size: int) -> None:
        self.max_size = max_size
        self._answers: dict[Key, Target] = {}
        self._settings: Hashable = None

    def __len__(self) -> int:
        return len(self._answers)

    def use(self, settings: Hashable) -> None:
        """Forget answers that were found with other settings of a search, or another dictionary."""
        if settings != self._settings:
            self.clear()
            self._settings = settings

    def find(self, keys: Iterable[Key]) -> dict[Key, Target]:
        """Return the answers that are kept, of some keys."""
        # Another thread may make it forget one at any time.
        found = ((key, self._answers.get(key)) for key in keys)
        return {key: answer for key, answer in found if answer is not None}

    def keep(self, answers: dict[Key, Target]) -> None:
        """Keep the latest answers, and forget the oldest beyond what is allowed."""
        for key, answer in answers.items():
            self._answers.pop(key, None)
            self._answers[key] = answer
        n_beyond = len(self._answers) - self.max_size
        if n_beyond > 0:
            # Another thread may add some at any time, which iterating would not allow.
            for key in list(self._answers)[:n_beyond]:
                self._answers.pop(key, None)

    def clear(self) -> None:
        """Forget all."""
        self._answers.clear()

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.max_size,)
