"""`python -m spacy attn init-words`: the vocabulary of a whole corpus, for streamed training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import srsly
import typer
from spacy import util
from spacy.cli._util import Arg
from spacy.schemas import ConfigSchemaTraining
from spacy.training.initialize import resolve_dot_names
from wasabi import msg

from ..models.embeddings.vocabulary import learn_vocabulary
from ..pipeline.finding import find_components
from ..pipeline.vocabularies import word_embeddings
from ..text_files import write_text
from .console import fail, failing, load_code, progress, read_overrides
from .options import CodePath


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

    [initialize.components.attn_textcat]

    [initialize.components.attn_textcat.words]

    @readers = "spacy.read_labels.v1"

    path = "OUTPUT_DIR/attn_textcat.json"
    """
    overrides = read_overrides(ctx)
    load_code(code_path)
    with failing(f"Can't use the config '{config_path}'", config_path):
        config = util.load_config(config_path, overrides=overrides, interpolate=True)
        nlp = util.load_model_from_config(config)
        settings = util.registry.resolve(config["training"], schema=ConfigSchemaTraining)
        (corpus,) = resolve_dot_names(config, [settings["train_corpus"]])
    nlp._link_components()
    embeddings = {
        name: found
        for name, component in find_components(nlp).items()
        if (found := word_embeddings(component, nlp))
    }
    if not embeddings:
        fail("No component of the pipeline has an embedding of whole words")
    for name, found in embeddings.items():
        if len(found) > 1:
            fail(f"Component '{name}' has {len(found)} embeddings of whole words")
        path = output_dir / f"{name}.json"
        with failing(f"Can't learn the words of component '{name}'"):
            examples = progress(corpus(nlp), name=name)
            learn_vocabulary(found[0], (example.predicted for example in examples))
            words = list(found[0].attrs["vocabulary"].words)
            write_text(path, srsly.json_dumps(words, indent=2))
        msg.good(f"Saved {len(words)} words for component '{name}' to {path}")
