"""Make train.tsv, validation.tsv, test.tsv and LICENSE from PoliMorf, as spacy-lookups-data has it.

Usage, in the root of the repository:

    pip download --no-deps spacy-lookups-data==1.0.5
    python assets/polish_lemmas/make.py spacy_lookups_data-1.0.5-py2.py3-none-any.whl

The package has a table of forms and their lemmas for each part of speech. The script draws forms
of them, and keeps all drawn forms of a lemma in one split.

Nothing is drawn with random numbers. Rows are sorted by the SHA-256 of a fixed seed and their
content, and the first are taken. The hash of the lemma says which split they are in. The outcome is
the same on every platform and with every version of Python.
"""

import argparse
import gzip
import hashlib
import json
import sys
import zipfile
from pathlib import Path

DATA = "spacy_lookups_data/data"
LICENSE = f"{DATA}/pl_license.txt"
# The tables' files, the tag of each, how many rows to draw, and the SHA-256 of the file.
TABLES = {
    "noun": ("NOUN", 5000, "79b7751d8115c3fa2c1fbc8c6c0e3a5483eadc9b0ff529dbfba99734ce808219"),
    "verb": ("VERB", 5000, "4f95de668b336049e24a7c25dbb6bc2d52df614a7e965c66b6b0dfdfa6f52b29"),
    "adj": ("ADJ", 2000, "0c49d59d8e51a0f7fee93939d53e4a7d0ee4b79411a5dd7b6859d8e52bab6eba"),
}
SEED = "spacy-attn/polish_lemmas/1"
# Of every ten lemmas, by their hash.
SPLITS = ("validation", "test", *["train"] * 8)

Row = tuple[str, str, str]


def read_table(wheel: zipfile.ZipFile, name: str, sha256: str) -> dict[str, str]:
    """Return the lemma of each form of a part of speech.

    Raises:
        ValueError: If the file is not the one expected.
    """
    path = f"{DATA}/pl_lemma_lookup_{name}.json.gz"
    content = wheel.read(path)
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        raise ValueError(f"The SHA-256 of {path} should be {sha256}, but is {digest}.")
    table: dict[str, str] = json.loads(gzip.decompress(content))
    return table


def rank(*content: str) -> str:
    return hashlib.sha256("\n".join((SEED, *content)).encode()).hexdigest()


def draw(table: dict[str, str], tag: str, n: int) -> list[Row]:
    """Return the first rows by rank, of words in small letters.

    A lemma is a form of itself, which the source leaves out.
    """
    pairs = {*table.items(), *((lemma, lemma) for lemma in table.values() if lemma not in table)}
    words = (
        (form, lemma) for form, lemma in pairs if f"{form}{lemma}".isalpha() and form.islower()
    )
    rows = [(form, tag, lemma) for form, lemma in words]
    return sorted(rows, key=lambda row: rank(*row))[:n]


def split(rows: list[Row]) -> dict[str, list[Row]]:
    """Return the rows of each split, parts of speech mixed."""
    splits: dict[str, list[Row]] = {name: [] for name in dict.fromkeys(SPLITS)}
    for row in sorted(rows, key=lambda row: rank(*row)):
        splits[SPLITS[int(rank(row[2]), 16) % len(SPLITS)]].append(row)
    return splits


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Make the Polish lemmas.")
    parser.add_argument("wheel", type=Path, help="spacy_lookups_data-1.0.5-py2.py3-none-any.whl")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent, help="folder")
    args = parser.parse_args(argv)
    args.output.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(args.wheel) as wheel:
        rows = [
            row
            for name, (tag, n, sha256) in TABLES.items()
            for row in draw(read_table(wheel, name, sha256), tag, n)
        ]
        (args.output / "LICENSE").write_bytes(wheel.read(LICENSE))
    for name, chosen in split(rows).items():
        lines = ["form\tupos\tlemma", *map("\t".join, chosen)]
        path = args.output / f"{name}.tsv"
        path.write_bytes("".join(line + "\n" for line in lines).encode())
        sys.stdout.write(f"{path}: {len(chosen)} rows\n")


if __name__ == "__main__":
    main()
