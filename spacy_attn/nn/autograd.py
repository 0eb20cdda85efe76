"""Gradients, whatever the caller has set."""

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def with_gradients() -> Iterator[None]:
    """Make tensors that can have gradients, also inside `torch.no_grad` and `inference_mode`.

    For this thread alone. Also a decorator of functions: `@with_gradients()`.
    """
    with torch.inference_mode(False), torch.enable_grad():
        yield
