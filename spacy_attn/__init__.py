"""Text classification for spaCy with a bidirectional LSTM and attention one can read."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .interpret.corpus_words.corpus import summarize_corpus
    from .interpret.corpus_words.pipeline_comparison import compare_pipelines
    from .interpret.counterfactuals import counterfactual
    from .interpret.live.serving import demo
    from .interpret.methods import explain
    from .interpret.show.pictures import render
    from .interpret.show.saving import save
    from .results.alignment import Alignment
    from .results.explanation import Explanation
    from .tables.annotator import Annotator

#: The version of spacy-attn.
__version__ = "0.1.0"
__all__ = [
    "Alignment",
    "Annotator",
    "Explanation",
    "__version__",
    "compare_pipelines",
    "counterfactual",
    "demo",
    "explain",
    "render",
    "save",
    "summarize_corpus",
]

# Imported at their first use: `import spacy_attn` alone loads neither spaCy nor torch.
_WHERE = {
    "Alignment": ".results.alignment",
    "Annotator": ".tables.annotator",
    "Explanation": ".results.explanation",
    "compare_pipelines": ".interpret.corpus_words.pipeline_comparison",
    "counterfactual": ".interpret.counterfactuals",
    "demo": ".interpret.live.serving",
    "explain": ".interpret.methods",
    "render": ".interpret.show.pictures",
    "save": ".interpret.show.saving",
    "summarize_corpus": ".interpret.corpus_words.corpus",
}


def __getattr__(name: str) -> Any:
    if name in _WHERE:
        return getattr(import_module(_WHERE[name], __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
