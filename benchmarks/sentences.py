"""The command `python -m benchmarks.sentences`: long texts, cut into sentences without labels."""

import random
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import pandas as pd
import spacy
import typer
from typer import Argument, Option

# Where a sentence ends in a review: rules will do for texts that a teacher labels.
_ENDS = re.compile(r"(?<=[.!?])[\"')]*\s+|\n+")
_HYPHEN = re.compile(r"(?<=\w)-(?=\w)")
# Words of a sentence of SST-2, but for the shortest and the longest twentieth.
_WORDS = range(4, 46)


def main(
    source: Annotated[Path, Argument(help="Parquet file with a column text")],
    output: Annotated[Path, Argument(help="Parquet file to write")],
    number: Annotated[int, Option(help="Sentences to draw at random; 0 for all")] = 0,
    as_tokens: Annotated[
        bool, Option("--as-tokens", help="As in SST-2: in lower case, with blanks between tokens")
    ] = False,
) -> None:
    """Cut texts into sentences of the length that those of SST-2 have, each once."""
    found = list(dict.fromkeys(cut(pd.read_parquet(source)["text"])))
    random.Random(0).shuffle(found)
    chosen = found[: number or None]
    if as_tokens:
        chosen = list(dict.fromkeys(write_tokens(chosen)))
    pd.DataFrame({"text": chosen}).to_parquet(output, index=False)
    typer.echo(f"{len(chosen):,} of {len(found):,} sentences")


def cut(texts: Iterable[str]) -> list[str]:
    """Return the sentences of texts that are neither short nor long."""
    return [
        sentence
        for text in texts
        for sentence in _ENDS.split(text)
        if len(sentence.split()) in _WORDS
    ]


def write_tokens(sentences: Iterable[str]) -> list[str]:
    """Return sentences as the authors of SST-2 have theirs."""
    tokenizer = spacy.blank("en").tokenizer
    docs = (tokenizer(_HYPHEN.sub(" ", sentence)) for sentence in sentences)
    return [" ".join(token.lower_ for token in doc if not token.is_space) for doc in docs]


if __name__ == "__main__":
    typer.run(main)
