"""The report page in a real browser, where every control does what it says, and rendered texts.

Needs Chromium and the extra `browser-test`; skipped without.
"""

from typing import cast

import numpy
import pytest

import spacy_attn
from spacy_attn import Alignment
from spacy_attn.interpret.counterfactuals import Counterfactual
from spacy_attn.interpret.show.report_page import report
from spacy_attn.interpret.show.scale import SCALES
from spacy_attn.pipeline.decisions import Decisions

from ..chromium import open_chromium, playwright
from .pages import HOSTILE, make_explanation

LABELS = ("negative", "positive")
N_DOCUMENTS = 500
BATCH = 6


def make_documents(n_documents: int):
    """Documents of 1 to 300 tokens, the first of hostile ones, with scores and gold labels that
    differ."""
    random = numpy.random.default_rng(0)
    explanations, cats = [], []
    for i in range(n_documents):
        length = 300 if i == 1 else int(random.integers(1, 40))
        tokens = HOSTILE if i == 0 else [f"word{n}" for n in random.integers(0, 99, length)]
        positive = random.random()
        explanations.append(
            make_explanation(
                tokens,
                LABELS,
                seed=i,
                scores=numpy.array([1 - positive, positive], dtype="f"),
                attributions=random.normal(size=(len(tokens), 2)) * 2 / len(tokens),
            )
        )
        gold = LABELS[int(random.random() < positive)]
        cats.append({label: float(label == gold) for label in LABELS})
    return explanations, cats


EXPLANATIONS, CATS = make_documents(N_DOCUMENTS)
GOLD = [max(cats, key=cats.get) for cats in CATS]
PREDICTED = [LABELS[int(explanation.scores.argmax())] for explanation in EXPLANATIONS]
CONFIDENCE = [float(explanation.scores.max()) for explanation in EXPLANATIONS]


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    with open_chromium(tmp_path_factory.mktemp("chromium")) as context:
        yield context


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    html = report(EXPLANATIONS, CATS, Decisions(LABELS, exclusive=True), direction="ltr")
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(html, encoding="utf8")
    return path.as_uri()


@pytest.fixture
def page(context, address):
    page = context.new_page()
    page.set_viewport_size({"width": 1200, "height": 900})
    problems, requests = [], []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text))
    page.on("request", lambda request: requests.append(request.url.partition("#")[0]))
    page.goto(address)
    yield page
    assert not problems
    assert set(requests) == {address}
    page.close()


def numbers(page) -> list[int]:
    """The numbers of the documents in the page, in their order."""
    return page.eval_on_selector_all("article", "all => all.map(one => Number(one.dataset.number))")


def count(page) -> int:
    return int(page.inner_text("#count").split()[0])


def where(condition) -> list[int]:
    return [i for i in range(N_DOCUMENTS) if condition(i)]


def assert_shown(page, expected: list[int]) -> None:
    assert count(page) == len(expected)
    shown = numbers(page)
    assert len(shown) >= min(BATCH, len(expected))
    assert shown == expected[: len(shown)]


def shades(page, number: int) -> list[str]:
    tokens = f"article[data-number='{number}'] .sa-t"
    name = "one => one.className.split(/ (?:sa-)?/)[1]"
    return page.eval_on_selector_all(tokens, f"all => all.map({name})")


def rounded(values) -> numpy.ndarray:
    """Values as they are in the page."""
    return numpy.array([float(f"{value:.3g}") for value in values])


def names(style: str, values) -> list[str]:
    scale = SCALES[style]
    return [scale.name(level) for level in scale.levels(rounded(values))]


def contrasted(number: int, label: str, other: str) -> list[str]:
    """The shades of what speaks for one label and not for another."""
    one, two = (rounded(EXPLANATIONS[number].of_label(each)) for each in (label, other))
    scale = SCALES["contributions"]
    return [scale.name(level) for level in scale.levels(one - two)]


def first_shades(number: int) -> list[str]:
    """Those that the page begins with."""
    gold, predicted = GOLD[number], PREDICTED[number]
    if gold != predicted:
        return contrasted(number, gold, predicted)
    return names("contributions", EXPLANATIONS[number].of_label(predicted))


