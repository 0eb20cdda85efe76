"""`spacy_attn.render(..., style="alignment")`, and the same in a terminal."""

import io
import re

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console
from spacy.tokens import Doc

import spacy_attn
from spacy_attn import Alignment
from spacy_attn.interpret.show.matrices import heading
from spacy_attn.interpret.show.scale import GREYS, PAPER, text_on
from spacy_attn.interpret.show.templating import fill_template
from spacy_attn.interpret.show.terminal import terminal_view
from spacy_attn.results.written_data import store_generated, store_sources, store_token_alignments

from .pages import HOSTILE, Page
from .test_scale import contrast

SOURCE, TARGET = ("ein", "kleines", "Haus"), ("a", "house")
WEIGHTS = numpy.array([[0.9, 0.0996, 0.0004], [0.004, 0.296, 0.7]], dtype="float32")
ALIGNMENT = Alignment(SOURCE, TARGET, WEIGHTS, -0.25)
LEMMA = Alignment(tuple("evde"), tuple("ev"), [[0.7, 0.1, 0.1, 0.1], [0.0, 1.0, 0.0, 0.0]])


@pytest.fixture
def doc() -> Doc:
    doc = Doc(spacy.blank("de").vocab, words=list(SOURCE))
    store_generated(doc, "a house!", TARGET, WEIGHTS)
    return doc


@pytest.fixture
def lemmas() -> Doc:
    doc = Doc(spacy.blank("tr").vocab, words=["evde", "ve", "evde"])
    store_token_alignments(doc, [LEMMA, None, LEMMA])
    return doc


class Grid(Page):
    """The tables of a page: headings, and cells as pairs of classes and text."""

    def __init__(self, html: str) -> None:
        self.columns: list[list[str]] = []
        self.rows: list[str] = []
        self.cells: list[tuple[str, str]] = []
        super().__init__(html)

    def handle_starttag(self, tag, attributes):
        super().handle_starttag(tag, attributes)
        given = dict(attributes)
        if tag == "thead":
            self.columns.append([])
        if tag == "th" and given["scope"] == "col":
            self.columns[-1].append("")
        if tag == "th" and given["scope"] == "row":
            self.rows.append("")
        if tag == "td" and "class" in given:
            self.cells.append((given["class"], ""))

    def handle_data(self, data):
        super().handle_data(data)
        tags = [tag for tag, _ in self._open]
        if tags[-2:] == ["th", "span"]:
            headings = self.columns[-1] if "thead" in tags else self.rows
            headings[-1] += data
        if tags[-1:] == ["td"]:
            self.cells[-1] = (self.cells[-1][0], self.cells[-1][1] + data)


def show(docs, **options) -> Grid:
    return Grid(spacy_attn.render(docs, "alignment", jupyter=False, **options))


def print_matrices(docs, width=100, **settings) -> str:
    console = Console(file=io.StringIO(), width=width, **settings)
    console.print(terminal_view(docs, "alignment"))
    return console.file.getvalue()


# What is shown


def test_what_was_read_is_above_what_was_written_beside_and_cells_have_shade_and_percentage():
    grid = show(ALIGNMENT)
    assert grid.columns == [["ein", "kleines", "Haus"]]
    assert grid.rows == ["a", "house"]
    assert grid.cells == [
        ("sa-c sa-g18", "90"),
        ("sa-c sa-g2", "10"),
        ("sa-c", ""),
        ("sa-c", ""),
        ("sa-c sa-g6", "30"),
        ("sa-c sa-g14", "70"),
    ]
    assert "log-probability −0.25" in grid.text


def test_the_mouse_finds_both_words_and_the_weight_where_there_is_any():
    titles = [cell.get("title") for cell in show(ALIGNMENT).with_class("sa-c")]
    assert titles == [
        "\u2068ein\u2069 → \u2068a\u2069: 90.0\xa0%",
        "\u2068kleines\u2069 → \u2068a\u2069: 10.0\xa0%",
        None,
        "\u2068ein\u2069 → \u2068house\u2069: 0.4\xa0%",
        "\u2068kleines\u2069 → \u2068house\u2069: 29.6\xa0%",
        "\u2068Haus\u2069 → \u2068house\u2069: 70.0\xa0%",
    ]


