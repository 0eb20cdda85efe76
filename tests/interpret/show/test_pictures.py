"""`spacy_attn.render`: what is in the HTML."""

import re
import sys
from types import SimpleNamespace
from typing import cast

import numpy
import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

import spacy_attn
from spacy_attn.interpret.methods import METHODS
from spacy_attn.interpret.show.scale import SCALES
from spacy_attn.interpret.show.templating import visible
from spacy_attn.results.explanation import method_name
from spacy_attn.results.extensions import install_extensions
from spacy_attn.results.token_values import set_values

from ...conftest import MIXED_TEXTS, make_nlp, train
from .pages import HOSTILE, Page, make_explanation

STYLES = ["attention", "contributions"]


def shades(page):
    return [re.findall(r"sa-([apn]\d+)", found["class"])[0] for found in page.with_class("sa-t")]


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("minify", [False, True])
@given(
    tokens=st.lists(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=8) | st.sampled_from(HOSTILE)
    ),
    fold=st.integers(0, 4),
    data=st.data(),
)
def test_every_token_is_in_the_page_as_text_and_nothing_else_is(style, minify, tokens, fold, data):
    spaces = data.draw(st.lists(st.booleans(), min_size=len(tokens), max_size=len(tokens)))
    explanation = make_explanation(tokens, spaces=spaces)
    page = Page(spacy_attn.render(explanation, style, fold=fold, minify=minify))
    assert page.tokens == [visible(token) for token in tokens]
    expected = "".join(
        visible(token) + " " * space for token, space in zip(tokens, spaces, strict=True)
    )
    assert "".join(page.texts) == (expected if tokens else "(no tokens)")
    allowed = {"div", "style", "figure", "figcaption", "span", "b", "p", "i", "details", "summary"}
    assert {tag for tag, _ in page.elements} <= allowed


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("page", [False, True])
def test_labels_and_methods_are_escaped_too(style, page):
    hostile = make_explanation(HOSTILE, labels=[*HOSTILE[:3]], method="<b>")
    html = spacy_attn.render(hostile, style, page=page)
    assert "<script>alert" not in html
    assert "<img" not in html
    assert html.count("</style>") == 1 + page
    Page(html)


def test_attributes_keep_quotes_inside():
    page = Page(spacy_attn.render(make_explanation(['"', "' onclick=x"])))
    assert [sorted(found) for found in page.with_class("sa-t")] == [
        ["class", "data-v", "title"]
    ] * 2


def test_white_space_is_visible_and_breaks_nothing():
    page = Page(spacy_attn.render(make_explanation(["a", "\n\n", " ", "\t", "\x00", "b c"])))
    assert page.tokens == ["a", "↵↵", "␣", "⇥", "␀", "b c"]
    assert visible("\u202egnp.exe \u2028") == "⟨U+202E⟩gnp.exe ⟨U+2028⟩"


@pytest.mark.parametrize("style", STYLES)
def test_tokens_have_the_shade_of_their_value_and_the_legend_has_all_shades(style):
    explanation = make_explanation(["token"] * 50)
    page = Page(spacy_attn.render(explanation, style, label=None))
    values = explanation.attention if style == "attention" else explanation.of_label("positive")
    scale = SCALES[style]
    assert shades(page) == [scale.name(level) for level in scale.levels(values)]
    swatches = [found["class"].split()[-1] for found in page.with_class("sa-swatch")]
    assert swatches == [f"sa-{shade.name}" for shade in scale.shades]


def test_the_legend_says_the_unit_and_where_it_is_clipped():
    attention = spacy_attn.render(make_explanation())
    assert "in multiples of the document&#39;s average" in attention.replace("'", "&#39;")
    assert "from 3 times the average on it is clipped" in attention
    contributions = spacy_attn.render(make_explanation(), "contributions", label="negative")
    assert "contributes to “negative”, in logits, times the document" in contributions
    assert "beyond ±6 it is clipped" in contributions


@pytest.mark.parametrize("method", METHODS)
def test_an_attribution_is_named_in_title_legend_and_tooltips_and_no_other_is(method):
    name = method_name(method)
    html = spacy_attn.render(make_explanation(method=method), "contributions", page=True, fold=1)
    assert f"<title>{name.capitalize()}</title>" in html
    titles = [token["title"] for token in Page(html).with_class("sa-t")]
    legend = html[html.rindex('class="sa-legend"') :]
    contributed = method == "contributions"
    assert ("contributes to “positive”" in legend) == contributed
    assert ("attribution for “positive” by " + name in legend) != contributed
    for title in titles:
        assert ("contributed to positive" in title) == contributed
        assert ("for positive by " + name in title) != contributed
    # What was found by leaving out one token at a time does not add up.
    assert ("1 more tokens, together" in html) == contributed
    others = {method_name(other) for other in METHODS} - {name}
    assert not any(other in " ".join([legend, *titles]) for other in others)


