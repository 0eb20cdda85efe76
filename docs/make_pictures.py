"""Take the pictures of the docs, as `spacy_attn.render` shows them.

Usage: python docs/make_pictures.py training/model-best docs
       python docs/make_pictures.py training/lemmas/model-best docs --lemmas

Writes attention-light.png, attention-dark.png, contributions-light.png and contributions-dark.png;
or, with a lemmatizer, alignment-light.png and alignment-dark.png. Needs Chromium and the extra
`browser-test`.
"""

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import spacy
import typer
from playwright.sync_api import BrowserContext, sync_playwright
from spacy.language import Language
from spacy.tokens import Doc

import spacy_attn
from spacy_attn.interpret.show.pictures import Shown
from spacy_attn.results.explanation import Explanation

TEXTS = [
    "A gorgeous, witty, seductive movie.",
    "The plot is thin and the jokes fall flat, but the two leads are so charming that I forgave it "
    "everything.",
]
FORMS = ["slalomistce", "instruujemy"]
THEMES = ("light", "dark")
WIDTH = 780


def main(
    model: str, folder: Path, lemmas: bool = False, chromium: str = shutil.which("chromium") or ""
) -> None:
    nlp = spacy.load(model)
    pictures = _lemmas(nlp) if lemmas else _sentences(nlp)
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as profile:
        for theme in THEMES:
            browser = driver.chromium.launch_persistent_context(
                f"{profile}/{theme}",
                executable_path=chromium or None,
                args=["--no-sandbox", "--disable-gpu"],
                color_scheme=theme,
                viewport={"width": WIDTH, "height": 900},
                device_scale_factor=2,
            )
            for style, shown in pictures.items():
                photograph(browser, shown, style, folder / f"{style}-{theme}.png")
            browser.close()


def _sentences(nlp: Language) -> dict[str, Sequence[Shown]]:
    docs = [nlp.make_doc(text) for text in TEXTS]
    explanations: list[Explanation] = nlp.get_pipe("attn_textcat").explain(docs)
    return {"attention": explanations, "contributions": explanations}


def _lemmas(nlp: Language) -> dict[str, Sequence[Shown]]:
    docs = [Doc(nlp.vocab, words=[form]) for form in FORMS]
    return {"alignment": nlp.get_pipe("attn_lemmatizer").explain(docs)}


def photograph(browser: BrowserContext, shown: Sequence[Shown], style: str, path: Path) -> None:
    page = browser.new_page()
    page.set_content(spacy_attn.render(shown, style, page=True, jupyter=False) or "")
    # Only the card itself, with nothing but transparency around its corners.
    page.add_style_tag(content="html, body { background: none !important; padding: 0 !important; }")
    page.locator(".spacy-attn").screenshot(path=path, omit_background=True)
    page.close()


if __name__ == "__main__":
    typer.run(main)