def test_filters_show_the_documents_they_name(page):
    assert_shown(page, where(lambda i: True))
    page.check("[name=correct][value=true]", force=True)
    assert_shown(page, where(lambda i: GOLD[i] == PREDICTED[i]))
    page.check("[name=correct][value=false]", force=True)
    assert_shown(page, where(lambda i: GOLD[i] != PREDICTED[i]))
    page.select_option("[name=gold]", label="positive")
    assert_shown(page, where(lambda i: (GOLD[i], PREDICTED[i]) == ("positive", "negative")))
    page.check("[name=correct][value='']", force=True)
    page.select_option("[name=gold]", label="any")
    page.select_option("[name=predicted]", label="positive")
    assert_shown(page, where(lambda i: PREDICTED[i] == "positive"))
    page.click("[type=reset]")
    playwright.expect(page.locator("#count")).to_have_text("500 documents")
    page.fill("[name=from]", "60")
    page.fill("[name=to]", "70")
    assert_shown(page, where(lambda i: 0.6 <= round(CONFIDENCE[i], 3) <= 0.7))
    assert page.inner_text("#confidence-range") == "60 – 70\xa0%"


def test_what_is_chosen_is_in_the_address_and_there_again_when_it_is_opened(page, address, context):
    page.check("[name=correct][value=false]", force=True)
    page.select_option("[name=gold]", label="positive")
    page.select_option("[name=label]", label="negative")
    page.check("[name=style][value=attention]", force=True)
    page.check("[name=style][value=contributions]", force=True)
    page.select_option("[name=sort]", "-length")
    page.fill("[name=search]", "word7 & <b>")
    page.fill("[name=search]", "word7")
    page.fill("[name=to]", "90")
    page.wait_for_url("**to=90**")
    assert page.url.startswith(address + "#")
    other = context.new_page()
    other.goto(page.url)
    assert numbers(other)[:BATCH] == numbers(page)[:BATCH]
    assert 0 < count(other) == count(page) < N_DOCUMENTS
    assert other.input_value("[name=search]") == "word7"
    assert other.inner_text("#confidence-range") == "0 – 90\xa0%"
    shown = numbers(other)[0]
    assert shades(other, shown) == shades(page, shown)
    other.close()


def test_back_and_forward_go_through_what_was_chosen(page, address):
    page.select_option("[name=gold]", label="positive")
    page.wait_for_url("**#gold=1")
    page.locator(".cell").nth(1).click()
    page.wait_for_url("**gold=0**")
    page.go_back()
    playwright.expect(page.locator("#count")).to_have_text(
        f"{GOLD.count('positive')} of 500 documents"
    )
    assert page.locator("[aria-pressed=true]").count() == 0
    page.go_back()
    playwright.expect(page.locator("#count")).to_have_text("500 documents")
    page.go_forward()
    assert page.input_value("[name=gold]") == "1"
    page.click("[type=reset]")
    page.wait_for_url(lambda url: url.rstrip("#") == address)
    assert_shown(page, where(lambda i: True))


@pytest.mark.parametrize(
    "hostile", ["gold=9&sort=up&style=x&from=z&label=-1", "__proto__=1&%", "a"]
)
def test_an_address_with_what_there_is_not_shows_everything(page, address, hostile):
    page.goto(f"{address}#{hostile}")
    assert_shown(page, where(lambda i: True))
    assert shades(page, 2) == first_shades(2)
    page.reload()
    assert_shown(page, where(lambda i: True))


def test_titles_break_between_words_and_parts_of_paths(context, tmp_path):
    path = tmp_path / "report.html"
    title = "training/model-best on movie_reviews/validation_test.parquet"
    html = report(EXPLANATIONS[:3], CATS[:3], Decisions(LABELS, exclusive=True), title=title)
    path.write_text(html, encoding="utf8")
    page = context.new_page()
    page.set_viewport_size({"width": 300, "height": 700})
    page.goto(path.as_uri())
    assert page.inner_text("h1") == title
    # Each piece between two places where a line may break stands on one line.
    pieces = """h1 => [...h1.childNodes].filter(node => node.nodeType === 3).flatMap(node =>
        [...node.data.matchAll(/\\S+/g)].map(found => {
            const range = document.createRange();
            range.setStart(node, found.index);
            range.setEnd(node, found.index + found[0].length);
            return new Set([...range.getClientRects()].map(box => box.top)).size;
        }))"""
    assert set(page.eval_on_selector("h1", pieces)) == {1}
    assert page.evaluate("document.documentElement.scrollWidth") <= 300
    page.close()


