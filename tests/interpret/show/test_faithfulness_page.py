"""What a faithfulness report says as Markdown and as a page."""

import dataclasses

import pytest
from markdown_it import MarkdownIt

from spacy_attn.interpret.faithfulness.evaluate import evaluate_faithfulness
from spacy_attn.interpret.methods import METHODS
from spacy_attn.interpret.show.faithfulness_page import to_html, to_markdown
from spacy_attn.interpret.show.templating import visible
from spacy_attn.results.explanation import method_name

from ...conftest import make_examples
from .pages import HOSTILE, Page

MARKUP = [
    *HOSTILE,
    "a|b",
    "`x`",
    "**b** _i_ leave_one_out",
    "[l](http://x)",
    "# h",
    "&lt; $x$",
    "\\|",
]


@pytest.fixture(scope="module")
def report(words_nlp):
    """Of every method, with another model and ratings."""
    return evaluate_faithfulness(
        words_nlp,
        make_examples(words_nlp),
        others={"itself": words_nlp},
        ratings={"great": 3.0, "dull": -3.0},
        n_draws=1,
    )


def parse(markdown: str) -> list[str]:
    """The texts of all headings, paragraphs and cells; nothing in them may be markup."""
    texts = []
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        assert token.type not in ("html_block", "fence", "code_block", "bullet_list_open")
        if token.type == "inline":
            assert {child.type for child in token.children} <= {"text", "text_special", "softbreak"}
            texts.append("".join(child.content or " " for child in token.children))
    return texts


def with_text(report, text):
    """The report with a text wherever there can be one of a user."""
    (seeds,) = report.seeds.values()
    return dataclasses.replace(
        report,
        component=text,
        labels=(text, "b"),
        seeds={text: seeds},
        notes=(text,),
        plausibility=dataclasses.replace(report.plausibility, positive_label=text),
    )


@pytest.mark.parametrize("text", MARKUP)
def test_titles_labels_names_and_notes_stay_text_in_html(report, text):
    page = Page(to_html(with_text(report, text), text))
    plain = Page(to_html(with_text(report, "x"), "x"))
    assert [tag for tag, _ in page.elements if tag != "wbr"] == [tag for tag, _ in plain.elements]
    # The titles of the page, the summary, the note, another model, and the positive label.
    assert page.text.count(visible(text)) >= 6
    assert all(character.isprintable() or character in "\n\xa0" for character in page.text)


@pytest.mark.parametrize("text", MARKUP)
def test_titles_labels_names_and_notes_stay_text_in_markdown(report, text):
    hostile = with_text(report, text)
    texts = parse(to_markdown(hostile, text))
    shown = visible(text)
    assert texts[0] == shown
    assert shown in texts[1:]  # the note, and the cell of the other model
    assert any(found.startswith(f"Component '{shown}', labels: {shown}, b.") for found in texts)
    assert any(f"to '{shown}' has the sign" in found for found in texts)
    plain = to_markdown(report, "title")
    assert to_markdown(hostile, text).count(" |\n") == plain.count(" |\n")
    assert len(texts) == len(parse(plain)) + 1  # the note


def test_it_begins_with_what_was_found(report):
    found = {name: result.comprehensiveness.mean for name, result in report.rankings.items()}
    sentence = parse(to_markdown(report, "title"))[1]
    assert sentence == (
        f"Without the tokens ranked first, the score of the predicted label falls on average by "
        f"{found['attention']:.3f} (attention), {found['contributions']:.3f} (contributions), "
        f"{found['gradient_x_input']:.3f} (gradient x input), {found['leave_one_out']:.3f} (leave "
        f"one out), {found['integrated_gradients']:.3f} (integrated gradients), "
        f"{found['chance']:.3f} (chance)."
    )
    assert f"</h1>\n<p>{sentence}</p>" in to_html(report, "title")


@pytest.mark.parametrize("methods", [[], ["contributions"], ["leave_one_out"], list(METHODS)])
def test_it_speaks_of_the_methods_that_were_run_and_of_no_other(words_nlp, methods):
    examples = make_examples(words_nlp)[:3]
    ratings = {"great": 3.0}
    report = evaluate_faithfulness(words_nlp, examples, methods=methods, ratings=ratings, n_draws=1)
    markdown = to_markdown(report, "title").lower()
    for method in METHODS:
        assert (method_name(method) in markdown) == (method in methods), method
    assert ("jain and wallace" in markdown) == ("leave_one_out" in methods)
    assert ("what the methods find" in markdown) == bool(methods)


def test_printed_it_is_one_line_of_comprehensiveness(report):
    assert repr(report).startswith("FaithfulnessReport('attn_textcat', 6 documents, comprehensiven")
    assert f"'attention': {report.rankings['attention'].comprehensiveness}" in repr(report)
    assert len(repr(report)) < 400
