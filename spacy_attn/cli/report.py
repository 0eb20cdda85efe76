"""`python -m spacy attn report`: a page to look through classified documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from typing import Annotated

import tqdm  # type: ignore[import-untyped]
from spacy.cli._util import Arg, Opt
from spacy.language import Language
from spacy.pipeline import MultiLabel_TextCategorizer
from spacy.training import Corpus, Example
from wasabi import msg

from ..data.reader import HFDataset
from ..explanations.report import Decisions
from ..explanations.report import report as report_html
from .explaining import Explainer
from .failing import failing


def report_cli(
    model: Annotated[str, Arg(help="Name of or path to a trained pipeline")],
    data: Annotated[
        str,
        Arg(help="A .spacy file; or a .parquet, .jsonl or .csv file, or a data set on the hub"),
    ],
    output: Annotated[
        Path, Opt("--output", "-o", help="HTML file to write", dir_okay=False)
    ] = Path("report.html"),
    limit: Annotated[
        int, Opt("--limit", "-n", min=0, help="Show the first documents only; 0 shows all")
    ] = 500,
    component: Annotated[
        str | None, Opt("--component", "-c", help="The component, where there are several")
    ] = None,
    split: Annotated[str, Opt("--split", help="Of a data set on the hub")] = "train",
    text_column: Annotated[
        str, Opt("--text-column", help="Column of the text; several separated by commas")
    ] = "text",
    label_column: Annotated[
        str, Opt("--label-column", help="Column of the label; several separated by commas")
    ] = "label",
    labels: Annotated[
        str | None,
        Opt("--labels", help="Names of the data's label numbers, in order, separated by commas"),
    ] = None,
) -> None:
    """
    Write a web page on how documents were classified, in one file: their gold
    and predicted labels, confidence, and tokens shaded by attention and by
    contributions, to be filtered, sorted and searched.
    """
    reader: Corpus | HFDataset
    with failing("Can't read the data"):
        if data.endswith(".spacy") or (Path(data).is_dir() and any(Path(data).glob("*.spacy"))):
            reader = Corpus(data)
        else:
            reader = HFDataset(
                data,
                split=split,
                text_column=_names(text_column),
                label_column=_names(label_column),
                labels=labels.split(",") if labels else None,
            )
    title = f"{_short(model)} on {_short(data)}"
    report(model, reader, output=output, title=title, limit=limit, component=component)


def report(
    model: str,
    reader: Corpus | HFDataset,
    *,
    output: Path,
    title: str = "Report",
    limit: int = 0,
    component: str | None = None,
) -> None:
    """Write the report page.

    Ends the process with a message on the standard error and status 1 where the input cannot be
    used.

    model (str): Name or folder of a pipeline.
    reader (Union[Corpus, HFDataset]): Reads the documents and their labels.
    output (Path): The HTML file.
    title (str): Of the page.
    limit (int): Use the first documents only; 0 uses all.
    component (Optional[str]): Name of the component, where there are several.
    """
    with failing(f"Can't load the pipeline '{model}'"):
        explainer = Explainer(model, component)
    with failing("Can't read the data"):
        examples = list(_first(reader(explainer.nlp), limit))
        if not examples:
            raise ValueError("There is no document in it.")
    with failing("Can't make the report"):
        html = report_html(
            list(_progress(explainer.explain(eg.predicted for eg in examples), len(examples))),
            [example.reference.cats for example in examples],
            _decisions(explainer),
            title=title,
            **_writing(explainer.nlp),
        )
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(html, encoding="utf8")
    msg.good(f"Saved a report on {len(examples)} documents: {output}")


def _short(path: str) -> str:
    """The end of a path, which says enough."""
    return "/".join(Path(path).parts[-2:])


def _names(columns: str) -> str | list[str]:
    return columns.split(",") if "," in columns else columns


def _first(examples: Iterable[Example], limit: int) -> Iterator[Example]:
    return islice(examples, limit or None)


def _progress(explanations: Iterable, total: int) -> Iterable:
    # disable=None shows the bar on a terminal only.
    return tqdm.tqdm(explanations, total=total, unit=" docs", disable=None, leave=False)


def _decisions(explainer: Explainer) -> Decisions:
    component = explainer.component
    return Decisions(
        labels=tuple(component.labels),
        exclusive=not isinstance(component, MultiLabel_TextCategorizer),
        threshold=component.cfg["threshold"],
    )


def _writing(nlp: Language) -> dict[str, str]:
    return {"direction": nlp.vocab.writing_system.get("direction", "auto"), "language": nlp.lang}
