"""What the vectors of tokens depend on."""

from typing import Any

from thinc.api import Model

# The attributes of a layer that say so.
CONTEXT_FREE = "context_free"
SELF_CONTAINED = "self_contained"


def is_context_free(model: Model[Any, Any]) -> bool:
    """Whether the vector of a token depends on that token alone.

    Leaving a token out of a document then leaves one vector out, and the others as they are. Only
    layers that say so count: the embeddings of this package, and others with this attribute.
    """
    return bool(model.attrs.get(CONTEXT_FREE, False))


def is_self_contained(model: Model[Any, Any]) -> bool:
    """Whether vectors depend on texts and norms alone, and not on what other components found."""
    return bool(model.attrs.get(SELF_CONTAINED, False))