def test_a_document_shows_what_was_written_for_it(doc):
    assert "a house!" in show(doc).text
    assert show(doc).cells == show(ALIGNMENT).cells
    (row,) = [found for tag, found in show(doc).elements if tag == "tr" and "lang" in found]
    assert row["lang"] == "de"


def test_a_document_with_aligned_lemmas_has_a_small_matrix_for_each(lemmas):
    grid = show(lemmas)
    assert grid.columns == [list("evde"), list("evde")]
    assert grid.rows == list("evev")
    assert re.sub(r"\s+", " ", grid.text).count("evde → ev") == 2
    assert len(grid.with_class("sa-upright")) == 2
    assert not show(ALIGNMENT).with_class("sa-upright")


def test_tokens_and_spans_show_their_own(lemmas):
    assert show(lemmas[0]).cells == show(LEMMA).cells
    assert show(lemmas[0:2]).cells == show(LEMMA).cells
    assert show([lemmas[0], lemmas[2]]).cells == show(lemmas).cells


def test_a_document_with_both_has_all_of_them_and_one_is_chosen_by_its_name(doc):
    alignment = Alignment(tuple("ein"), ("e",), [[0.5, 0.5, 0]])
    store_token_alignments(doc, [alignment, None, None])
    store_token_alignments(doc, [None, alignment, None], "norm")
    assert len(show(doc).columns) == 3
    assert show(doc, written_attr="generated").columns == [list(SOURCE)]
    assert show(doc, written_attr="norm").columns == [list("ein")]
    store_generated(doc, "x", ["x"], WEIGHTS[:1], "english")
    assert show(doc, written_attr="english").rows == ["x"]


def test_alignments_and_documents_are_shown_together(doc, lemmas):
    assert len(show([ALIGNMENT, doc, lemmas[0]]).columns) == 3
    assert show([]).columns == []


def test_what_a_component_explains_is_shown_with_none_for_tokens_without():
    assert show([[LEMMA, None], [], [LEMMA]]).columns == [list("evde")] * 2


def test_nothing_written_is_said_and_not_left_out():
    assert "(nothing written)" in show(Alignment(("a",), (), [])).text
    assert "(nothing written)" in print_matrices([Alignment(("a",), (), [])])
    doc = Doc(spacy.blank("xx").vocab, words=["known"])
    store_token_alignments(doc, [None])
    assert "known" in show([doc]).text
    assert "(no alignment)" in show([doc]).text
    assert "known → (no alignment)" in print_matrices([doc])


def test_a_merged_token_is_one_column(doc):
    with doc.retokenize() as retokenizer:
        retokenizer.merge(doc[1:3])
    grid = show(doc)
    assert grid.columns == [["ein", "kleines Haus"]]
    assert [text for _, text in grid.cells] == ["90", "10", "", "100"]


def test_in_a_notebook_an_alignment_is_its_picture():
    assert spacy_attn.render(ALIGNMENT, "alignment") in ALIGNMENT._repr_html_()
    assert 'class="tex2jax_ignore mathjax_ignore"' in ALIGNMENT._repr_html_()


# Text of any kind


@pytest.mark.parametrize("minify", [False, True])
@given(
    st.lists(st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(HOSTILE)),
    st.lists(st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(HOSTILE)),
)
def test_every_symbol_is_in_the_page_as_text_and_nothing_else_is(minify, source, target):
    target = target if source else []
    weights = numpy.full((len(target), len(source)), 1 / (len(source) or 1))
    grid = show(Alignment(source, target, weights), minify=minify, page=True)
    assert grid.rows == [heading(symbol) for symbol in target]
    assert grid.columns == ([[heading(symbol) for symbol in source]] if target else [])
    tags = {tag for tag, _ in grid.elements}
    table = {"table", "thead", "tbody", "tr", "th", "td"}
    plain = {"html", "head", "meta", "title", "body", "div", "style", "figure", "figcaption"}
    assert tags <= table | plain | {"span", "b", "bdi", "p", "i"}


