"""The Hugging Face hub: whether it answers, what to do when it does not, what its errors mean."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from .errors import DatasetError, FileProblem

# What `datasets` says of empty files and of data sets that are programs, in several versions.
_HAS_NO_ROWS = ("corresponds to no data", "at least one example")
_NEEDS_SCRIPT = ("dataset scripts are no longer supported", "trust_remote_code")


def hub_answers() -> bool:
    """Ask the hub for any answer at all, once and without retries.

    `huggingface_hub` retries a connection that cannot be made for about half a minute. One request
    tells the same after milliseconds where the name is unknown or the connection refused, and
    after the time-out of `huggingface_hub` itself (10 seconds, `HF_HUB_ETAG_TIMEOUT`) where
    nothing comes back. Its own session is used, so that proxies and certificates count.

    Returns:
        False if no connection can be made. A hub that is connected but slow to answer counts as one
        that answers.
    """
    import datasets
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    try:
        get_session().head(datasets.config.HF_ENDPOINT, timeout=constants.HF_HUB_ETAG_TIMEOUT)
    except Exception as error:
        # The class depends on the version of huggingface_hub (requests, httpx), its name does not.
        return type(error).__name__ == "ReadTimeout"
    return True


@contextmanager
def offline_mode() -> Iterator[None]:
    """Keep `datasets` from any request within the block, and restore its own setting afterwards.

    Even for a local file it would make one, to count downloads, and wait some seconds for it on a
    machine without a network.
    """
    import datasets

    asked_for = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = asked_for


@contextmanager
def hub_or_cache() -> Iterator[bool]:
    """Let `datasets` use the hub if it answers, and nothing but its local cache otherwise.

    Yields:
        Whether the hub may be asked. If not, `datasets` is in its offline mode within the block, in
        which it looks at once for the copy of an earlier download.
    """
    import datasets

    if not datasets.config.HF_HUB_OFFLINE and hub_answers():
        yield True
    else:
        with offline_mode():
            yield False


@contextmanager
def explained(where: str) -> Iterator[None]:
    """Turn whatever `datasets` raises within the block into one readable sentence.

    Args:
        where: The data set and the split, the beginning of the sentence.

    Raises:
        DatasetError: With the original exception as its cause.
    """
    try:
        yield
    except (DatasetError, MemoryError):
        raise
    except Exception as error:
        raise DatasetError(f"{where}: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    import datasets
    from datasets.exceptions import DatasetNotFoundError

    text = str(error)
    if any(sign in text.lower() for sign in _NEEDS_SCRIPT):
        return (
            "it comes with a loading script, and this reader runs no code of a data set; look for "
            'a Parquet version of it, for example with revision = "refs/convert/parquet"'
        )
    if isinstance(error, ConnectionError):
        return (
            f"the Hugging Face hub ({datasets.config.HF_ENDPOINT}) cannot be reached and no copy "
            "of the data set is in the local cache; to work offline, set 'path' to a local file "
            "or to a folder written by save_to_disk"
        )
    if isinstance(error, DatasetNotFoundError):
        return (
            f"the Hugging Face hub shows no such data set ({_first_line(text)}); check 'path' and "
            "'revision', and log in with `hf auth login` if the data set is private or gated"
        )
    root: BaseException = error
    while root.__cause__ is not None:
        root = root.__cause__
    if isinstance(root, FileProblem):
        return str(root)
    if isinstance(root, StopIteration) or any(sign in str(root) for sign in _HAS_NO_ROWS):
        return "there is no row in it"
    return f"it cannot be read ({type(root).__name__}: {_first_line(str(root))})"


def _first_line(text: str) -> str:
    return text.strip().split(os.linesep, 1)[0].rstrip(".")
