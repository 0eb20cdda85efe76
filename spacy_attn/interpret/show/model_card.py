"""A model card: README.md of a pipeline's folder, with front matter for the Hugging Face hub."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from typing import TYPE_CHECKING, Any
from zlib import crc32

import spacy

from ..measured import Measured
from ..subject import Classifier
from .faithfulness_page import tables
from .report_page import summarize
from .templating import fill_template

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

TASK = "text-classification"
# A language of spaCy's that is none.
_ANY_LANGUAGE = "xx"
_DIGITS = 4
_NONE = "-"
# A label with fewer texts has no reliable figures of its own.
_FEW = 30
# The last line says that no one has edited the others.
_SIGNATURE = "\n<!-- Made by `spacy attn card`. Checksum of the lines above: {}. -->\n"
_SIGNED = re.compile(re.escape(_SIGNATURE).replace(re.escape("{}"), r"(\d+)") + r"\Z")


@dataclass(frozen=True)
class DataSet:
    """What the texts are that a pipeline was measured on.

    Attributes:
        name: What readers call it.
        hub: Its name on the Hugging Face hub; None if it is not from there.
        split: Its split; None where there is none.
    """

    name: str
    hub: str | None = None
    split: str | None = None

    def __str__(self) -> str:
        return self.name if self.split is None else f"{self.name}, split {self.split}"


@dataclass(frozen=True)
class About:
    """What the owner of a pipeline says of it. Empty where nothing is said.

    Attributes:
        name: Its name, with the language before it.
        version: Its version.
        license: As the hub names it, say "mit".
        description: A sentence or more.
        author: Who made it.
        url: Its page.
        size: The size of its folder in bytes.
    """

    name: str
    version: str = ""
    license: str = ""
    description: str = ""
    author: str = ""
    url: str = ""
    size: int = field(default=0, kw_only=True)


def model_card(
    classifier: Classifier,
    measured: Measured,
    about: About,
    data: DataSet,
    *,
    picture: str | None,
    min_count: int = 5,
) -> str:
    """Write a model card.

    Args:
        classifier: The component that was measured.
        measured: What was measured.
        about: What its owner says of the pipeline.
        data: What it was measured on.
        picture: File name of the picture of `measured.examples`; None if there is none.
        min_count: As for `measure`.

    Returns:
        Markdown with front matter, signed (see `is_untouched`).
    """
    from huggingface_hub import ModelCard

    summary = summarize(measured.outcomes, classifier.decisions)
    shown = measured.examples
    several = len(classifier.nlp.pipeline) > 1
    text = fill_template(
        "card.md.jinja",
        about=about,
        factory=classifier.nlp.get_pipe_meta(classifier.name).factory,
        component_argument=f", component={classifier.name!r}" if several else "",
        facts=list(_facts(classifier, about)),
        origin=[
            (key.capitalize(), value)
            for key in ("license", "author", "url")
            if (value := getattr(about, key))
        ],
        text=shown[0].text if shown else "A text.",
        measured=measured,
        data=str(data),
        n_annotated=measured.accuracy.n,
        n_without=len(measured.outcomes) - measured.accuracy.n,
        results=list(_results(measured, summary, classifier.exclusive)),
        exclusive=classifier.exclusive,
        threshold=classifier.decisions.threshold,
        by_label=list(_by_label(summary)),
        picture=picture,
        described=f"{_named(measured)}, shaded by what tokens add to the predicted label.",
        words=list(_words(measured)),
        min_count=min_count,
        faithfulness=measured.faithfulness,
        perturbation=tables(measured.faithfulness)["perturbation"],
        decided_label="the predicted label"
        if classifier.exclusive
        else "the label with the highest score",
        limits=list(_limits(summary, classifier)),
    )
    front_matter = _front_matter(classifier, measured, about, data).to_yaml()
    return sign(str(ModelCard(f"---\n{front_matter}\n---\n\n{text}\n")))


def _named(measured: Measured) -> str:
    n = len(measured.examples)
    return f"{n} of the texts" if measured.are_measured else "Texts"


def sign(text: str) -> str:
    """Add a line that tells later whether the text has been edited."""
    return text + _SIGNATURE.format(crc32(text.encode("utf8")))


def is_untouched(text: str) -> bool:
    """Return whether a model card was made here, and has not been edited since."""
    signature = _SIGNED.search(text)
    return signature is not None and text == sign(text[: signature.start()])


def _front_matter(
    classifier: Classifier, measured: Measured, about: About, data: DataSet
) -> "ModelCardData":
    from huggingface_hub import ModelCardData

    return ModelCardData(
        language=_language(classifier),
        license=about.license or None,
        library_name="spacy",
        pipeline_tag=TASK,
        tags=["spacy", "spacy-attn", TASK],
        datasets=data.hub,
        model_name=about.name,
        eval_results=list(_eval_results(measured, data)),
    )


def _language(classifier: Classifier) -> str | None:
    language = classifier.nlp.lang
    return None if language in (None, "", _ANY_LANGUAGE) else language


def _eval_results(measured: Measured, data: DataSet) -> Iterator["EvalResult"]:
    from huggingface_hub import EvalResult

    for metric, name, value in (
        ("accuracy", "Accuracy", measured.accuracy.mean),
        ("f1", "F, mean over labels", measured.macro_f),
        ("expected_calibration_error", "Expected calibration error", measured.calibration_error),
    ):
        yield EvalResult(
            task_type=TASK,
            task_name="Text classification",
            dataset_type=data.hub or data.name,
            dataset_name=data.name,
            dataset_split=data.split,
            metric_type=metric,
            metric_name=name,
            metric_value=round(value, _DIGITS),
            metric_args={"average": "macro"} if metric == "f1" else None,
        )


def _facts(classifier: Classifier, about: About) -> Iterator[tuple[str, str]]:
    language = _language(classifier)
    if language is not None:
        yield "Language", language
    one = "a text has exactly one" if classifier.exclusive else "a text has any number of them"
    yield "Labels", f"{', '.join(classifier.labels)} ({one})"
    yield "Components", ", ".join(classifier.nlp.pipe_names)
    yield "Size", f"{about.size / 1e6:.1f} MB"
    if about.version:
        yield "Version", about.version
    yield "Measured with", f"spaCy {spacy.__version__}, spacy-attn {version('spacy-attn')}"


def _results(
    measured: Measured, summary: dict[str, Any], exclusive: bool
) -> Iterator[tuple[str, str]]:
    yield "Accuracy", str(measured.accuracy)
    if exclusive:
        best = max(score.gold for score in summary["scores"]) / measured.accuracy.n
        yield "Accuracy of always giving the most frequent label", f"{best:.3f}"
    yield "F, mean over labels", f"{measured.macro_f:.3f}"
    yield "Expected calibration error", f"{measured.calibration_error:.3f}"


def _by_label(summary: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    for label, score in zip(summary["labels"], summary["scores"], strict=True):
        values = (score.precision, score.recall, score.f)
        yield (label, *(_NONE if v is None else f"{v:.3f}" for v in values), str(score.gold))


def _words(measured: Measured) -> Iterator[tuple[str, str]]:
    """Go through the labels, each with the words that contribute to it."""
    for label, words in measured.summary.words.items():
        listed = [f"{word.word} ({word.mean:.2f})" for word in words if word.mean > 0]
        if listed:
            yield label, ", ".join(listed)


def _limits(summary: dict[str, Any], classifier: Classifier) -> Iterator[str]:
    scores = dict(zip(summary["labels"], summary["scores"], strict=True))
    if few := [label for label, score in scores.items() if score.gold < _FEW]:
        yield f"Fewer than {_FEW} texts have the labels {', '.join(few)}."
    if new := [label for label in scores if label not in classifier.labels]:
        yield (
            f"The pipeline cannot give the labels {', '.join(new)}. {summary['without']} texts "
            f"have them, and count as wrong."
        )
    if classifier.exclusive and (worst := _worst_confusion(summary, classifier.labels)):
        gold, predicted, count = worst
        yield f"The most frequent error is {predicted} for {gold}: {count} texts."


def _worst_confusion(summary: dict[str, Any], labels: Sequence[str]) -> tuple[str, str, int] | None:
    """Return the annotated label and the other one that it is taken for most often."""
    counts = [
        (count, summary["labels"][row], labels[column])
        for row, line in enumerate(summary["confusion"])
        for column, count in enumerate(line)
        if row != column and count
    ]
    if not counts:
        return None
    count, gold, predicted = max(counts, key=lambda each: each[0])
    return gold, predicted, count
