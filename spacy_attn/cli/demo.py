"""`python -m spacy attn demo`: a page to type texts into, served or as a folder of a Space."""

from __future__ import annotations

from collections.abc import Iterable
from math import ceil
from pathlib import Path
from typing import Annotated

from spacy import util
from spacy.cli._util import Opt
from spacy.language import Language
from spacy.training import Example
from wasabi import msg

from ..interpret.live.serving import LOOPBACK, demo, require_gradio
from ..interpret.subject import Classifier
from ..pipeline.decisions import Decisions
from . import options as opt
from .console import failing, prepare

# The name of pipelines that were given none.
_UNNAMED = "pipeline"


def demo_cli(
    model: opt.Model,
    data: Annotated[
        str | None,
        Opt("--data", "-d", help="Data to take examples from, as 'report' takes"),
    ] = None,
    n_examples: Annotated[
        int, Opt("--examples", "-n", min=1, help="Number of examples, of all labels in turn")
    ] = 12,
    port: Annotated[
        int | None,
        Opt("--port", min=1, max=65535, help="Port. By default the first free one from 7860 on"),
    ] = None,
    in_browser: Annotated[
        bool, Opt("--browser/--no-browser", help="Open the page in a browser")
    ] = True,
    title: Annotated[
        str | None, Opt("--title", help="Title of the page. By default the pipeline's name")
    ] = None,
    space: Annotated[
        Path | None,
        Opt(
            "--space",
            help="Folder to write instead, with the page and the pipeline, for Hugging Face Spaces",
            file_okay=False,
        ),
    ] = None,
    requirement: Annotated[
        str | None,
        Opt(
            "--requirement",
            help="What the Space is to install spacy-attn from, say the address of a wheel. By "
            "default this version",
        ),
    ] = None,
    force: Annotated[
        bool, Opt("--force", "-F", help="Replace what is in the folder of --space")
    ] = False,
    component: opt.ComponentName = None,
    split: opt.Split = None,
    text_column: opt.TextColumn = None,
    label_column: opt.LabelColumn = None,
    labels: opt.LabelNames = None,
    settings: opt.ReaderSettings = None,
    gpu_id: opt.GpuId = -1,
    code_path: opt.CodePath = None,
) -> None:
    """
    Open a web page to type texts into, which this machine alone can reach. A
    text is classified while it is typed. Its tokens are shaded by what they
    contribute, or by attention. A click on a token leaves it out, and shows
    what changes. It needs Gradio: pip install gradio.
    """
    options = opt.DataOptions(split, text_column, label_column, labels, settings)
    with failing("Can't make the page"):
        require_gradio()
        _check_options(data, options, space, requirement, force)
    prepare(code_path, gpu_id, printing=False)
    with failing(f"Can't load the pipeline '{model}'"):
        classifier = Classifier(util.load_model(model), component)
    examples = []
    if data is not None:
        with failing("Can't read the data"):
            reader = opt.make_reader(data, options)
            examples = choose_examples(reader(classifier.nlp), classifier.decisions, n_examples)
            if not examples:
                raise ValueError("There is no document in it that has a text.")
    title = _name(classifier.nlp, model) if title is None else title
    if space is not None:
        from ..interpret.live.hub_space import write_space

        with failing(f"Can't write the folder '{space}'"):
            write_space(
                space,
                classifier.nlp,
                component=classifier.name,
                examples=examples,
                title=title,
                requirement=requirement,
                code=code_path,
                replace=force,
            )
        msg.good(f"Saved the page and the pipeline: {space}")
        return
    with failing("Can't serve the page"):
        demo(
            classifier.nlp,
            component=classifier.name,
            examples=examples,
            title=title,
            host=LOOPBACK,
            port=port,
            in_browser=in_browser,
        )


def _name(nlp: Language, model: str) -> str:
    """Return the name of a pipeline, or the end of its path if it was given none."""
    name = nlp.meta["name"]
    return opt.end_of_path(model) if name == _UNNAMED else f"{nlp.lang}_{name}"


def _check_options(
    data: str | None,
    options: opt.DataOptions,
    space: Path | None,
    requirement: str | None,
    force: bool,
) -> None:
    """Refuse options that would do nothing."""
    if data is None and options.given:
        raise ValueError("Options of data are given, but no data: add --data, or leave them out.")
    if space is None and (requirement is not None or force):
        name = "--force" if requirement is None else "--requirement"
        raise ValueError(f"'{name}' is about a folder to write: add --space, or leave it out.")


def choose_examples(
    examples: Iterable[Example], decisions: Decisions, n_examples: int
) -> list[tuple[str, str]]:
    """Choose documents to begin with: the first ones of each gold label, as far as there are any.

    Args:
        examples: Annotated documents, which are read until there are enough.
        decisions: How the component decides, which says what the gold labels are.
        n_examples: How many are wanted.

    Returns:
        The texts, each with its gold labels, or "" where it has none.
    """
    share = ceil(n_examples / max(1, len(decisions.labels)))
    chosen: dict[str, list[tuple[str, str]]] = {}
    others: list[tuple[str, str]] = []
    for example in examples:
        text = example.reference.text
        if not text.strip():
            continue
        annotation = decisions.read(example.reference.cats)
        gold = ", ".join(
            [*(decisions.labels[i] for i in annotation.gold or ()), *annotation.missing]
        )
        of_label = chosen.setdefault(gold, [])
        if len(of_label) < share:
            of_label.append((text, gold))
        elif len(others) < n_examples:
            others.append((text, gold))
        if sum(map(len, chosen.values())) >= n_examples:
            break
    in_turn = [column[i] for i in range(share) for column in chosen.values() if i < len(column)]
    return [*in_turn, *others][:n_examples]
