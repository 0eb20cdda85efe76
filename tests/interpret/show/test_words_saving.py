"""Words of a corpus as files: pages, plots, tables and JSON."""

import json
from io import StringIO
from xml.etree import ElementTree

import pandas
import pytest

import spacy_attn
from spacy_attn.interpret.show.saving import DRAWN
from spacy_attn.interpret.show.scale import PAPER
from spacy_attn.interpret.show.words_saving import WORDS_ENDINGS

from ...conftest import make_examples
from ..corpus_words.test_corpus import flipped

TEXT = "great <b>\N{CYRILLIC SMALL LETTER ZHE}</b> $x$ fun \u202e & so on"


@pytest.fixture(scope="module")
def summary(words_nlp):
    return spacy_attn.summarize_corpus(
        words_nlp, flipped(words_nlp, {TEXT: "positive", "so dull": "negative"}), min_count=1
    )


@pytest.mark.parametrize("ending", WORDS_ENDINGS)
def test_each_ending_gets_a_file_of_its_kind(summary, tmp_path, ending):
    if ending in DRAWN:
        pytest.importorskip("matplotlib")
    path = tmp_path / f"words{ending}"
    summary.save(path, title="Words & more")
    content = path.read_bytes()
    begins = {".png": b"\x89PNG", ".pdf": b"%PDF", ".html": b"<!DOCTYPE html>", ".csv": b"table,"}
    assert content.startswith(begins.get(ending, b""))
    assert list(tmp_path.iterdir()) == [path]
    if ending == ".json":
        assert json.loads(content) == summary.to_dict()
    if ending == ".html":
        assert "<h1>Words &amp; more</h1>" in content.decode()


def test_a_table_has_a_row_for_each_word_of_each_table(summary, tmp_path):
    summary.save(tmp_path / "words.csv")
    table = pandas.read_csv(StringIO((tmp_path / "words.csv").read_text(encoding="utf8")))
    expected = summary.to_dataframe()
    assert table["word"].tolist() == expected["word"].tolist()
    assert table["total"].tolist() == pytest.approx(expected["total"].tolist())
    assert set(table["table"]) == {"Words of each label", "Words that misled"}
    assert len(expected) == sum(
        len(words) for found in summary.tables() for words in found.words.values()
    )


@pytest.mark.parametrize("theme", PAPER)
def test_a_plot_says_all_of_it_and_escapes_every_text(summary, tmp_path, theme):
    pytest.importorskip("matplotlib")
    path = tmp_path / "words.svg"
    summary.save(path, title="<Words>", theme=theme)
    svg = path.read_text(encoding="utf8")
    root = ElementTree.fromstring(svg)
    told = "".join(root.itertext())
    assert "<Words>" in told
    for table in summary.tables():
        assert table.note in told
        for words in table.words.values():
            for word in words:
                assert f"· {word.count}" in told
                if word.word.isalpha():
                    assert word.word in told
    assert PAPER[theme] in svg
    summary.save(tmp_path / "again.svg", title="<Words>", theme=theme)
    assert (tmp_path / "again.svg").read_text(encoding="utf8") == svg


def test_a_plot_of_nothing_says_so(words_nlp, tmp_path):
    pytest.importorskip("matplotlib")
    summary = spacy_attn.summarize_corpus(words_nlp, [])
    summary.save(tmp_path / "words.svg")
    svg = (tmp_path / "words.svg").read_text(encoding="utf8")
    assert "positive: none" in svg
    same = spacy_attn.compare_pipelines(words_nlp, words_nlp, make_examples(words_nlp))
    same.save(tmp_path / "same.png")
    assert (tmp_path / "same.png").stat().st_size > 1000


def test_long_words_and_labels_are_cut_where_the_column_ends(words_nlp, tmp_path):
    pytest.importorskip("matplotlib")
    word = "w" * 300
    summary = spacy_attn.summarize_corpus(words_nlp, [word], min_count=1)
    summary.save(tmp_path / "words.svg", title="t" * 500)
    root = ElementTree.parse(tmp_path / "words.svg").getroot()
    assert float(root.attrib["width"].removesuffix("pt")) == pytest.approx(520.0)


def test_other_endings_and_themes_are_refused_before_anything_is_written(summary, tmp_path):
    with pytest.raises(ValueError, match=r"'words.tex' must end in one of \.html, \.svg, .*\.csv"):
        summary.save(tmp_path / "words.tex")
    with pytest.raises(ValueError, match=r"theme 'dark' is for .svg, .png, .pdf alone"):
        summary.save(tmp_path / "words.csv", theme="dark")
    assert not list(tmp_path.iterdir())
