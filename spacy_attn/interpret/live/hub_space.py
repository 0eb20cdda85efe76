"""The page to type into as a folder that Hugging Face Spaces takes."""

import json
import platform
import shutil
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

from huggingface_hub import SpaceCardData
from spacy.cli.package import get_third_party_dependencies
from spacy.language import Language

from ...text_files import write_text
from ..show.templating import fill_template
from .serving import TITLE, require_gradio

_APP, _CARD, _REQUIREMENTS, _SETTINGS = "app.py", "README.md", "requirements.txt", "demo.json"
_CODE, _PIPELINE = "functions.py", "pipeline"
_OWN_PACKAGE = "spacy-attn"
# The small builds of PyTorch: a Space has no GPU by default.
_TORCH_INDEX = "--extra-index-url https://download.pytorch.org/whl/cpu"
_PROGRAM = '''"""The page to type into. `python app.py` serves it, and a Space runs it."""

import json
import os
from pathlib import Path

import spacy

import spacy_attn
{more}
HERE = Path(__file__).parent
settings = json.loads((HERE / "{settings}").read_text(encoding="utf8"))
# A Space says at which address the page is to listen. Elsewhere, this machine alone can reach it.
host = os.environ.get("GRADIO_SERVER_NAME", "127.0.0.1")
spacy_attn.demo(spacy.load(HERE / "{pipeline}"), host=host, **settings)
'''


def write_space(
    folder: Path,
    nlp: Language,
    *,
    component: str | None = None,
    examples: Sequence[tuple[str, str]] = (),
    title: str = TITLE,
    requirement: str | None = None,
    code: Path | None = None,
    replace: bool = False,
) -> None:
    """Write the page, the pipeline and all that a Space needs to know into a folder.

    Args:
        folder: Where to. It is made if it is missing.
        nlp: The pipeline, which is saved in it.
        component: Name of the component; by default the only one with attention.
        examples: Texts to begin with, each with its gold label, or "".
        title: Of the page.
        requirement: The line of `requirements.txt` for spacy-attn, say the address of a wheel; by
            default its version.
        code: A file with functions that the pipeline needs to be loaded.
        replace: Whether to replace what an earlier call has left in the folder.

    Raises:
        ValueError: If the folder has a file of one of these names, which is not to be replaced.
        ImportError: If Gradio, whose version is written down, is not installed.
    """
    require_gradio()
    names = [_APP, _CARD, _REQUIREMENTS, _SETTINGS, _CODE, _PIPELINE]
    found = [name for name in names if (folder / name).exists()]
    if found and not replace:
        raise ValueError(
            f"'{folder}' has a '{found[0]}' already: name another folder, or add --force to "
            f"replace it."
        )
    if _PIPELINE in found:
        shutil.rmtree(folder / _PIPELINE)
    folder.mkdir(parents=True, exist_ok=True)
    nlp.to_disk(folder / _PIPELINE)
    more = ""
    if code is not None:
        write_text(folder / _CODE, code.read_text(encoding="utf8"))
        more = f"import {Path(_CODE).stem}  # noqa: F401\n"
    else:
        (folder / _CODE).unlink(missing_ok=True)
    settings = {"component": component, "title": title, "examples": [list(e) for e in examples]}
    write_text(folder / _SETTINGS, json.dumps(settings, ensure_ascii=False, indent=1) + "\n")
    program = _PROGRAM.format(more=more, settings=_SETTINGS, pipeline=_PIPELINE)
    write_text(folder / _APP, program)
    write_text(folder / _REQUIREMENTS, "\n".join(_requirements(nlp, requirement)) + "\n")
    write_text(folder / _CARD, _card(nlp, title))


def _requirements(nlp: Language, requirement: str | None) -> list[str]:
    """Return the lines of `requirements.txt`."""
    own = requirement or f"{_OWN_PACKAGE}=={version(_OWN_PACKAGE)}"
    others = get_third_party_dependencies(nlp.config, exclude=[_OWN_PACKAGE])
    pinned = [f"{name}=={version(name)}" for name in ("gradio", "spacy")]
    of_meta = nlp.meta.get("requirements") or []
    # A pipeline that was packaged may name spacy-attn, too.
    more = [line for line in (*of_meta, *others) if not line.startswith(_OWN_PACKAGE)]
    return [_TORCH_INDEX, *pinned, own, *dict.fromkeys(more)]


def _card(nlp: Language, title: str) -> str:
    """Return the README, whose front matter says how the Space is to be run."""
    data = SpaceCardData(
        title=title,
        sdk="gradio",
        sdk_version=version("gradio"),
        python_version=".".join(platform.python_version_tuple()[:2]),
        app_file=_APP,
        license=nlp.meta.get("license", "").lower().replace(" ", "-") or None,
        tags=["spacy", "text-classification"],
        emoji="🔍",
        colorFrom="blue",
        colorTo="yellow",
    )
    text = fill_template(
        "space.md.jinja", title=title, pipeline=f"{nlp.lang}_{nlp.meta['name']}", meta=nlp.meta
    )
    return f"---\n{data.to_yaml()}\n---\n\n{text}\n"