def test_search_finds_texts_whatever_their_case(page):
    page.fill("[name=search]", " WORD7 word")
    assert_shown(page, where(lambda i: "word7 word" in EXPLANATIONS[i].text))
    page.fill("[name=search]", "<SCRIPT>")
    assert_shown(page, [0])
    page.fill("[name=search]", "nowhere")
    assert_shown(page, [])


@pytest.mark.parametrize(
    ("choice", "key"),
    [
        ("-confidence", lambda i: -CONFIDENCE[i]),
        ("confidence", lambda i: CONFIDENCE[i]),
        ("-loss", lambda i: float(EXPLANATIONS[i].scores[LABELS.index(GOLD[i])])),
        ("loss", lambda i: -float(EXPLANATIONS[i].scores[LABELS.index(GOLD[i])])),
        ("-length", lambda i: -len(EXPLANATIONS[i].tokens)),
        ("length", lambda i: len(EXPLANATIONS[i].tokens)),
    ],
)
def test_documents_are_sorted(page, choice, key):
    page.select_option("[name=sort]", choice)
    shown = [key(i) for i in numbers(page)]
    assert shown == pytest.approx(sorted(map(key, range(N_DOCUMENTS)))[: len(shown)], abs=6e-3)


def test_a_cell_of_the_table_shows_its_documents_and_hides_them_again(page):
    cell = page.locator(".cell").nth(1)
    cell.click()
    expected = where(lambda i: (GOLD[i], PREDICTED[i]) == ("negative", "positive"))
    assert_shown(page, expected)
    assert cell.inner_text() == str(len(expected))
    assert cell.get_attribute("aria-pressed") == "true"
    cell.click()
    assert_shown(page, where(lambda i: True))


def test_tokens_have_the_shades_of_what_is_chosen(page):
    for number in (0, 2):
        assert shades(page, number) == first_shades(number)
    page.select_option("[name=label]", "predicted")
    assert shades(page, 2) == names("contributions", EXPLANATIONS[2].of_label(PREDICTED[2]))
    page.select_option("[name=label]", "gold")
    assert shades(page, 2) == names("contributions", EXPLANATIONS[2].of_label(GOLD[2]))
    page.select_option("[name=label]", label="negative")
    assert shades(page, 2) == names("contributions", EXPLANATIONS[2].of_label("negative"))
    page.check("[name=style][value=attention]", force=True)
    assert shades(page, 2) == names("attention", EXPLANATIONS[2].attention)
    assert page.is_visible("[data-legend=attention]")
    assert not page.is_visible("[data-legend=contributions]")
    assert page.is_disabled("[name=label]")
    # Those further down get theirs when they come into view.
    last = numbers(page)[-1]
    page.locator(f"article[data-number='{last}']").scroll_into_view_if_needed()
    shaded = page.locator(f"article[data-number='{last}'] [class*=' sa-a']")
    playwright.expect(shaded).not_to_have_count(0)
    assert shades(page, last) == names("attention", EXPLANATIONS[last].attention)


def test_a_wrong_document_begins_with_the_gold_label_rather_than_the_predicted_one(page):
    page.check("[name=correct][value=false]", force=True)
    wrong = next(i for i in numbers(page) if len(EXPLANATIONS[i].tokens) <= 100)
    shown = page.locator(f"article[data-number='{wrong}'] .doc-shown")
    named = f"{GOLD[wrong]} rather than {PREDICTED[wrong]}"
    playwright.expect(shown).to_have_text(f"shaded for {named}")
    assert shades(page, wrong) == first_shades(wrong)
    page.locator(f"article[data-number='{wrong}'] .sa-t").first.hover()
    assert page.inner_text("#tip").splitlines()[-1].startswith(named)
    assert page.is_disabled("[name=other]")
    page.select_option("[name=label]", label="negative")
    page.select_option("[name=other]", label="positive")
    assert shades(page, wrong) == contrasted(wrong, "negative", "positive")
    page.wait_for_url("**label=0&other=1**")
    # With itself, a label is compared with nothing.
    page.select_option("[name=other]", label="negative")
    assert shades(page, wrong) == names("contributions", EXPLANATIONS[wrong].of_label("negative"))


