"""A faithfulness report as Markdown, JSON and a web page."""

from pathlib import Path

import srsly

from ...results.explanation import ATTENTION, method_name
from ...text_files import write_text
from ..faithfulness.evaluate import FaithfulnessReport
from ..faithfulness.perturbation import CHANCE, MAX_FLIP_STEPS, PERCENTS
from ..gradients import N_STEPS
from .templating import fill_template

Rows = list[tuple[str, ...]]

_NONE = "-"


def to_markdown(report: FaithfulnessReport, title: str) -> str:
    """Write a report as Markdown."""
    return _fill("faithfulness.md.jinja", report, title)


def to_html(report: FaithfulnessReport, title: str) -> str:
    """Write a report as one web page, which needs no other file."""
    return _fill("faithfulness.html.jinja", report, title)


def write(report: FaithfulnessReport, folder: Path, title: str) -> list[Path]:
    """Write `faithfulness.md`, `.json` and `.html`, and return their paths."""
    contents = {
        folder / "faithfulness.md": to_markdown(report, title),
        folder / "faithfulness.json": srsly.json_dumps(
            {"title": title, **report.to_dict()}, indent=2
        ),
        folder / "faithfulness.html": to_html(report, title),
    }
    for path, content in contents.items():
        write_text(path, content)
    return list(contents)


def _fill(template: str, report: FaithfulnessReport, title: str) -> str:
    text = fill_template(
        template,
        title=title,
        report=report,
        methods=[name for name in report.rankings if name not in (ATTENTION, CHANCE)],
        falls=[
            f"{ranking.comprehensiveness.mean:.3f} ({method_name(name)})"
            for name, ranking in report.rankings.items()
        ],
        percents=PERCENTS,
        shares=[f"{percent} %" for percent in PERCENTS],
        max_flip_steps=MAX_FLIP_STEPS,
        n_steps=N_STEPS,
        tables=tables(report),
    )
    return text + "\n"


def tables(report: FaithfulnessReport) -> dict[str, Rows]:
    """Return the rows of each table of a report."""
    rankings = {method_name(name): ranking for name, ranking in report.rankings.items()}
    agreement = [
        _row(method_name(one), method_name(other), tau)
        for (one, other), tau in report.agreement.items()
    ]
    if report.change_agreement is not None:
        change = "change of the scores without the token"
        agreement.append(_row(ATTENTION, change, report.change_agreement))
    rows = {
        "perturbation": [
            _row(name, r.comprehensiveness, r.sufficiency, r.flip_share)
            for name, r in rankings.items()
        ],
        "by_share": [
            (f"{name}: {what}", *(f"{value.mean:.3f}" for value in values.values()))
            for name, r in rankings.items()
            for what, values in (
                ("comprehensiveness", r.comprehensiveness_at),
                ("sufficiency", r.sufficiency_at),
            )
        ],
        "conicity": [_row(report.conicity)],
        "seeds": [
            _row(name, r.attention_divergence, r.attention_tau, r.score_distance)
            for name, r in report.seeds.items()
        ],
        "agreement": agreement,
    }
    if (uniform := report.uniform) is not None:
        values = (uniform.accuracy, uniform.uniform_accuracy, uniform.loss, uniform.same_decision)
        rows["uniform"] = [_row(*values)]
    if (result := report.plausibility) is not None:
        names = dict.fromkeys((*result.average_precision, *result.sign_agreement))
        rows["plausibility"] = [
            _row(
                method_name(name),
                result.average_precision.get(name),
                result.sign_agreement.get(name),
            )
            for name in names
        ]
    if (marked := report.rationales) is not None:
        rows["rationales"] = [
            _row(
                method_name(name),
                r.token_f1,
                r.token_iou,
                f"{r.iou_f1:.3f}",
                r.average_precision,
            )
            for name, r in marked.rankings.items()
        ]
    return rows


def _row(*values: object) -> tuple[str, ...]:
    return tuple(_NONE if value is None else str(value) for value in values)
