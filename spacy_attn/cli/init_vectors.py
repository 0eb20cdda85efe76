"""`python -m spacy attn init-vectors`: word vectors out of an encoder, as a pipeline."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import spacy
from spacy.cli._util import Arg, Opt, setup_gpu
from spacy.language import Language
from spacy.tokens import Doc
from wasabi import msg

from ..distill.transformers_models import Precision
from ..distill.word_means import Attribute
from ..distill.word_table import Storage
from . import options as opt
from .console import failing, load_code, progress

if TYPE_CHECKING:
    from ..distill.word_means import WordEncoder


def init_vectors_cli(
    model: Annotated[
        str,
        Arg(
            help="'hf:' and an encoder of transformers, which may be fine-tuned; or 'model2vec:' "
            "and a model of model2vec. Its name on the hub, or its folder"
        ),
    ],
    data: opt.Data,
    output: Annotated[Path, Arg(help="Folder of the pipeline with the vectors", file_okay=False)],
    texts: Annotated[
        list[str] | None,
        Opt("--texts", help="Another data set of texts. May be given several times"),
    ] = None,
    split: opt.Split = None,
    text_column: opt.TextColumn = None,
    settings: opt.ReaderSettings = None,
    lang: Annotated[str, Opt("--lang", "-l", help="Language of the texts")] = "en",
    layer: Annotated[
        int | None,
        Opt("--layer", help="Layer of the encoder, 0 for its embeddings. By default at 2/3"),
    ] = None,
    width: Annotated[int, Opt("--width", min=1, help="Width of the vectors")] = 256,
    max_size: Annotated[
        int,
        Opt(
            "--max-size",
            min=1,
            help="How many words have vectors at most: the most frequent ones of the texts, then "
            "those of the encoder's vocabulary",
        ),
    ] = 20_000,
    attr: Annotated[
        Attribute, Opt("--attr", help="What tells words apart: ORTH, or LOWER whatever their case")
    ] = "LOWER",
    storage: Annotated[
        Storage, Opt("--storage", help="float32 is twice as large, for layers of spaCy's own")
    ] = "float16",
    precision: Annotated[
        Precision | None,
        Opt("--precision", help="What the encoder computes with. By default the faster one"),
    ] = None,
    gpu_id: opt.GpuId = -1,
    code_path: opt.CodePath = None,
) -> None:
    """
    Make word vectors of what an encoder knows. The vector of a word is the mean
    of what a layer of it makes of the word wherever that occurs in the texts.
    Then name the folder in a training:

    python -m spacy train configs/vectors.cfg --paths.vectors OUTPUT
    """
    load_code(code_path)
    with failing("Can't make the vectors"):
        setup_gpu(gpu_id, silent=True)
        # Not imported for other commands.
        from ..distill.word_means import WordMeans, whole_words
        from ..distill.word_table import set_table

        device = "cpu" if gpu_id < 0 else f"cuda:{gpu_id}"
        encoder = _find_encoder(model, layer, precision, device)
        # A folder that cannot be made is known of before the texts are read.
        output.parent.mkdir(parents=True, exist_ok=True)
        nlp = spacy.blank(lang)
        options = opt.DataOptions(split, text_column, settings=settings)
        means = WordMeans(encoder, attr)
        for each in (data, *(texts or ())):
            means.add(progress(_documents(each, options, nlp), name=each))
        if not means.counts:
            raise ValueError("There is no word in the texts: check the column of the texts.")
        of_texts = len(means.counts)
        words = [word for word, _ in means.counts.most_common(max_size)]
        if len(words) < max_size:
            means.add_alone(whole_words(encoder, nlp), nlp)
            words += list(means.counts)[of_texts : of_texts + max_size - len(words)]
        set_table(
            nlp,
            words,
            means.vectors(words),
            attr=attr,
            width=width,
            storage=storage,
            name=f"{lang}_{output.name}.vectors",
        )
        nlp.to_disk(output)
    n_rows, found_width = nlp.vocab.vectors.shape
    msg.good(
        f"Saved {n_rows:,} vectors of width {found_width}: {min(of_texts, n_rows):,} words of the "
        f"texts, which have {of_texts:,}, and {max(0, n_rows - of_texts):,} others",
        output,
    )


def _find_encoder(
    model: str, layer: int | None, precision: Precision | None, device: str
) -> WordEncoder:
    from ..distill import static_words, transformers_models
    from ..distill.transformer_words import TransformerWords

    prefix, sign, name = model.partition(":")
    # What a shell does not do behind a prefix.
    name = os.path.expanduser(name)
    if prefix + sign == transformers_models.PREFIX and name:
        return TransformerWords(name, layer, precision, device)
    if prefix + sign != static_words.PREFIX or not name:
        raise ValueError(
            f"'{model}' names no model: write 'hf:NAME' for one of transformers, or "
            f"'model2vec:NAME'."
        )
    for option, value in (("--layer", layer), ("--precision", precision)):
        if value is not None:
            raise ValueError(f"'{option}' has no meaning for a model of model2vec: leave it out.")
    return static_words.StaticWords(name)


def _documents(data: str, options: opt.DataOptions, nlp: Language) -> Iterator[Doc]:
    for example in opt.make_reader(data, options, labelled=False)(nlp):
        yield example.reference