def test_the_tokens_that_a_decision_hangs_on_are_marked_and_named(context, tmp_path):
    path = tmp_path / "report.html"
    explanation = make_explanation(HOSTILE)
    settings = {"scores": explanation.scores, "n_predictions": 9, "before": ("positive",)}
    found = Counterfactual(
        explanation, removed=(0, 3), after=("negative",), smallest=True, **settings
    )
    other = Counterfactual(explanation, removed=(1,), after=(), smallest=False, **settings)
    by = Decisions(LABELS, exclusive=True)
    html = report([explanation] * 3, [{}] * 3, by, counterfactuals=[found, None, other])
    path.write_text(html, "utf8")
    page = context.new_page()
    page.goto(path.as_uri())
    marked = "all => all.map(one => one.classList.contains('removed'))"
    tokens = page.locator("article[data-number='0'] .sa-t")
    assert tokens.evaluate_all(marked) == [i in (0, 3) for i in range(len(HOSTILE))]
    one, two = page.locator(".doc-hangs").all_inner_texts()
    assert one == (
        "without “<script>alert(1)</script>”, “</style>”: negative (no smaller set of tokens "
        "changes it)"
    )
    assert two.endswith(": no label")
    assert page.locator("article[data-number='1'] .doc-hangs").count() == 0
    page.close()


def test_a_report_can_begin_with_a_contrast(context, tmp_path):
    path = tmp_path / "report.html"
    by = Decisions(LABELS, exclusive=True)
    path.write_text(report(EXPLANATIONS[:3], CATS[:3], by, contrast=("negative", "positive")))
    page = context.new_page()
    page.goto(path.as_uri())
    assert shades(page, 2) == contrasted(2, "negative", "positive")
    page.close()


def test_all_documents_come_while_scrolling(page):
    page.fill("[name=from]", "90")
    n_found = count(page)
    assert n_found > 3 * BATCH
    for _ in range(60):
        page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
        page.wait_for_timeout(20)
        if len(numbers(page)) == n_found:
            break
    assert len(set(numbers(page))) == n_found
    assert not page.is_visible("#more")


def test_the_mouse_and_the_arrow_keys_show_the_numbers_of_a_token(page):
    text = page.locator("article[data-number='2'] .sa-text")
    text.locator(".sa-t").nth(3).hover()
    shown = page.inner_text("#tip")
    weight = float(f"{EXPLANATIONS[2].attention[3]:.3g}")
    assert shown.startswith(EXPLANATIONS[2].tokens[3])
    assert f"{100 * weight:.2f}\xa0%" in shown
    page.mouse.move(2, 2)
    assert not page.is_visible("#tip")
    text.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    assert page.inner_text("#tip").startswith(EXPLANATIONS[2].tokens[1])
    assert page.inner_text("#spoken").startswith(f"{EXPLANATIONS[2].tokens[1]}, attention ")
    page.keyboard.press("End")
    assert page.inner_text("#tip").startswith(EXPLANATIONS[2].tokens[-1])
    page.keyboard.press("Escape")
    assert not page.is_visible("#tip")


def test_the_numbers_of_a_token_are_under_the_name_of_their_method(context, tmp_path):
    explanation = make_explanation(method="leave_one_out")
    path = tmp_path / "report.html"
    path.write_text(report([explanation], [{}], Decisions(LABELS, exclusive=True)), "utf8")
    page = context.new_page()
    page.goto(path.as_uri())
    page.locator(".sa-t").first.hover()
    rows = [row.split("\t")[0] for row in page.inner_text("#tip table").splitlines()]
    assert rows == ["attention", "× the average", "leave one out", "negative", "positive"]
    page.close()


def test_long_documents_unfold(page):
    button = page.locator("article[data-number='1'] .unfold")
    every = first_shades(1)
    assert shades(page, 1) == every[:100]
    assert button.inner_text() == "Show all 300 tokens"
    button.click()
    assert shades(page, 1) == every
    button.click()
    assert shades(page, 1) == every[:100]


def test_hostile_texts_are_shown_as_they_are(page):
    shown = page.locator("article[data-number='0'] .sa-text")
    playwright.expect(shown).to_contain_text("<script>alert(1)</script>")
    playwright.expect(shown).to_contain_text("a↵b")
    assert page.locator("article img").count() == 0


