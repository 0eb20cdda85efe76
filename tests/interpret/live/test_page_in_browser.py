"""The page to type into, served and used in a real browser, by two people at once.

Needs Gradio, Chromium and the extra `browser-test`; skipped without.
"""

import pytest

from spacy_attn.interpret.subject import Classifier

from ...conftest import TEXTS
from ..chromium import open_chromium, playwright
from ..show.pages import HOSTILE

pytest.importorskip("gradio")
from spacy_attn.interpret.live.live_page import launch, make_page

# Gradio's own warnings, in threads of its own, are none of ours, and an error would end its work.
pytestmark = pytest.mark.filterwarnings("default")
TEXT = "A gorgeous, witty, seductive movie."
MARKUP = "<img src=x onerror=alert(1)> <script>alert(1)</script> {{7*7}} ${alert(1)} `x` \\0 & a\nb"
EXAMPLES = [(TEXT, TEXTS[TEXT]), (" ".join(HOSTILE), "<b>none</b>")]
LONG = 10_000
expect = playwright.expect


@pytest.fixture(scope="module")
def classifier(trained_nlp):
    return Classifier(trained_nlp)


@pytest.fixture(scope="module")
def address(classifier):
    page = make_page(classifier, EXAMPLES, "<i>Try</i> it")
    yield launch(page, host="127.0.0.1", port=None)
    page.close()


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    with open_chromium(tmp_path_factory.mktemp("chromium")) as context:
        context.set_default_timeout(60_000)
        yield context


@pytest.fixture
def visit(context, address):
    """Opens the page, and checks at the end that nothing went wrong and nobody else was asked."""
    pages, problems, requests = [], [], []

    def open_page(query=""):
        page = context.new_page()
        page.set_viewport_size({"width": 1200, "height": 900})
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("dialog", lambda dialog: problems.append(dialog.message))
        page.on("console", lambda line: line.type == "error" and problems.append(line.text))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(address + query)
        pages.append(page)
        return page

    expect.set_options(timeout=60_000)
    yield open_page
    for page in pages:
        page.close()
    assert not problems
    assert {url for url in requests if not url.startswith((address, "data:", "blob:"))} == set()


def shown(page, number=0):
    """The tokens of the text, or of what remains of it."""
    return page.locator("#picture .sa-doc").nth(number).locator(".sa-t")


def tokens(classifier, text):
    return [token.text for token in classifier.nlp.make_doc(text)]


def test_a_text_is_classified_while_it_is_typed(visit, classifier):
    page = visit("?text=")
    page.locator("textarea").first.press_sequentially("great fun")
    expect(shown(page)).to_have_text(["great", "fun"])
    score = classifier.nlp("great fun").cats["positive"]
    expect(page.locator("#scores tbody tr").first).to_contain_text(f"positive {score:.3f}")
    page.locator("textarea").first.press_sequentially(" and dull")
    expect(shown(page)).to_have_text(["great", "fun", "and", "dull"])
    expect(page.get_by_role("gridcell", name="dull", exact=True).first).to_be_visible()
    page.wait_for_url("**/?text=great+fun+and+dull")
    page.get_by_role("radio", name="Attention").check()
    expect(page.locator("#picture .sa-legend")).to_contain_text("share of the attention")
    page.wait_for_url("**style=attention")
    page.locator("textarea").first.fill("")
    expect(page.locator("#picture .sa-doc")).to_have_count(0)


def test_a_token_is_left_out_and_put_back(visit, classifier):
    page = visit()
    expect(shown(page)).to_have_text(tokens(classifier, TEXT))
    shown(page).nth(1).click()
    expect(shown(page, 1)).to_have_text([t for t in tokens(classifier, TEXT) if t != "gorgeous"])
    expect(page.locator("#picture .sa-out")).to_have_text("gorgeous")
    expect(page.locator("#scores p").first).to_contain_text("Without gorgeous:")
    expect(page.locator("#scores thead")).to_contain_text("change")
    shown(page, 1).nth(2).click()  # the same as "witty" in the text
    expect(page.locator("#picture .sa-out")).to_have_text(["gorgeous", "witty"])
    page.wait_for_url("**without=1.3")
    page.get_by_role("button", name="Put all tokens back").click()
    expect(page.locator("#picture .sa-doc")).to_have_count(1)
    page.wait_for_url(lambda url: "without" not in url)


