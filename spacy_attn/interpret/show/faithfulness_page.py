"""A faithfulness report as Markdown, JSON and a web page."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import srsly
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from ...explanation import method_name
from ...text_files import write_text
from ..faithfulness.batch import ATTENTION
from ..faithfulness.estimates import Estimate
from ..faithfulness.evaluate import FaithfulnessReport
from ..faithfulness.perturbation import CHANCE, MAX_FLIP_STEPS, PERCENTS
from ..gradients import N_STEPS
from ..methods import INTEGRATED_GRADIENTS, LEAVE_ONE_OUT
from .templating import breakable
from .visible import visible

NONE = "-"
# What Markdown takes for more than a character: within words, an underscore is none of it.
_MARKUP = re.compile(r"[\\`*{}\[\]<>#|~$]|&(?=#?\w+;)|(?<![^\W_])_|_(?![^\W_])")


@dataclass(frozen=True)
class Table:
    """A table of a report.

    Attributes:
        title: What is measured.
        text: What was done, in sentences.
        head: The headings of the columns.
        rows: Of as many cells each.
    """

    title: str
    text: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


def make_tables(report: FaithfulnessReport) -> list[Table]:
    """RETURNS: What the report says, the most important first."""
    makers: Sequence[Callable[[FaithfulnessReport], Table | None]] = (
        _perturbation,
        _by_percent,
        _uniform,
        _conicity,
        _seeds,
        _plausibility,
        _agreement,
    )
    tables = (make(report) for make in makers)
    return [table for table in tables if table is not None]


def to_markdown(report: FaithfulnessReport, title: str) -> str:
    return _render("faithfulness.md.jinja", report, title)


def to_html(report: FaithfulnessReport, title: str) -> str:
    """One web page, which needs no other file."""
    return _render("faithfulness.html.jinja", report, title)


def write(report: FaithfulnessReport, folder: Path, title: str) -> list[Path]:
    """Write `faithfulness.md`, `.json` and `.html`. RETURNS: Their paths."""
    contents = {
        "md": to_markdown(report, title),
        "json": srsly.json_dumps({"title": title, **report.to_dict()}, indent=2),
        "html": to_html(report, title),
    }
    paths = [folder / f"faithfulness.{ending}" for ending in contents]
    for path, content in zip(paths, contents.values(), strict=True):
        write_text(path, content)
    return paths


def escape_markdown(text: str) -> str:
    """Text that stands in Markdown, and in a cell of a table, as it is; without line breaks."""
    return _MARKUP.sub(r"\\\g<0>", visible(text))


def _visible(text: str) -> str:
    return text if isinstance(text, Markup) else visible(text)


def _render(template: str, report: FaithfulnessReport, title: str) -> str:
    folder = files("spacy_attn.interpret.show") / "templates"
    source = folder.joinpath(template).read_text(encoding="utf8")
    html = template.endswith(".html.jinja")
    # Nothing that is filled in is markup: not the titles and labels of users, and not our texts.
    environment = Environment(
        autoescape=html,
        finalize=_visible if html else escape_markdown,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["breakable"] = breakable
    context: dict[str, Any] = {
        "title": title,
        "finding": _finding(report),
        "summary": _summary(report),
        "notes": report.notes,
        "tables": make_tables(report),
    }
    return environment.from_string(source).render(context)


def _label(report: FaithfulnessReport) -> str:
    return "the predicted label" if report.exclusive else "the label with the highest score"


def _methods(report: FaithfulnessReport) -> list[str]:
    """The methods that were run, besides attention and chance."""
    return [name for name in report.rankings if name not in (ATTENTION, CHANCE)]


def _finding(report: FaithfulnessReport) -> str:
    falls = (
        f"{r.comprehensiveness.mean:.3f} ({method_name(name)})"
        for name, r in report.rankings.items()
    )
    return (
        f"Without the tokens ranked first, the score of {_label(report)} falls on average by "
        f"{', '.join(falls)}."
    )


def _summary(report: FaithfulnessReport) -> str:
    empty = f", {report.n_empty} of them without tokens" if report.n_empty else ""
    tokens = "" if report.tokens is None else f" of {report.tokens.mean:.1f} tokens in the mean"
    return (
        f"Component '{report.component}', labels: {', '.join(report.labels)}. {report.n_docs} "
        f"documents{tokens}{empty}. Values are means over documents with their 95 % confidence "
        f"intervals by the normal approximation."
    )


def _cell(value: Estimate | None) -> str:
    return NONE if value is None else str(value)


_ABOUT_METHODS = {
    LEAVE_ONE_OUT: " Leave one out ranks by the very thing that is measured, for one token at a "
    "time.",
    INTEGRATED_GRADIENTS: f" Integrated gradients start from zero vectors, with {N_STEPS} steps.",
}


def _perturbation(report: FaithfulnessReport) -> Table:
    percents = ", ".join(map(str, PERCENTS[:-1]))
    label = _label(report)
    relative = " minus the mean of all logits" if report.exclusive else ""
    adding = f"by what the methods find each token to add to the logit of {label}{relative}, "
    about = "".join(text for name, text in _ABOUT_METHODS.items() if name in report.rankings)
    return Table(
        "Tokens left out",
        f"Tokens are ranked by attention, {adding if _methods(report) else ''}or by chance "
        f"({report.n_draws} draws of each document, averaged). Comprehensiveness is by how much "
        f"the score of {label} falls when the first {percents} and {PERCENTS[-1]} % of the ranked "
        f"tokens (rounded up, so one at least) are left out, sufficiency by how much it falls when "
        f"they alone are left; both are means over the five shares (AOPC, after DeYoung et al. "
        f"2020). The share to flip is the share of "
        f"tokens to leave out until the decision changes, 1 where it never does, to the nearest "
        f"{100 // MAX_FLIP_STEPS} % in documents of more than {MAX_FLIP_STEPS} tokens. Tokens are "
        f"left out, not masked.{about}",
        ("Ranking", "Comprehensiveness (higher is better)", "Sufficiency (lower)", "Share to flip"),
        [
            (method_name(name), str(r.comprehensiveness), str(r.sufficiency), str(r.flip_share))
            for name, r in report.rankings.items()
        ],
    )


def _by_percent(report: FaithfulnessReport) -> Table:
    def row(name: str, values: Mapping[int, Estimate]) -> tuple[str, ...]:
        return (name, *(f"{value.mean:.3f}" for value in values.values()))

    rows = [
        row(f"{method_name(name)}: {what}", values)
        for name, result in report.rankings.items()
        for what, values in (
            ("comprehensiveness", result.comprehensiveness_at),
            ("sufficiency", result.sufficiency_at),
        )
    ]
    return Table(
        "By share of tokens",
        "The parts of the means above.",
        ("Ranking", *(f"{percent} %" for percent in PERCENTS)),
        rows,
    )


def _uniform(report: FaithfulnessReport) -> Table | None:
    if report.uniform is None:
        return None
    return Table(
        "Equal weights",
        "The decisions when every token has the same weight at prediction, the model otherwise "
        "being as it was trained: how much the decisions owe to attention at all (the question "
        "of Wiegreffe and Pinter 2019, who train such a model anew).",
        ("Accuracy", "With equal weights", "Difference", "Share of documents decided alike"),
        [
            (
                _cell(report.uniform.accuracy),
                _cell(report.uniform.uniform_accuracy),
                _cell(report.uniform.loss),
                _cell(report.uniform.same_decision),
            )
        ],
    )


def _conicity(report: FaithfulnessReport) -> Table:
    return Table(
        "Conicity",
        "The mean cosine between the hidden states of a document and their mean (Mohankumar et "
        "al. 2020). Near 1 they all point in one direction, and it matters little which of them "
        "attention picks.",
        ("Conicity of the hidden states",),
        [(_cell(report.conicity),)],
    )


def _seeds(report: FaithfulnessReport) -> Table | None:
    if not report.seeds:
        return None
    return Table(
        "Other models",
        "Attention beside that of other models in the same documents: the Jensen-Shannon "
        "divergence in nats (0 to 0.693) and Kendall's tau (b); and the total variation "
        "distance of the scores (0 to 1). Where scores are alike and attention is not, "
        "attention does not tell why.",
        ("Model", "Divergence", "Tau", "Distance of the scores"),
        [
            (name, *map(_cell, (r.attention_divergence, r.attention_tau, r.score_distance)))
            for name, r in report.seeds.items()
        ],
    )


def _plausibility(report: FaithfulnessReport) -> Table | None:
    result = report.plausibility
    if result is None:
        return None
    signs = (
        f"Sign agreement is the share of these words whose attribution to "
        f"'{result.positive_label}' has the sign of the rating; 'the decision alone' gives every "
        f"word the sign of the decision."
        if result.positive_label is not None
        else "There is no sign agreement, as no label is known to be the positive one."
    )
    names = dict.fromkeys((*result.average_precision, *result.sign_agreement))
    return Table(
        "Plausibility",
        f"Whether what the model looks at is what people find telling, which a faithful "
        f"explanation need not be. Tokens are ranked by attention, "
        f"{'by the absolute value of what they add, ' if _methods(report) else ''}or by chance; "
        f"average precision is that of the words whose mean rating is "
        f"{result.bound:g} or more, or {-result.bound:g} or less. {signs}",
        ("Ranking", "Average precision", "Sign agreement"),
        [
            (
                method_name(name),
                _cell(result.average_precision.get(name)),
                _cell(result.sign_agreement.get(name)),
            )
            for name in names
        ],
    )


def _agreement(report: FaithfulnessReport) -> Table | None:
    rows = [
        (method_name(one), method_name(other), _cell(value))
        for (one, other), value in report.agreement.items()
    ]
    jain = ""
    if report.change_agreement is not None:
        jain = (
            " The last row is as in Jain and Wallace 2019: attention beside the total variation "
            "distance between the scores of the document and those without the token, which is "
            "left out; without a sign, so that tokens for and against the decision count alike."
        )
        change = "change of the scores without the token"
        rows.append(("attention", change, str(report.change_agreement)))
    if not rows:
        return None
    return Table(
        "Diagnostic: agreement of rankings",
        "Kendall's tau (b) in each document of two tokens or more. Not a measure of "
        "faithfulness: rankings agree also where both are wrong (Neely et al. 2022)." + jain,
        ("Ranking", "Other ranking", "Tau"),
        rows,
    )