def test_everything_can_be_reached_with_the_keyboard(page):
    reached = set()
    for _ in range(26):
        page.keyboard.press("Tab")
        name = "(({name, id, className}) => name || id || className)(document.activeElement)"
        reached.add(page.evaluate(name))
    wanted = {"theme", "cell", "style", "label", "search", "correct", "gold", "predicted"}
    assert wanted | {"from", "to", "sort", "sa-text"} <= {name.split(" ")[0] for name in reached}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_follows_the_system_until_it_is_chosen(page, scheme):
    page.emulate_media(color_scheme=scheme)
    colors = {"light": "rgb(26, 29, 33)", "dark": "rgb(238, 240, 243)"}

    def ink():
        return page.evaluate("getComputedStyle(document.body).color")

    assert ink() == colors[scheme]
    page.click("#theme")
    assert ink() == colors["light"]
    page.click("#theme")
    assert ink() == colors["dark"]
    page.click("#theme")
    assert ink() == colors[scheme]


def test_a_phone_shows_all_within_its_width(page):
    page.set_viewport_size({"width": 360, "height": 700})
    page.reload()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.click("#controls summary")
    assert page.is_visible("[name=search]")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_independent_labels_can_be_filtered_by_what_a_document_does_not_have(context, tmp_path):
    explanations = [
        make_explanation(seed=seed, scores=numpy.array(scores))
        for seed, scores in enumerate([[0.9, 0.8], [0.1, 0.9], [0.2, 0.3]])
    ]
    cats = [{"negative": 1.0, "positive": 0.0}, {"negative": 0.0, "positive": 1.0}, {}]
    path = tmp_path / "report.html"
    path.write_text(report(explanations, cats, Decisions(LABELS, exclusive=False)), "utf8")
    page = context.new_page()
    page.goto(path.as_uri())
    page.select_option("[name=predicted]", label="not negative")
    assert numbers(page) == [1, 2]
    # "positive" was predicted alone for the first document.
    page.click("[type=reset]")
    playwright.expect(page.locator("article")).to_have_count(3)
    page.locator(".cell").nth(6).click()
    assert numbers(page) == [0]
    page.close()


def test_screen_readers_are_told_the_values_in_rendered_documents(context, tmp_path):
    path = tmp_path / "render.html"
    explanation = make_explanation(attention=numpy.array([0.25, 0.75]))
    path.write_text(cast(str, spacy_attn.render(explanation, page=True)), "utf8")
    page = context.new_page()
    page.goto(path.as_uri())
    text = page.locator("p.sa-text")
    assert "great (25.0 %) fun (75.0 %)" in " ".join(text.aria_snapshot().split())
    # They are neither copied nor in the way of a search in the page.
    text.select_text()
    assert page.evaluate("getSelection().toString()").strip() == "great fun"
    page.close()


@pytest.mark.parametrize(
    ("host", "light"),
    [
        ('data-jp-theme-light="false"', False),
        ('data-jp-theme-light="true"', True),
        ('class="vscode-dark"', False),
        ('data-theme="light"', True),
    ],
)
def test_in_a_notebook_the_theme_is_that_of_the_notebook(context, tmp_path, host, light):
    path = tmp_path / "notebook.html"
    path.write_text(f"<body {host}>{spacy_attn.render(make_explanation())}</body>", "utf8")
    page = context.new_page()
    page.emulate_media(color_scheme="dark" if light else "light")
    page.goto(path.as_uri())
    paper = page.eval_on_selector(".spacy-attn", "one => getComputedStyle(one).backgroundColor")
    assert paper == ("rgb(255, 255, 255)" if light else "rgb(21, 24, 29)")
    page.close()


def test_in_a_notebook_paragraphs_keep_their_direction_and_margins(context, tmp_path):
    path = tmp_path / "notebook.html"
    style = "<style>.jp-RenderedHTMLCommon p { text-align: left; margin: 0 0 1em }</style>"
    html = spacy_attn.render(make_explanation(["שלום", "עולם"]))
    path.write_text(f'{style}<body class="jp-RenderedHTMLCommon">{html}{style}</body>', "utf8")
    page = context.new_page()
    page.goto(path.as_uri())
    computed = "one => { const s = getComputedStyle(one); return [s.textAlign, s.marginBottom] }"
    assert page.eval_on_selector(".sa-text", computed) == ["start", "0px"]
    page.close()


# Alignments


