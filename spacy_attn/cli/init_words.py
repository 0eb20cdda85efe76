"""`python -m spacy attn init-words`: the vocabulary of a whole corpus, for streamed training."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import srsly
import typer
from spacy import util
from spacy.cli._util import Arg, parse_config_overrides
from spacy.language import Language
from spacy.schemas import ConfigSchemaTraining
from spacy.training.initialize import resolve_dot_names
from wasabi import msg

from ..models.embeddings.vocabulary import learn_vocabulary
from ..pipeline.component import AttentionCategorizer
from ..pipeline.pipes import find_components
from ..pipeline.vocabularies import word_embeddings
from ..text_files import write_text
from .console import fail, failing, load_code
from .options import CodePath
from .progress import progress


def init_words_cli(
    ctx: typer.Context,  # This is only used to read the overrides
    config_path: Annotated[Path, Arg(help="Path to config file", exists=True, dir_okay=False)],
    output_dir: Annotated[Path, Arg(help="Directory to write to", file_okay=False)],
    code_path: CodePath = None,
) -> None:
    """
    Write the vocabulary of each component that embeds whole words, learned from
    the whole training corpus, as OUTPUT_DIR/COMPONENT.json. Where the corpus is
    streamed (max_epochs = -1), training sees its first documents only when it
    starts; name the file in the config instead:

    [initialize.components.attn_textcat.words]

    @readers = "spacy.read_labels.v1"

    path = "OUTPUT_DIR/attn_textcat.json"
    """
    overrides = parse_config_overrides(ctx.args)
    load_code(code_path)
    init_words(config_path, output_dir, overrides=overrides)


def init_words(
    config_path: Path,
    output_dir: Path,
    *,
    overrides: Mapping[str, Any] = util.SimpleFrozenDict(),
) -> None:
    """Write the words of the training corpus of a config, a JSON list for each component.

    Ends the process with a message on the standard error and status 1 if the config or the data
    cannot be used.

    Args:
        config_path: The training config.
        output_dir: Where to write `COMPONENT.json`.
        overrides: Settings to replace in the config.
    """
    with failing(f"Can't use the config '{config_path}'", config_path):
        config = util.load_config(config_path, overrides=dict(overrides), interpolate=True)
        nlp = util.load_model_from_config(config)
        settings = util.registry.resolve(config["training"], schema=ConfigSchemaTraining)
        (corpus,) = resolve_dot_names(config, [settings["train_corpus"]])
    nlp._link_components()
    components = {
        name: component
        for name, component in find_components(nlp).items()
        if word_embeddings(component, nlp)
    }
    if not components:
        fail("No component of the pipeline has an embedding of whole words")
    for name, component in components.items():
        path = output_dir / f"{name}.json"
        with failing(f"Can't learn the words of component '{name}'"):
            words = _learn_words(nlp, name, component, corpus)
            write_text(path, srsly.json_dumps(words, indent=2))
        msg.good(f"Saved {len(words)} words for component '{name}' to {path}")


def _learn_words(
    nlp: Language, name: str, component: AttentionCategorizer, corpus: Any
) -> list[str]:
    embeddings = word_embeddings(component, nlp)
    if len(embeddings) > 1:
        fail(f"Component '{name}' has {len(embeddings)} embeddings of whole words")
    examples = progress(corpus(nlp), name=name)
    learn_vocabulary(embeddings[0], (example.predicted for example in examples))
    return list(embeddings[0].attrs["vocabulary"].words)
