"""`spacy_attn.save`: a file of each kind, and what is in it."""

import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

import spacy_attn
from spacy_attn import Alignment, Explanation
from spacy_attn.interpret.show import canvas, latex_picture
from spacy_attn.interpret.show.legend import legend_of
from spacy_attn.interpret.show.saving import DRAWN, ENDINGS
from spacy_attn.interpret.show.scale import PAPER, SCALES
from spacy_attn.interpret.show.shaded_text import shaded_texts
from spacy_attn.interpret.show.templating import latex, visible

from .pages import HOSTILE, make_explanation

LATEX_HOSTILE = [
    *HOSTILE,
    "\\end{document}",
    "$x_1^2$",
    "100 %",
    "~#&{}",
    "--- ,, ``q''",
    "\\input{x}",
]
EXPLANATION = make_explanation(
    LATEX_HOSTILE, sentences=((0, 5, ""), (5, len(LATEX_HOSTILE), "")), entities=((1, 2, "A_B"),)
)
PAIR = ("positive", "negative")


@pytest.mark.parametrize("ending", ENDINGS)
def test_every_kind_of_file_is_written_and_always_the_same(ending, tmp_path):
    paths = [tmp_path / "new" / f"{name}{ending.upper()}" for name in "ab"]
    for path in paths:
        spacy_attn.save([EXPLANATION] * 2, path, "contributions", by="sentence")
    one, two = (path.read_bytes() for path in paths)
    assert one == two
    assert len(one) > 1000


def test_a_page_is_that_of_render(tmp_path):
    path = tmp_path / "page.html"
    spacy_attn.save(EXPLANATION, str(path), contrast=PAIR, by="sentence", fold=3)
    expected = spacy_attn.render(EXPLANATION, contrast=PAIR, by="sentence", fold=3, page=True)
    assert path.read_text("utf8") == expected


@pytest.mark.parametrize("ending", [".json", ".jsonl"])
def test_json_loads_back_into_explanations(ending, tmp_path):
    path = tmp_path / f"x{ending}"
    explanations = [EXPLANATION, make_explanation(seed=1)]
    spacy_attn.save(iter(explanations), path)
    text = path.read_text("utf8")
    rows = json.loads(text) if ending == ".json" else [json.loads(x) for x in text.splitlines()]
    assert [Explanation.from_dict(row) for row in rows] == explanations
    spacy_attn.save(explanations, path, contrast=PAIR)
    assert '"contrast"' in path.read_text("utf8")


def test_alignments_are_saved_as_pages_and_as_json_alone(tmp_path):
    alignment = Alignment(("a",), ("b",), [[1.0]])
    spacy_attn.save(alignment, tmp_path / "x.html", "alignment")
    assert "sa-grid" in (tmp_path / "x.html").read_text("utf8")
    spacy_attn.save([alignment], tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text("utf8")) == [alignment.to_dict()]
    with pytest.raises(ValueError, match=r"by pages alone, and not by 'x.svg': write '.html'"):
        spacy_attn.save(alignment, tmp_path / "x.svg", "alignment")


def test_a_drawing_has_the_colours_of_the_page_and_the_legend(tmp_path):
    for theme in PAPER:
        for style, scale in SCALES.items():
            path = tmp_path / f"{style}-{theme}.svg"
            values = numpy.linspace(-1, 1, 40, dtype="f")
            explanation = make_explanation(
                ["token"] * 40, attributions=numpy.stack([values, values], axis=1)
            )
            spacy_attn.save(explanation, path, style, theme=theme)
            svg = path.read_text("utf8")
            ElementTree.fromstring(svg)
            assert f"fill: {PAPER[theme]}" in svg
            for shade in scale.shades[1:]:
                assert f"fill: {shade.fill[theme]}" in svg
            # What the letters are drawn for stands in comments.
            words = " ".join(re.findall("<!-- (.*?) -->", svg))
            text = legend_of(shaded_texts(explanation, style), style).text
            assert " ".join(text.split()) in " ".join(words.split())


@pytest.fixture
def one_font(monkeypatch):
    """What other fonts there are differs between machines."""
    regular = next(canvas._installed())
    monkeypatch.setattr(canvas, "_installed", lambda: iter([regular]))


def test_a_drawing_is_valid_xml_and_named_whatever_the_text(tmp_path, one_font):
    path = tmp_path / "x.svg"
    with pytest.warns(UserWarning, match="No installed font has"):
        spacy_attn.save(make_explanation([*LATEX_HOSTILE, "\ufffe", "\x00", "\U000f0000"]), path)
    root = ElementTree.fromstring(path.read_text("utf8"))
    title = root.find(".//{http://purl.org/dc/elements/1.1/}title")
    assert title.text == "Attention"
    description = root.find(".//{http://purl.org/dc/elements/1.1/}description")
    assert visible(HOSTILE[0]) in description.text
    tags = {each.tag.rpartition("}")[2] for each in root.iter()}
    assert not tags & {"script", "image", "a", "foreignObject"}


def test_tokens_stay_within_the_drawing_however_long(tmp_path):
    path = tmp_path / "x.svg"
    spacy_attn.save(make_explanation(["w" * 500, "i" * 700, "", "end"]), path)
    box = r'<g id="patch_\d+">\s*<path d="M ([\d.]+) [\d.]+ \nL ([\d.]+) '
    boxes = re.findall(box, path.read_text("utf8"))
    width = float(re.search(r'width="([\d.]+)pt"', path.read_text("utf8"))[1])
    assert boxes
    assert all(0 <= float(x) <= width + 0.01 for pair in boxes for x in pair)


