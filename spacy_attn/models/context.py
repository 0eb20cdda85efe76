"""Whether an embedding layer looks at one token at a time."""

from typing import Any

from thinc.api import Model

# The attribute of a layer that says so.
CONTEXT_FREE = "context_free"


def is_context_free(model: Model[Any, Any]) -> bool:
    """Whether the vector of a token depends on that token alone.

    Leaving a token out of a document then leaves one vector out, and the others as they are. Only
    layers that say so count: the embeddings of this package, and others with this attribute.
    """
    return bool(model.attrs.get(CONTEXT_FREE, False))
