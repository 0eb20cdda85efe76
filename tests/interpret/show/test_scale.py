"""The shades: legible, told apart without colour, and the same for all documents."""

import re

import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spacy_attn.interpret.show.scale import INK, PAPER, SCALES
from spacy_attn.interpret.show.templating import fill_template

THEMES = tuple(PAPER)
CSS = fill_template("shades.css.jinja", styles=None)
PAIR = r"light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)"
FILLS = re.findall(rf"\.sa-(\w+) {{ background: {PAIR};", CSS)


def luminance(color: str) -> float:
    """Relative luminance as WCAG 2.2 defines it."""
    channels = [int(color[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def test_black_on_white_has_the_contrast_of_the_standard():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


def test_text_is_legible_on_every_shade_in_both_themes():
    assert len(FILLS) == 15 + 2 * 12
    for name, *fills in FILLS:
        for theme, fill in zip(THEMES, fills, strict=True):
            assert contrast(INK[theme], fill) >= 4.5, (name, theme)


def test_the_rest_of_the_text_is_legible_in_both_themes():
    for name in ("quiet", "accent"):
        ((light, dark),) = re.findall(rf"--sa-{name}: {PAIR}", CSS)
        assert contrast(light, PAPER["light"]) >= 4.5
        assert contrast(dark, PAPER["dark"]) >= 4.5


@pytest.mark.parametrize("theme", THEMES)
def test_stronger_shades_are_further_from_the_paper(theme):
    for scale in SCALES.values():
        for sign in (1, -1) if scale.signed else (1,):
            steps = [
                contrast(scale.shade(sign * level).fill[theme], PAPER[theme])
                for level in range(scale.n_levels + 1)
            ]
            assert steps == sorted(steps)
            assert steps[-1] > 1.7


def test_signs_are_told_apart_by_the_place_of_a_line_too():
    for name, sign in (("p", ""), ("n", "-")):
        rules = re.findall(rf"\.sa-{name}\d+ {{[^}}]*box-shadow: inset 0 (-?)2px", CSS)
        assert rules == [sign] * 12


def test_a_value_gets_the_shade_whose_step_is_nearest():
    attention, contributions = SCALES["attention"], SCALES["contributions"]
    # Times the four tokens: 0, 0.4, 1.2 and 2.4 of 0.2 a step; then 6 and more are clipped.
    assert attention.levels(numpy.array([0, 0.1, 0.3, 0.6])) == [0, 2, 6, 12]
    assert attention.levels(numpy.array([1.0, 0, 0, 0])) == [15, 0, 0, 0]
    assert contributions.levels(numpy.array([-1.0, -0.0624, 0.0626, 7])) == [-8, 0, 1, 12]
    assert [contributions.name(level) for level in (-3, 0, 3)] == ["n3", "p0", "p3"]


@given(st.lists(st.floats(-2, 2, width=32), min_size=1, max_size=30))
def test_a_shade_depends_on_a_value_and_the_number_of_tokens_alone(values):
    scale = SCALES["contributions"]
    levels = scale.levels(numpy.array(values))
    alone = [scale.levels(numpy.array([value] + [0.0] * (len(values) - 1)))[0] for value in values]
    assert levels == alone
    assert levels == [-level for level in scale.levels(-numpy.array(values))]


@pytest.mark.parametrize("style", SCALES)
def test_equal_weights_look_alike_in_documents_of_any_length(style):
    for n_tokens in (1, 7, 1000):
        (level,) = {*SCALES[style].levels(numpy.full(n_tokens, 1 / n_tokens))}
        assert level * SCALES[style].step == 1.0


def test_what_is_not_a_number_cannot_be_shown():
    with pytest.raises(ValueError, match=r"finite numbers, but are .*nan"):
        SCALES["attention"].levels(numpy.array([0.5, numpy.nan]))