@pytest.fixture
def matrix(context, tmp_path):
    """Open the page of an alignment of 100 words with 80."""
    weights = numpy.random.default_rng(0).dirichlet(numpy.full(100, 0.05), 80)
    words = [f"Wort{i}" for i in range(100)], [f"word{i}" for i in range(80)]
    html = spacy_attn.render(Alignment(*words, weights), "alignment", page=True)
    path = tmp_path / "alignment.html"
    path.write_text(cast(str, html), "utf8")
    page = context.new_page()
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(path.as_uri())
    yield page
    page.close()


def place(page, selector):
    box = page.locator(selector).bounding_box()
    return round(box["x"]), round(box["y"])


def test_a_long_alignment_scrolls_in_its_box_and_its_words_stay_in_sight(matrix):
    assert matrix.evaluate("document.documentElement.scrollWidth") <= 390
    first_column, first_row = "thead th >> nth=0", "tbody th >> nth=0"
    (_, top), (left, _) = place(matrix, first_column), place(matrix, first_row)
    matrix.eval_on_selector(".sa-scroll", "one => one.scrollTo(500, 500)")
    assert matrix.eval_on_selector(".sa-scroll", "one => one.scrollLeft + one.scrollTop") == 1000
    assert place(matrix, first_column)[1] == top
    assert place(matrix, first_row)[0] == left
    assert matrix.evaluate("scrollX + scrollY") == 0


def test_the_keyboard_scrolls_an_alignment(matrix):
    matrix.keyboard.press("Tab")
    assert matrix.evaluate("document.activeElement.className") == "sa-scroll"
    matrix.keyboard.press("ArrowRight")
    matrix.wait_for_function("document.activeElement.scrollLeft > 0")


def test_screen_readers_read_an_alignment_as_a_table_with_numbers(context, tmp_path):
    path = tmp_path / "alignment.html"
    alignment = Alignment(["ein", "Haus"], ["house"], [[0.1, 0.9]])
    path.write_text(cast(str, spacy_attn.render(alignment, "alignment", page=True)), "utf8")
    page = context.new_page()
    page.goto(path.as_uri())
    assert page.get_by_role("region", name="Alignment of house").is_visible()
    assert page.get_by_role("columnheader").all_inner_texts() == ["ein", "Haus"]
    assert page.get_by_role("rowheader").all_inner_texts() == ["house"]
    assert page.locator("tbody").get_by_role("cell").all_inner_texts() == ["10", "90"]
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_strongest_weight_is_the_furthest_from_the_paper(matrix, scheme):
    matrix.emulate_media(color_scheme=scheme)
    fill = "all => all.map(one => getComputedStyle(one).backgroundColor)"
    fills = {*matrix.eval_on_selector_all("i.sa-g20", fill)}
    assert fills == {"rgb(26, 29, 33)" if scheme == "light" else "rgb(238, 240, 243)"}


def test_in_a_notebook_cells_are_as_they_are_elsewhere(context, tmp_path):
    """Notebooks pad cells, and shade every other row and the one under the mouse."""
    rules = """<style>
    .jp-RenderedHTMLCommon table { table-layout: fixed; margin-left: auto; font-size: 12px }
    .jp-RenderedHTMLCommon thead { border-bottom: 3px solid; vertical-align: bottom }
    .jp-RenderedHTMLCommon td, .jp-RenderedHTMLCommon th, .jp-RenderedHTMLCommon tr {
      vertical-align: middle; padding: .5em; text-align: right; max-width: none }
    .jp-RenderedHTMLCommon th { font-weight: bold }
    .jp-RenderedHTMLCommon tbody tr:nth-child(odd) { background: red }
    .jp-RenderedHTMLCommon tbody tr:hover { background: blue }
    </style>"""
    html = spacy_attn.render(Alignment(["ein", "Haus"], ["house"], [[0.1, 0.9]]), "alignment")
    computed = """all => all.map(one => { const s = getComputedStyle(one); return [
        s.padding, s.backgroundColor, s.textAlign, s.fontWeight, s.width, s.borderWidth] })"""
    seen = []
    for before in ("", rules):
        path = tmp_path / "notebook.html"
        body = f'<body class="jp-RenderedHTMLCommon" data-jp-theme-light="true">{html}{before}'
        path.write_text(body, "utf8")
        page = context.new_page()
        page.goto(path.as_uri())
        page.locator(".sa-c").first.hover()
        parts = ".sa-grid, .sa-grid thead, .sa-grid tr, .sa-grid td, .sa-grid th"
        seen.append(page.eval_on_selector_all(parts, computed))
        page.close()
    assert seen[0] == seen[1]
