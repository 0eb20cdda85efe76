"""Write the splits as .spacy files: each form is a document of one token.

Usage, in the root of the repository: python assets/polish_lemmas/convert.py corpus/lemmas
"""

import argparse
import csv
from pathlib import Path

import spacy
from spacy.tokens import Doc, DocBin

SPLITS = ("train", "validation", "test")


def convert(source: Path) -> DocBin:
    """Make the documents of a split."""
    vocab = spacy.blank("pl").vocab
    with source.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        return DocBin(
            docs=[
                Doc(vocab, words=[row["form"]], pos=[row["upos"]], lemmas=[row["lemma"]])
                for row in rows
            ]
        )


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Write the Polish lemmas as .spacy files.")
    parser.add_argument("output", type=Path, help="folder")
    output = parser.parse_args(argv).output
    output.mkdir(parents=True, exist_ok=True)
    for name in SPLITS:
        convert(Path(__file__).with_name(f"{name}.tsv")).to_disk(output / f"{name}.spacy")


if __name__ == "__main__":
    main()
