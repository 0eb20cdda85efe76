"""Shaded texts in a terminal."""

import io

import numpy
import pytest
from rich.console import Console

from spacy_attn.interpret.show.scale import SCALES
from spacy_attn.interpret.show.terminal import terminal_view

from .pages import make_explanation


def print_terminal(explanation, style, **settings) -> str:
    console = Console(file=io.StringIO(), width=200, **settings)
    console.print(terminal_view([explanation], style))
    return console.file.getvalue()


EXPLANATION = make_explanation(
    ["not", "fun", "\x1b[2J"],
    spaces=[True, False, False],
    attention=numpy.array([0.25, 0.5, 0.25]),
    attributions=numpy.array([[0, -3.0], [0, 0.5], [0, 0]]),
)


def test_tokens_have_the_colours_of_the_scale_and_negative_ones_a_line_below():
    printed = print_terminal(
        EXPLANATION, "contributions", force_terminal=True, color_system="truecolor"
    )
    scale = SCALES["contributions"]
    for text, level, line in (("not", -12, "4"), ("fun", 3, "53")):
        fill = scale.shade(level).fill["dark"]
        channels = ";".join(str(int(fill[i : i + 2], 16)) for i in (1, 3, 5))
        assert f"\x1b[{line};38;2;238;240;243;48;2;{channels}m{text}\x1b[0m" in printed


def test_a_contrast_is_named_and_sentences_have_bars():
    explanation = make_explanation(
        ["not", "fun"],
        attributions=numpy.array([[0, -3.0], [0, 1.5]]),
        sentences=((0, 1, ""), (1, 2, "")),
        contrast=("positive", "negative"),
    )
    console = Console(file=io.StringIO(), width=100, color_system=None)
    console.print(terminal_view([explanation], "contributions", by="sentence"))
    printed = console.file.getvalue()
    assert "positive rather than negative, " in printed
    assert "−3.000 not" in printed
    assert "+1.500 fun" in printed
    assert "blue: for “positive”, orange, underlined: for “negative”" in " ".join(printed.split())


@pytest.mark.parametrize(
    ("style", "strongest"),
    [
        ("attention", "fun 50.0\xa0%, not 25.0\xa0%, ␛[2J 25.0\xa0%"),
        ("contributions", "not −3.000, fun +0.500, ␛[2J +0.000"),
    ],
)
def test_without_colours_the_text_and_the_strongest_tokens_are_there(style, strongest):
    printed = print_terminal(EXPLANATION, style)
    assert "\x1b" not in printed
    assert "not fun␛[2J" in printed
    assert f"strongest: {strongest}" in printed


def test_brackets_are_text_and_no_markup():
    assert "[bold]x[/bold]" in print_terminal(make_explanation(["[bold]x[/bold]"]), "attention")


def test_a_document_without_tokens_is_shown():
    assert "(no tokens)" in print_terminal(make_explanation([]), "attention")