def test_symbols_that_cannot_be_seen_alone_are_visible():
    assert [heading(symbol) for symbol in ("", "\u0301", "\u200d", " ", "\n", "\u202e", "é")] == [
        "∅",
        "◌\u0301",
        "⟨U+200D⟩",
        "␣",
        "↵",
        "⟨U+202E⟩",
        "é",
    ]


@pytest.mark.parametrize(
    ("source", "direction"),
    [
        (["שני", "גברים", "."], "rtl"),
        (["رجلان", "USB"], "rtl"),
        (["two", "men"], "ltr"),
        (["1", "+"], "ltr"),
        (["日本"], "ltr"),
    ],
)
def test_columns_follow_the_direction_of_what_was_read(source, direction):
    alignment = Alignment(source, ["x"], numpy.full((1, len(source)), 1 / len(source)))
    (grid,) = show(alignment).with_class("sa-grid")
    assert grid["dir"] == direction


def test_a_word_of_ten_thousand_characters_is_there_once_and_not_in_every_cell():
    word = "x" * 10_000
    alignment = Alignment([word, "b"], ["c"] * 50, [[0.5, 0.5]] * 50)
    grid = show(alignment)
    assert grid.columns == [[word, "b"]]
    assert len(spacy_attn.render(alignment, "alignment")) < 80_000


# Colours


def test_numbers_are_legible_on_every_grey_in_both_themes():
    for shade in GREYS.shades:
        for theme, text in text_on(shade.fill).items():
            assert contrast(text, shade.fill[theme]) >= 4.5, (shade.name, theme)


@pytest.mark.parametrize("theme", PAPER)
def test_greys_go_from_the_paper_to_what_stands_out_most(theme):
    steps = [contrast(shade.fill[theme], PAPER[theme]) for shade in GREYS.shades]
    assert steps == sorted(steps)
    assert steps[0] == 1
    assert steps[-1] > 15


def test_the_page_has_a_rule_for_each_grey_and_none_of_other_styles():
    css = spacy_attn.render(ALIGNMENT, "alignment", page=True)
    assert len(re.findall(r"\.sa-g\d+ { background: light-dark", css)) == 20
    assert len(re.findall(r"\.sa-g\d+ { color: light-dark", css)) == 20
    assert ".sa-p1 " not in css
    assert ".sa-g1 " not in fill_template("shades.css.jinja", styles=None)


def test_the_legend_has_all_greys_and_says_what_they_are():
    grid = show(ALIGNMENT)
    assert len(grid.with_class("sa-swatch")) == 21
    assert "in percent: each row sums to 100 %" in grid.text


def test_tokens_of_one_character_are_not_taken_for_characters():
    weights = numpy.eye(3, dtype="float32")
    tokens = Alignment(("1", "2", "3"), ("2", "3", "3"), weights, of_tokens=True)
    assert (tokens.source_text, tokens.target_text) == ("1 2 3", "2 3 3")
    # Columns say of tokens what was read. Of characters, the heading says it, too.
    assert print_matrices([tokens]).startswith("2 3 3")
    characters = Alignment(tokens.source, tokens.target, weights)
    assert print_matrices([characters]).startswith("123 → 233")


# Errors


