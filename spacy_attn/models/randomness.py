"""The random numbers of Python, NumPy and torch: kept, and made anew for one process."""

import contextlib
import random
from collections.abc import Iterator
from typing import Any

import numpy
import torch
from thinc.api import fix_random_seed

# Those of GPUs are left out: nothing but the dropout of a process draws them.
_States = tuple[Any, Any, torch.Tensor]


def _states() -> _States:
    return random.getstate(), numpy.random.get_state(), torch.get_rng_state()


def _set_states(states: _States) -> None:
    of_python, of_numpy, of_torch = states
    random.setstate(of_python)
    numpy.random.set_state(of_numpy)
    torch.set_rng_state(of_torch)


@contextlib.contextmanager
def same_randomness_afterwards() -> Iterator[None]:
    """Have what comes later draw the random numbers that it would draw without this."""
    states = _states()
    try:
        yield
    finally:
        _set_states(states)


class OwnRandomness:
    """Random numbers that one process draws for itself, beside those that all draw alike.

    Args:
        seed: What they follow from.
    """

    def __init__(self, seed: int) -> None:
        with same_randomness_afterwards():
            fix_random_seed(seed)
            self._own = _states()

    @contextlib.contextmanager
    def drawn(self) -> Iterator[None]:
        """Have them drawn."""
        with same_randomness_afterwards():
            _set_states(self._own)
            yield
            self._own = _states()