def test_tokens_are_left_out_with_the_keyboard_which_stays_where_it_was(visit, classifier):
    page = visit()
    expect(shown(page)).to_have_text(tokens(classifier, TEXT))
    text = page.locator("#picture .sa-text").first
    text.focus()
    for key in ("ArrowRight", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#picture .sa-out")).to_have_text("gorgeous")
    expect(text).to_be_focused()
    for key in ("End", "ArrowLeft", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#picture .sa-out")).to_have_text(["gorgeous", "movie"])


def test_a_link_holds_what_is_shown(visit):
    page = visit("?text=great+fun&label=negative&other=positive&without=1")
    expect(page.locator("#picture .sa-out")).to_have_text("fun")
    expect(page.locator("#picture .sa-doc").first).to_contain_text("negative rather than positive")
    expect(page.locator("#link textarea")).to_have_value(page.url)
    page = visit("?text=great+fun&label=negative&other=negative&style=none&without=99.x")
    expect(page.locator("#scores .sa-note")).to_contain_text("cannot be compared with itself")
    expect(page.locator("#picture .sa-legend")).to_contain_text("contributes to “negative”")
    expect(page.locator("#picture .sa-out")).to_have_count(0)


def test_markup_is_shown_as_it_is_and_examples_are_whole(visit, classifier):
    page = visit()
    expect(shown(page)).to_have_text(tokens(classifier, TEXT))
    page.locator("textarea").first.fill(MARKUP)
    visible = [t.replace("\n", "↵") for t in tokens(classifier, MARKUP)]
    expect(shown(page)).to_have_text(visible)
    for i in (0, 3):
        shown(page).nth(i).click()
        expect(page.locator("#picture .sa-doc")).to_have_count(2)
    expect(page.locator("h1")).to_have_text("<i>Try</i> it")
    page.get_by_text("<b>none</b>").click()
    expect(page.locator("textarea").first).to_have_value(" ".join(HOSTILE))
    expect(shown(page).first).to_have_text("<")
    made = page.locator("#picture img, #scores img, table img, h1 i, .sa-examples b")
    assert made.evaluate_all("all => all.map((one) => one.outerHTML)") == []


def test_a_text_of_ten_thousand_tokens_is_shown_whole(visit):
    page = visit("?text=")
    text = " ".join(f"word{i}" for i in range(LONG))
    page.locator("textarea").first.fill(text)
    expect(shown(page)).to_have_count(LONG)
    expect(page.locator("#link textarea")).to_have_value("The text is too long for a link.")
    page.locator("#picture summary").click()
    shown(page).nth(LONG - 1).click()
    expect(page.locator("#picture .sa-out")).to_have_text(f"word{LONG - 1}")
    expect(shown(page, 1)).to_have_count(LONG - 1)
    assert page.locator("#picture details").first.get_attribute("open") is not None


def test_two_people_see_their_own_texts(visit):
    texts = {"great fun": "fun", "dull , long": "long"}
    pages = [visit("?text=") for _ in texts]
    for i in range(max(map(len, texts))):
        for page, text in zip(pages, texts, strict=True):
            page.locator("textarea").first.press_sequentially(text[i : i + 1])
    for page, text in zip(pages, texts, strict=True):
        expect(shown(page)).to_have_text(text.split())
    for page in pages:
        shown(page).last.click()
    for page, (text, last) in zip(pages, texts.items(), strict=True):
        expect(page.locator("#picture .sa-out")).to_have_text(last)
        expect(shown(page, 1)).to_have_text(text.split()[:-1])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_within_its_width_in_the_theme_of_the_system(visit, scheme):
    page = visit("?text=great+fun+" + "long" * 60)
    page.set_viewport_size({"width": 390, "height": 700})
    page.emulate_media(color_scheme=scheme)
    page.reload()
    expect(shown(page)).to_have_count(3)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    color = page.locator("#picture .spacy-attn").evaluate("one => getComputedStyle(one).color")
    assert color == {"light": "rgb(26, 29, 33)", "dark": "rgb(238, 240, 243)"}[scheme]


def test_nothing_is_sent_to_other_machines(visit, classifier, monkeypatch):
    """Neither by the page, as every test checks, nor by Gradio when a page is made and served."""
    import socket

    asked = []
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def watch_connect(self, to):
        asked.append(to[0] if isinstance(to, tuple) else "")
        return connect(self, to)

    def watch_resolve(host, *rest, **settings):
        asked.append(host)
        return resolve(host, *rest, **settings)

    monkeypatch.setattr(socket.socket, "connect", watch_connect)
    monkeypatch.setattr(socket, "getaddrinfo", watch_resolve)
    page = make_page(classifier, EXAMPLES, "Try it")
    launch(page, host="127.0.0.1", port=None)
    page.close()
    assert set(asked) <= {"127.0.0.1", "localhost", ""}