def test_of_documents_explained_by_several_methods_each_names_its_own():
    methods = ["contributions", "leave_one_out"]
    html = spacy_attn.render([make_explanation(method=m) for m in methods], "contributions")
    assert "by the method named above the document, in logits" in html
    captions = re.findall(r"<figcaption>(.*?)</figcaption>", html, re.S)
    assert ["by contributions" in caption for caption in captions] == [True, False]
    assert ["by leave one out" in caption for caption in captions] == [False, True]
    assert "by attention" not in spacy_attn.render([make_explanation(method=m) for m in methods])


def test_the_average_is_marked_where_its_shade_is_in_the_legend():
    (left,) = re.findall(
        r"\.sa-average {[^}]*left: ([\d.]+)%", spacy_attn.render(make_explanation())
    )
    scale = SCALES["attention"]
    place = [shade.level * scale.step for shade in scale.shades].index(1.0)
    assert float(left) == pytest.approx(100 * (place + 0.5) / len(scale.shades), abs=0.05)


def test_values_are_there_for_the_mouse_and_for_screen_readers():
    explanation = make_explanation(
        attention=numpy.array([0.25, 0.75]), attributions=numpy.array([[0, -0.5], [0, 2.0]])
    )
    page = Page(spacy_attn.render(explanation))
    assert [found["data-v"] for found in page.with_class("sa-t")] == ["25.0\xa0%", "75.0\xa0%"]
    assert page.with_class("sa-t")[1]["title"].endswith("of the attention, 1.50 × the average")
    page = Page(spacy_attn.render(explanation, "contributions"))
    assert [found["data-v"] for found in page.with_class("sa-t")] == ["−0.500", "+2.000"]
    assert page.with_class("sa-t")[0]["title"] == (
        "great: −0.500 contributed to positive (× 2 tokens: −1.0)"
    )


def test_contributions_are_those_of_the_predicted_label_or_of_the_given_one():
    explanation = make_explanation(attributions=numpy.array([[-2, 0], [0, 2]], dtype="f"))
    assert shades(Page(spacy_attn.render(explanation, "contributions"))) == ["p0", "p8"]
    given_one = spacy_attn.render(explanation, "contributions", label="negative")
    assert shades(Page(given_one)) == ["n8", "p0"]


def test_a_contrast_is_shaded_by_the_difference_of_its_labels_and_named():
    explanation = make_explanation(attributions=numpy.array([[-2, 0], [1, 2]], dtype="f"))
    pair = ("positive", "negative")
    html = spacy_attn.render(explanation, contrast=pair, page=True)
    page = Page(html)
    assert shades(page) == ["p8", "p4"]
    logits = explanation.logits[1] - explanation.logits[0]
    assert f"positive rather than negative, {logits:+.2f} logits".replace("-", "−") in html
    assert "to “positive” rather than “negative”, in logits" in html
    assert "speaks for “positive”, orange with a line below for “negative”" in html
    assert "contributed to positive rather than negative" in page.with_class("sa-t")[0]["title"]
    assert len(page.with_class("sa-shown")) == 2
    # Asked for when it was explained, it need not be named again; a label comes before it.
    asked = make_explanation(attributions=explanation.attributions, contrast=pair)
    assert spacy_attn.render(asked, "contributions", page=True) == html
    assert shades(Page(spacy_attn.render(asked, label="negative"))) == ["n8", "p4"]
    other = spacy_attn.render([asked, explanation], "contributions")
    assert "contributes to what is named above the document" in other
    assert "for the label that is named first, orange with a line below against it or for" in other


def test_a_contrast_of_a_document_is_that_of_its_contributions():
    nlp = make_nlp(contributions_attr="contributions")
    train(nlp, steps=5)
    pair = ("positive", "negative")
    doc = nlp("great fun")
    (explanation,) = nlp.get_pipe("attn_textcat").explain([doc])
    one, other = (Page(spacy_attn.render(each, contrast=pair)) for each in (doc, explanation))
    assert shades(one) == shades(other)


SENTENCES = ((0, 2, ""), (2, 3, ""), (3, 5, ""))
IN_SENTENCES = make_explanation(
    ["So", "dull", "Fun", "a", "b"],
    sentences=SENTENCES,
    entities=((2, 3, "<MOOD>"),),
    attributions=numpy.array([[0, -1.0], [0, -0.5], [0, 2.25], [0, 0.5], [0, 0.25]]),
)


def bars(page):
    return [
        float(found["style"].split()[-1]) for found in page.elements_of("i") if "style" in found
    ]


