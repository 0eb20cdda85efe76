"""`spacy_attn.demo`: serves a page to type texts into."""

from collections.abc import Sequence

from spacy.language import Language
from wasabi import msg

from ..subject import Classifier

#: The address that this machine alone can reach.
LOOPBACK = "127.0.0.1"
#: What the page is called where nothing else is said.
TITLE = "Try it"


def require_gradio() -> None:
    """Check that Gradio is installed.

    Raises:
        ImportError: If it is not, or is too old.
    """
    try:
        from gradio import HTML  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"The page to type into needs Gradio ({error}): pip install gradio."
        ) from error


def demo(
    nlp: Language,
    *,
    component: str | None = None,
    examples: Sequence[tuple[str, str]] = (),
    title: str = TITLE,
    host: str = LOOPBACK,
    port: int | None = None,
    in_browser: bool = False,
) -> None:
    """Serve a page that classifies and explains texts while they are typed, until interrupted.

    It needs Gradio: pip install gradio. The page, and Gradio while it serves it, ask no other
    machine for anything.

    Args:
        nlp: A trained pipeline.
        component: Name of the component; by default the only `attn_textcat` or
            `attn_textcat_multilabel` of the pipeline.
        examples: Texts to begin with, each with its gold label, or "" where it has none.
        title: Of the page.
        host: The address to listen at. By default this machine alone can reach the page.
        port: The port to listen at; by default the first free one from 7860 on.
        in_browser: Whether to open the page in a browser.

    Raises:
        ValueError: If the pipeline has no such component or several to choose from, or if it has
            not been initialized.
        ImportError: If Gradio is not installed.
        OSError: If the port is taken.
    """
    require_gradio()
    from .live_page import launch, make_page

    page = make_page(Classifier(nlp, component), examples, title)
    address = launch(page, host=host, port=port, in_browser=in_browser)
    msg.good(f"The page is at {address} until you press Ctrl+C.")
    page.block_thread()
