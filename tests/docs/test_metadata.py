"""What describes the project to others: a citation, and an entry of spaCy's universe."""

import json

import srsly

import spacy_attn

from .pages import ROOT

# https://spacy.io/universe has these categories.
CATEGORIES = {
    *("pipeline", "training", "conversational", "research", "scientific", "visualizers", "apis"),
    *("nonpython", "standalone", "models", "books", "courses", "videos", "podcasts"),
}


def test_citation_names_this_version():
    citation = srsly.yaml_loads((ROOT / "CITATION.cff").read_text(encoding="utf8"))
    assert {"cff-version", "message", "title", "authors", "license"} <= citation.keys()
    assert citation["version"] == spacy_attn.__version__
    assert all(author.keys() == {"name"} for author in citation["authors"])


def test_entry_of_the_universe_is_complete_and_its_example_runs(in_checkout, capsys):
    entry = json.loads((ROOT / "docs" / "universe.json").read_text(encoding="utf8"))
    texts = ("id", "title", "slogan", "description", "code_language", "author")
    assert all(isinstance(entry[key], str) and entry[key] for key in texts)
    assert set(entry["category"]) <= CATEGORIES
    assert entry["tags"]
    exec("\n".join(entry["code_example"]), {})
    assert "positive" in capsys.readouterr().out
