"""The Polish forms in `assets/`: what their card says of them, and what is trained on."""

import csv
import runpy

import pytest
import spacy
from spacy.tokens import DocBin

from benchmarks.splits import ROOT

FOLDER = ROOT / "assets" / "polish_lemmas"
SPLITS = ("train", "validation", "test")


@pytest.fixture(scope="module")
def splits() -> dict[str, list[dict[str, str]]]:
    found = {}
    for name in SPLITS:
        with (FOLDER / f"{name}.tsv").open(encoding="utf-8") as file:
            found[name] = list(csv.DictReader(file, delimiter="\t"))
    return found


@pytest.mark.parametrize("column", ["form", "lemma"])
def test_no_form_and_no_lemma_is_in_two_splits(splits, column):
    values = [{row[column] for row in rows} for rows in splits.values()]
    assert sum(map(len, values)) == len(set.union(*values))


def test_the_card_counts_the_rows(splits):
    card = (FOLDER / "README.md").read_text(encoding="utf-8")
    for name, rows in splits.items():
        counts = [sum(row["upos"] == tag for row in rows) for tag in ("NOUN", "VERB", "ADJ")]
        line = " | ".join(f"{n:,}" for n in (len(rows), *counts))
        assert f"| {name} | `{name}.tsv` | {line} |" in card


def test_each_form_becomes_a_document_with_its_lemma_that_the_tokenizer_does_not_split(
    splits, tmp_path
):
    runpy.run_path(str(FOLDER / "convert.py"))["main"]([str(tmp_path)])
    nlp = spacy.blank("pl")
    for name, rows in splits.items():
        docs = list(DocBin().from_disk(tmp_path / f"{name}.spacy").get_docs(nlp.vocab))
        found = [(token.text, token.pos_, token.lemma_) for (token,) in docs]
        assert found == [(row["form"], row["upos"], row["lemma"]) for row in rows]
        assert all(len(nlp.tokenizer(doc.text)) == 1 for doc in docs)