def test_a_png_that_would_be_too_high_is_refused_and_nothing_is_written(tmp_path, monkeypatch):
    monkeypatch.setattr("spacy_attn.interpret.show.canvas._MAX_PIXELS", 300)
    with pytest.raises(ValueError, match=r"would be \d+ pixels high, and can have 299: save fewer"):
        spacy_attn.save([EXPLANATION] * 3, tmp_path / "x.png")
    assert not list(tmp_path.iterdir())


@given(st.text(st.characters(codec="utf-8")) | st.sampled_from(LATEX_HOSTILE))
def test_no_text_is_a_command_of_latex(text):
    """What is left of it without what was put in for its characters is harmless."""
    words = "textbackslash|textasciitilde|textasciicircum|textless|textgreater|textbar|textquotedbl"
    words += "|textquotesingle|textasciigrave|textminus"
    known = rf"\\[#$%&_{{}}]|\\(?:{words}){{}}|{{\\kern0pt}}|\\ensuremath{{\\hookleftarrow}}"
    rest = re.sub(known, "", str(latex(text)))
    assert not set(rest) & set("\\#$%&_{}~^<>|\"'`\n")
    assert not re.search("--|,,", str(latex(text)))


def test_latex_has_every_token_with_its_shade_and_line():
    explanation = make_explanation(
        ["for", "no", "against"], attributions=numpy.array([[0, 2.0], [0, 0.0], [0, -2.0]])
    )
    tex = to_latex(explanation, "contributions")
    assert "\\safor{p12}{for} \n\\saplain{p0}{no} \n\\saagainst{n12}{against} \n" in tex
    attention = make_explanation(["great", "fun"], attention=numpy.array([0.5, 0.5]))
    assert "\\saplain{a5}{great}" in to_latex(attention, "attention")


def to_latex(explanation, style, **settings) -> str:
    texts = shaded_texts(explanation, style, **settings)
    return latex_picture.to_latex(texts, legend_of(texts, style, settings.get("by", "token")))


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="there is no LaTeX")
def test_latex_compiles_alone_and_within_another_document(tmp_path):
    hostile = make_explanation(
        [*LATEX_HOSTILE, "\u4f60", "\u05d0", "e\u0301", "\u2212"], ["<_>", "$"]
    )
    spacy_attn.save([hostile, make_explanation([])], tmp_path / "a.tex", "contributions")
    spacy_attn.save(EXPLANATION, tmp_path / "b.tex", contrast=PAIR, by="entity")
    (tmp_path / "outer.tex").write_text(
        r"\documentclass{article}\usepackage[T1]{fontenc}\usepackage{xcolor,textcomp}"
        r"\begin{document}\input{a}\begin{figure}\input{b}\end{figure}\input{a}\end{document}"
    )
    for name in ("a", "b", "outer"):
        command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-draftmode", name]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, timeout=120)
        assert result.returncode == 0, result.stdout[-2000:]
    log = (tmp_path / "a.log").read_text("latin1")
    assert "Missing character" not in log


def test_what_cannot_be_saved_is_refused_with_what_to_do(tmp_path, trained_nlp):
    for name, settings, message in (
        ("x.docx", {}, r"'x.docx' must end in one of .html, .svg, .png, .pdf, .tex, .json, .jsonl"),
        ("x", {}, "'x' must end in one of"),
        (".svg", {}, "'.svg' must end in one of"),
        ("x.svg", {"theme": "blue"}, "'theme' must be one of light, dark, but is 'blue'"),
        ("x.tex", {"theme": "dark"}, r"The theme 'dark' is for .svg, .png, .pdf alone: leave it"),
        ("x.tex", {"style": "dep"}, "no style 'dep'"),
        ("x.png", {"contrast": ("positive", "good")}, "no label 'good'"),
        ("x.json", {"contrast": ("positive", "positive")}, "with itself"),
    ):
        with pytest.raises(ValueError, match=message):
            spacy_attn.save(EXPLANATION, tmp_path / name, **settings)
    doc = trained_nlp("great fun")
    with pytest.raises(TypeError, match="Only explanations can be saved as JSON, not Doc: pass"):
        spacy_attn.save([doc], tmp_path / "x.json")
    with pytest.raises(TypeError, match="not str"):
        spacy_attn.save("great fun", tmp_path / "x.png")
    assert not list(tmp_path.iterdir())
    spacy_attn.save(doc, tmp_path / "x.tex")


@pytest.mark.parametrize("ending", DRAWN)
def test_without_matplotlib_a_drawing_says_how_to_install_it(ending, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=rf"'{ending}' need Matplotlib .*pip install matplotlib"):
        spacy_attn.save(EXPLANATION, tmp_path / f"x{ending}")
    spacy_attn.save(EXPLANATION, tmp_path / "x.tex")


def test_a_character_that_no_font_has_is_named_and_another_font_is_looked_for(
    one_font, monkeypatch
):
    assert canvas._families(set("great fun")) == ["DejaVu Sans"]
    with pytest.warns(UserWarning, match="No installed font has .+, which are shown as boxes"):
        assert canvas._families({"a", "\U000f0000"}) == ["DejaVu Sans"]
    fonts = [*canvas._installed(), ("Other", "path")]
    covered = {"path": {"\U000f0000"}, fonts[0][1]: {"a"}}
    monkeypatch.setattr(canvas, "_installed", lambda: iter(fonts))
    monkeypatch.setattr(canvas, "_covered", covered.__getitem__)
    assert canvas._families({"a", "\U000f0000", " ", "\n"}) == ["DejaVu Sans", "Other"]
