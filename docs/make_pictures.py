"""Take the README's pictures of two sentences, as `spacy_attn.render` shows them.

Usage: python docs/make_pictures.py training/model-best docs

Writes attention-light.png, attention-dark.png, contributions-light.png and contributions-dark.png.
Needs Chromium and the extra `browser-test`.
"""

import shutil
import tempfile
from pathlib import Path

import spacy
import typer
from playwright.sync_api import BrowserContext, sync_playwright

import spacy_attn
from spacy_attn.explanation import Explanation

TEXTS = [
    "A gorgeous, witty, seductive movie.",
    "The plot is thin and the jokes fall flat, but the two leads are so charming that I forgave it "
    "everything.",
]
STYLES = ("attention", "contributions")
THEMES = ("light", "dark")
WIDTH = 780


def main(model: str, folder: Path, chromium: str = shutil.which("chromium") or "") -> None:
    nlp = spacy.load(model)
    component = nlp.get_pipe("attn_textcat")
    explanations = component.explain([nlp.make_doc(text) for text in TEXTS])
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
            for style in STYLES:
                photograph(browser, explanations, style, folder / f"{style}-{theme}.png")
            browser.close()


def photograph(
    browser: BrowserContext, explanations: list[Explanation], style: str, path: Path
) -> None:
    page = browser.new_page()
    page.set_content(spacy_attn.render(explanations, style, page=True, jupyter=False) or "")
    # Only the card itself, with nothing but transparency around its corners.
    page.add_style_tag(content="html, body { background: none !important; padding: 0 !important; }")
    page.locator(".spacy-attn").screenshot(path=path, omit_background=True)
    page.close()


if __name__ == "__main__":
    typer.run(main)
