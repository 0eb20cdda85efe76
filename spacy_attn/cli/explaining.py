"""What the commands that explain have in common: the pipeline, its component, and texts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

from spacy import util
from spacy.language import Language
from spacy.tokens import Doc

from ..explanation import CONTRIBUTIONS, Explanation
from ..pipeline.attention_categorizer import AttentionCategorizerMixin

# So many documents are explained at once.
BATCH_SIZE = 64


class Explainer:
    """A pipeline of which one component explains documents.

    RAISES: OSError if the pipeline cannot be loaded. ValueError if it has no such component, or
        several and none is named.
    """

    def __init__(self, model: str, component: str | None = None) -> None:
        """Load a pipeline.

        model: Its name or folder.
        component: The name of the component; may be left out where there is one.
        """
        self.nlp: Language = util.load_model(model)
        self.name = self._find(model, component)
        # The components from this one on are not needed to explain it.
        later = self.nlp.pipe_names[self.nlp.pipe_names.index(self.name) :]
        self.component = cast(AttentionCategorizerMixin, self.nlp.get_pipe(self.name))
        self.nlp.select_pipes(disable=later)

    def explain(
        self, texts: Iterable[str | Doc], method: str = CONTRIBUTIONS
    ) -> Iterator[Explanation]:
        """Explain texts, or documents that the tokenizer has made, in batches.

        RAISES: ValueError for an unknown method.
        """
        if method != CONTRIBUTIONS:
            raise ValueError(f"There is no method '{method}'; there is '{CONTRIBUTIONS}'.")
        for docs in util.minibatch(self.nlp.pipe(texts, batch_size=BATCH_SIZE), BATCH_SIZE):
            yield from self.component.explain(docs)

    def _find(self, model: str, wanted: str | None) -> str:
        names = [
            name
            for name, component in self.nlp.pipeline
            if isinstance(component, AttentionCategorizerMixin)
        ]
        known = ", ".join(map(repr, names))
        if not names:
            raise ValueError(
                f"The pipeline '{model}' has no component that classifies with attention, such as "
                f"'attn_textcat'; it has {', '.join(map(repr, self.nlp.pipe_names)) or 'none'}."
            )
        if wanted is None and len(names) > 1:
            raise ValueError(f"Choose one of the components {known} with --component.")
        if wanted is not None and wanted not in names:
            raise ValueError(
                f"No component '{wanted}' classifies with attention in '{model}'; there is {known}."
            )
        return wanted or names[0]