def test_each_sentence_has_a_bar_and_the_sum_of_its_tokens():
    html = spacy_attn.render(IN_SENTENCES, "contributions", by="sentence")
    page = Page(html)
    assert page.tokens == [*IN_SENTENCES.tokens]
    assert re.findall(r'sa-number">(.*?)<', html) == ["−1.500", "+2.250", "+0.750"]
    # Times the three sentences, of the 6 logits of the longest bar; more is clipped.
    assert bars(page) == [0.75, 1.0, 0.375]
    assert "Its bar is this times the number of sentences, on the same scale." in html
    attention = spacy_attn.render(IN_SENTENCES, by="sentence")
    numbers = re.findall(r'sa-number">([\d.]+)\xa0%<', attention)
    assert sum(map(float, numbers)) == pytest.approx(100, abs=0.2)


def test_each_entity_has_a_bar_and_all_other_tokens_have_one_together():
    html = spacy_attn.render(IN_SENTENCES, "contributions", by="entity")
    assert Page(html).tokens == ["Fun"]
    assert "&lt;MOOD&gt;" in html
    assert re.findall(r'sa-number">(.*?)<', html) == ["+2.250", "−0.750"]
    assert "(all other tokens)" in html


def test_a_long_document_opens_at_the_sentences_that_count():
    html = spacy_attn.render(IN_SENTENCES, "contributions", by="sentence", fold=3)
    folded = re.findall(r"<details>(.*?)</details>", html, re.S)
    assert ["1 sentence, together +0.750" in each for each in folded] == [True]
    assert Page(html).tokens == [*IN_SENTENCES.tokens]
    # One sentence is open at least.
    html = spacy_attn.render(IN_SENTENCES, "contributions", by="sentence", fold=1)
    assert html.count("<details>") == 2
    assert "<details>" not in spacy_attn.render(IN_SENTENCES, by="sentence", fold=0)


def test_sentences_of_a_document_have_bars_too(trained_nlp):
    doc = trained_nlp("great fun. So dull.")
    with pytest.raises(ValueError, match=r"sentences of 'great fun. So dull.'"):
        spacy_attn.render(doc, by="sentence")
    doc[3].is_sent_start = True
    assert spacy_attn.render(doc, by="sentence").count('class="sa-row"') == 2


def test_what_does_not_add_up_has_no_bars():
    explanation = make_explanation(method="leave_one_out", sentences=((0, 2, ""),))
    with pytest.raises(ValueError, match="do not add up to that of a span"):
        spacy_attn.render(explanation, "contributions", by="sentence")
    assert "sa-row" in spacy_attn.render(explanation, by="sentence")


def test_long_documents_fold_and_say_what_is_in_the_fold():
    explanation = make_explanation(["a"] * 5, attention=numpy.array([0.5, 0.2, 0.1, 0.1, 0.1]))
    html = spacy_attn.render(explanation, fold=3)
    assert "2 more tokens, together 20.0\xa0% of the attention" in html
    assert len(Page(html).texts) == 2
    assert "<details>" not in spacy_attn.render(explanation, fold=5)
    assert "<details>" not in spacy_attn.render(explanation, fold=0)


def test_of_many_labels_the_most_probable_are_named():
    html = spacy_attn.render(make_explanation(labels=list("abcdef")))
    assert "<b>f 0.90</b>" in html
    assert "2 more, none above 0.26" in html
    html = spacy_attn.render(make_explanation(labels=list("abcdef")), contrast=("a", "e"))
    assert "1 more, none above 0.26" in html
    assert "a 0.10" in html


def test_classified_documents_are_shown_without_more_ado(trained_nlp):
    docs = list(trained_nlp.pipe(MIXED_TEXTS))
    page = Page(spacy_attn.render(docs, fold=0, page=True))
    assert len(page.tokens) == sum(map(len, docs))
    assert page.elements[0][0] == "html"
    component = trained_nlp.get_pipe("attn_textcat")
    explained = Page(spacy_attn.render(component.explain(docs), fold=0))
    assert shades(explained) == shades(page)


@pytest.mark.parametrize("name", ["contributions", "why"])
def test_contributions_of_a_document_are_those_of_the_label_whatever_else_it_has(name):
    nlp = make_nlp(contributions_attr=name)
    train(nlp, steps=5)
    doc = nlp.make_doc("great fun")
    # Of another component, and in another order than that of the labels.
    doc.cats = {"other": 1.0, **dict.fromkeys(reversed(nlp.get_pipe("attn_textcat").labels), 0.0)}
    doc = nlp(doc)
    (explanation,) = nlp.get_pipe("attn_textcat").explain([doc])
    for label in (None, "negative", "positive"):
        one = spacy_attn.render(doc, "contributions", label=label, contributions_attr=name)
        other = spacy_attn.render(explanation, "contributions", label=label)
        assert shades(Page(one)) == shades(Page(other))
    with pytest.raises(ValueError, match="There is no label 'other'"):
        spacy_attn.render(doc, "contributions", label="other", contributions_attr=name)