def test_wrong_arguments_are_refused_with_what_to_do(doc, lemmas):
    unseen = Doc(doc.vocab, words=["unseen"] * 9)
    sources = Doc(doc.vocab, words=["x"])
    store_sources(sources, ["decoder"])
    for docs, options, error, message in (
        (unseen, {}, ValueError, r"document 'unseen unseen.*…' has no alignment: run a pipeline"),
        ([doc, unseen], {}, ValueError, "document 'unseen"),
        (sources, {}, ValueError, "with alignment = true, or show what the component's explain"),
        (doc, {"written_attr": "lemma"}, ValueError, "has no alignment of 'lemma'"),
        (lemmas, {"written_attr": "generated"}, ValueError, "has no alignment of 'generated'"),
        (lemmas[1], {}, ValueError, "The token 've' has no alignment"),
        (unseen[0:2], {}, ValueError, "The span 'unseen unseen' has no alignment"),
        (
            doc[0:2],
            {},
            ValueError,
            "The span 'ein kleines' has no alignment of its own, .* span.doc",
        ),
        (doc[0], {}, ValueError, "The token 'ein' has no alignment of its own, .* token.doc"),
        ("text", {}, TypeError, "a Token or an Alignment, .* not str"),
        (None, {}, TypeError, "not NoneType"),
        ([["text"]], {}, TypeError, "not str"),
        (3, {}, TypeError, "not int"),
        (doc, {"label": "good"}, ValueError, "not to a label: leave out the label 'good'"),
    ):
        with pytest.raises(error, match=message):
            spacy_attn.render(docs, "alignment", **options)


@pytest.mark.parametrize("style", ["attention", "contributions"])
def test_other_styles_do_not_take_what_only_alignments_can_show(doc, style):
    for docs in (doc[0], doc[0:1]):
        with pytest.raises(TypeError, match="Only a Doc or an Explanation"):
            spacy_attn.render(docs, style)
    for docs in (ALIGNMENT, [ALIGNMENT, None]):
        with pytest.raises(TypeError, match="Alignments are shown with style='alignment': set it"):
            spacy_attn.render(docs, style)


# The terminal


def test_the_terminal_writes_words_from_above_to_their_columns():
    lines = print_matrices([ALIGNMENT]).split("\n")
    assert [line.rstrip() for line in lines[:10]] == [
        "a house   log-probability −0.25",
        "          k",
        "          l",
        "          e",
        "          i  H",
        "       e  n  a",
        "       i  e  u",
        "       n  s  s",
        "    a  90 10",
        "house     30 70",
    ]


def test_the_terminal_has_the_greys_of_the_scale():
    printed = print_matrices([ALIGNMENT], force_terminal=True, color_system="truecolor")
    fill = GREYS.shade(18).fill["dark"]
    channels = ";".join(str(int(fill[i : i + 2], 16)) for i in (1, 3, 5))
    assert f"\x1b[38;2;0;0;0;48;2;{channels}m 90\x1b[0m" in printed


@pytest.mark.parametrize("width", [7, 10, 40, 200])
def test_a_matrix_wider_than_the_terminal_goes_on_below_and_loses_nothing(width):
    n = 40
    eye = Alignment([f"w{i}" for i in range(n)], [f"v{i}" for i in range(n)], numpy.eye(n))
    lines = print_matrices([eye], width).split("\n")
    assert max(map(len, lines)) <= width
    rows = [line.removesuffix("100").split() for line in lines if line.endswith("100")]
    found = [row for row in rows if row and row[0].startswith("v")]
    per_piece = (width - 4) // 3
    # In a piece, the last column ends a line; the others have room after it.
    assert len(found) == -(-n // per_piece)
    assert sum(line.count("100") for line in lines if re.match(r" ?v\d", line)) == n


def test_the_terminal_keeps_rows_as_wide_whatever_the_script():
    alignment = Alignment(
        ["日本", "e\u0301a", "שלום"], ["語", "שם", "é"], numpy.full((3, 3), 1 / 3)
    )
    lines = print_matrices([alignment]).split("\n")[1:]
    rows = [line for line in lines if "33" in line]
    assert [row[row.index("33") - 1 :] for row in rows] == [" 33 33 33"] * 3
    assert "\u200e" in rows[1]


def test_brackets_are_text_and_controls_are_marks_in_the_terminal():
    printed = print_matrices([Alignment(["[b]x[/b]"], ["\x1b[2J"], [[1]])])
    assert "\x1b" not in printed
    assert "␛[2J" in printed


def test_a_label_is_refused_in_the_terminal_too():
    with pytest.raises(ValueError, match="not to a label"):
        terminal_view([ALIGNMENT], "alignment", label="good")
