"""A pipeline that is loaded once in a process, and applied to texts."""

from __future__ import annotations

import os
from contextlib import nullcontext
from functools import lru_cache
from threading import Lock

import pyarrow

from ..results.explanation import CONTRIBUTIONS
from .document_columns import DocumentColumns, Wanted, find_attentive
from .model_source import ModelSource

# With such a text is found out what a pipeline gives.
_SAMPLE = "A text."
# So many distinct words are kept with what the tokenizer knows of them. Those that come later are
# forgotten with the documents they occur in, so that memory hardly grows with the number of
# documents. Of each, 16 to 32 bytes stay in the table in which spaCy looks up words.
_KEPT_WORDS = 50_000


class LoadedPipeline:
    """A pipeline in this process, with the columns that are made of its documents.

    Args:
        source: Where it comes from.
        component: Name of the component that is asked.
        wanted: Which columns are wanted.
        exclusive: Whether labels exclude one another, of a component that does not say it.

    Attributes:
        nlp: The pipeline.
        columns: What makes columns of documents.
        lock: To be held while it is applied, since spaCy's pipelines are not for several threads.

    Raises:
        ValueError: If the pipeline does not give what is wanted.
    """

    def __init__(
        self, source: ModelSource, component: str | None, wanted: Wanted, exclusive: bool = False
    ) -> None:
        self.nlp = source.load()
        self.lock = Lock()
        if wanted.contributions:
            attentive = find_attentive(self.nlp, component)
            attentive.contributions_attr = attentive.contributions_attr or CONTRIBUTIONS
        try:
            docs = list(self.nlp.pipe([_SAMPLE]))
        except Exception as error:
            raise ValueError(
                f"The pipeline {source} cannot be applied to the text {_SAMPLE!r}: "
                f"{type(error).__name__}: {error}"
            ) from error
        sample = [label for doc in docs for label in doc.cats]
        self.columns = DocumentColumns(self.nlp, component, wanted, sample, exclusive)
        self._n_words = len(self.nlp.vocab.strings)

    def apply(self, texts: list[str]) -> tuple[pyarrow.Table, int]:
        """Return the columns for some texts, a row for each, and the number of their tokens.

        They go through as one batch.

        Raises:
            ValueError: If the pipeline leaves out documents, or as `DocumentColumns.make`.
            Exception: Whatever a component raises.
        """
        n_new = len(self.nlp.vocab.strings) - self._n_words
        with nullcontext() if n_new < _KEPT_WORDS else self.nlp.memory_zone():
            docs = list(self.nlp.pipe(texts, batch_size=len(texts)))
            if len(docs) != len(texts):
                raise ValueError("the pipeline leaves this document out")
            return self.columns.make(docs), sum(map(len, docs))


# Annotators that are sent to a worker again and again, with each part of the data, find it here.
load_once = lru_cache(maxsize=2)(LoadedPipeline)

# A forked worker loads its own: it would inherit locks that nobody in it gives back.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=load_once.cache_clear)
