"""The Hugging Face hub: whether it answers, and how `datasets` is kept from asking it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


def hub_answers() -> bool:
    """Ask the hub for any answer at all, once and without retries.

    `huggingface_hub` itself retries for about half a minute. One request tells the same after
    milliseconds where the name is unknown or the connection is refused. Where nothing comes back,
    it takes the time-out of `huggingface_hub` (10 seconds, `HF_HUB_ETAG_TIMEOUT`). The session is
    that of `huggingface_hub`, so that proxies and certificates count.

    Returns:
        False if no connection can be made. A hub that is slow to answer counts as one that answers.
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
    """Keep `datasets` from any request within the block.

    Even for a local file it would make one, to count downloads. Without a network, it would wait
    some seconds for that.
    """
    import datasets

    asked_for = datasets.config.HF_HUB_OFFLINE
    datasets.config.HF_HUB_OFFLINE = True
    try:
        yield
    finally:
        datasets.config.HF_HUB_OFFLINE = asked_for