def test_the_direction_of_the_text_is_that_of_the_language():
    nlp = spacy.blank("he")
    doc = nlp("שלום עולם")
    install_extensions("weights")
    set_values(doc, numpy.array([0.5, 0.5]), "weights")
    page = Page(spacy_attn.render(doc, attention_attr="weights"))
    (text,) = page.with_class("sa-text")
    assert (text["dir"], text["lang"]) == ("rtl", "he")
    (text,) = Page(spacy_attn.render(make_explanation())).with_class("sa-text")
    assert text["dir"] == "auto"


def test_a_page_fetches_nothing_from_elsewhere():
    html = spacy_attn.render(make_explanation(), page=True)
    assert not re.search(r"https?:|url\(|@import|src=|<link", html)


def test_minified_html_has_no_line_breaks():
    assert "\n" not in spacy_attn.render(make_explanation(["a\nb"]), page=True, minify=True)


def test_a_notebook_shows_the_documents(monkeypatch):
    shown = []
    display = SimpleNamespace(HTML=lambda html: html, display=shown.append)
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(display=display))
    monkeypatch.setitem(sys.modules, "IPython.display", display)
    html = spacy_attn.render(make_explanation())
    assert spacy_attn.render(make_explanation(), jupyter=True) is None
    monkeypatch.setattr("spacy_attn.interpret.show.pictures.is_in_jupyter", lambda: True)
    assert spacy_attn.render(make_explanation()) is None
    assert spacy_attn.render(make_explanation(), jupyter=False) == html
    # A page is made to be saved; shown, it would bring the notebook another background.
    assert cast(str, spacy_attn.render(make_explanation(), page=True)).startswith("<!DOCTYPE")
    assert spacy_attn.render(make_explanation(), page=True, jupyter=True) is None
    assert shown == [f'<div class="tex2jax_ignore mathjax_ignore">{html}</div>'] * 3


def test_in_a_notebook_an_explanation_is_a_picture_of_its_attributions():
    explanation = make_explanation(HOSTILE)
    picture = cast(str, spacy_attn.render(explanation, "contributions"))
    assert picture in explanation._repr_html_()
    assert 'class="tex2jax_ignore mathjax_ignore"' in explanation._repr_html_()
    assert "<script" not in explanation._repr_html_()
    assert "attention" in make_explanation(labels=[])._repr_html_()


def test_wrong_arguments_are_refused_with_what_to_do(trained_nlp):
    explanation, doc = make_explanation(), trained_nlp("great fun")
    for arguments, error, message in (
        (
            (explanation, "dep"),
            ValueError,
            "no style 'dep'; .*'contributions' and 'al",
        ),
        (("great fun",), TypeError, r"not str: pass nlp\(text\)"),
        ((3,), TypeError, "not int"),
        (([explanation, "fun"],), TypeError, "not str"),
        (
            (trained_nlp.make_doc("unseen " * 9),),
            ValueError,
            r"unseen.*…' has no 'doc._.attention'",
        ),
        (
            (doc, "contributions"),
            ValueError,
            r"no 'doc._.contributions': set the",
        ),
    ):
        with pytest.raises(error, match=message):
            spacy_attn.render(*arguments)
    for options, message in (
        (
            {"label": "positive", "style": "attention"},
            "same for all labels: leave out the label 'positive'",
        ),
        (
            {"contrast": ("positive", "negative"), "style": "attention"},
            r"leave out the contrast \('positive', 'negative'\)",
        ),
        ({"label": "good"}, "'good'; the document has 'negative', 'positive'"),
        ({"contrast": ("positive", "good")}, "'good'; the document has 'negative', 'positive'"),
        ({"contrast": ("positive", "positive")}, "of the label 'positive' with itself is 0"),
        ({"contrast": "positive"}, "must be a pair of labels, .* but is 'positive'"),
        (
            {"contrast": ("positive", "negative"), "label": "positive"},
            "one of them alone can be shown",
        ),
        ({"by": "word"}, "'by' must be one of token, sentence, entity, but is 'word'"),
        ({"by": "sentence"}, "looked for the sentences of 'great fun .*'sentencizer'"),
        ({"by": "entity"}, "looked for the entities of 'great fun .*'ner'"),
        ({"fold": -1}, "'fold' must be .* but is -1"),
    ):
        with pytest.raises(ValueError, match=message):
            spacy_attn.render(explanation, **options)
