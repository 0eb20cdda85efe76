"""`python -m spacy attn distill`: a small pipeline that learns what a large one knows."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from spacy import util
from spacy.cli._util import Arg, Opt, setup_gpu
from wasabi import msg, table

from ..distill.transformers_models import Precision
from . import options as opt
from .console import failing, load_code, prepare, progress_bar, read_overrides

if TYPE_CHECKING:
    from ..data.reader import Augmenter
    from ..distill.comparison import Measures
    from ..distill.distilling import Result


def distill_cli(
    ctx: typer.Context,  # This is only used to read the overrides
    teacher: Annotated[
        str,
        Arg(
            help="A trained pipeline, its name or folder; 'hf:' and a model of transformers that "
            "classifies texts; or 'table:' and a table of texts and probabilities. Separate "
            "several by commas"
        ),
    ],
    config_path: Annotated[
        Path, Arg(help="Path to the config file of the student", exists=True, dir_okay=False)
    ],
    output: Annotated[Path, Opt("--output", "-o", help="Folder for all that is made")],
    texts: Annotated[
        list[str] | None,
        Opt("--texts", help="Another data set whose texts are learned from. May be given again"),
    ] = None,
    text_column: Annotated[
        str,
        Opt(
            "--text-column",
            help="Column of the texts there, and of a table that teaches. Separate several by "
            "commas",
        ),
    ] = "text",
    split: Annotated[
        str | None, Opt("--split", help="Split of the data sets of --texts. By default 'train'")
    ] = None,
    settings: Annotated[
        list[str] | None,
        Opt(
            "--set",
            help="Any other setting of the reader of --texts, say 'encoding=latin-1' or "
            "'skip_missing=true'. May be given several times",
        ),
    ] = None,
    gold_weight: Annotated[
        float,
        Opt("--gold-weight", min=0.0, max=1.0, help="What annotated labels count beside a teacher"),
    ] = 0.0,
    augment: Annotated[
        int,
        Opt(
            "--augment",
            min=0,
            help="Learn so many windows of each text, too: a few words that follow one another",
        ),
    ] = 0,
    baseline: Annotated[
        bool, Opt("--baseline", help="Train the config without a teacher, too, to compare")
    ] = False,
    rename: Annotated[
        list[str] | None,
        Opt(
            "--rename",
            help="A label of a model of transformers, or a column of a table, as LABEL_0=negative",
        ),
    ] = None,
    precision: Annotated[
        Precision,
        Opt("--precision", help="Floating-point type of a model of transformers"),
    ] = "float32",
    component: Annotated[
        str | None,
        Opt("--component", help="Component of a teacher, where several of a pipeline classify"),
    ] = None,
    workers: Annotated[
        int, Opt("--workers", "-w", min=1, help="Number of processes that apply the teacher")
    ] = 1,
    gpu_id: opt.GpuId = -1,
    code_path: opt.CodePath = None,
) -> None:
    """
    Train a pipeline on what another one, its teacher, says of texts. These are
    the training corpus of the config, and further texts without labels. The
    teacher labels each of them once. A run that was stopped goes on there.
    """
    prepare(code_path, gpu_id, printing=True)
    with failing("Can't distill", config_path):
        # Not imported for other commands.
        from ..distill.distilling import Distillation
        from ..distill.labelled_table import PREFIX
        from ..distill.student import filled, has_exclusive_labels
        from ..distill.teachers import TeacherSettings, find_teachers, is_place

        overrides = read_overrides(ctx)
        config = filled(util.load_config(config_path, overrides=overrides, interpolate=False))
        # A comma may be part of the place of a single one.
        names = [teacher] if is_place(teacher) else opt.split_names(teacher)
        if not texts and (split or settings):
            raise ValueError("'--split' and '--set' are for '--texts': leave them out")
        if not texts and text_column != "text" and not any(n.startswith(PREFIX) for n in names):
            raise ValueError(
                f"'--text-column {text_column}' is for '--texts' and tables that teach"
            )
        options = opt.DataOptions(split, text_column, settings=settings)
        sources = [opt.make_reader(data, options, labelled=False) for data in texts or ()]
        augmenter = _augmenter(augment, config.interpolate()["training"]["seed"], names)
        teacher_settings = TeacherSettings(
            config["nlp"]["lang"],
            has_exclusive_labels(config),
            opt.split_names(text_column),
            _read_renamed(rename or ()),
            precision,
            component,
        )
        distillation = Distillation(
            find_teachers(names, teacher_settings),
            config,
            output,
            gold_weight,
            partial(_set_up, code_path, gpu_id),
            gpu_id,
            lambda total, done: progress_bar("texts", total=total, initial=done),
            augmenter,
        )
        result = distillation.run(sources, workers=workers, baseline=baseline)
    _show(result)
    msg.good("Saved the student", output / "student" / "model-best")


def _read_renamed(pairs: Sequence[str]) -> dict[str, str]:
    renamed: dict[str, str] = {}
    for pair in pairs:
        old, sign, new = pair.partition("=")
        if not (old and sign and new):
            raise ValueError(f"'--rename {pair}' renames nothing: write LABEL=NAME")
        if old in renamed:
            raise ValueError(f"'--rename {pair}' gives '{old}' a second name: leave one out")
        renamed[old] = new
    return renamed


def _augmenter(copies: int, seed: int, teachers: Sequence[str]) -> Augmenter | None:
    """Return what cuts texts to a few words, which brought more than masks; None for no copies."""
    from ..data.augmenter import make_augment
    from ..distill.labelled_table import PREFIX

    if not copies:
        return None
    if tables := [name for name in teachers if name.startswith(PREFIX)]:
        raise ValueError(
            f"'--augment {copies}' makes texts that '{tables[0]}' has no labels of: leave it out, "
            f"or take a teacher that labels any text"
        )
    return make_augment(copies, mask=0.0, window=1.0, seed=seed)


def _show(result: Result) -> None:
    counts = result.texts
    typer.echo(
        f"{counts.annotated:,} texts of the corpus, {counts.further:,} further ones and "
        f"{counts.variants:,} variants; left out: {counts.repeated:,} repeated, "
        f"{counts.held_out:,} that are scored, {counts.blank:,} blank, {counts.too_long:,} too long"
    )
    if result.mixed.by_annotation or result.mixed.unlabelled:
        typer.echo(
            f"no teacher has labelled {result.mixed.by_annotation:,} texts that are learned by "
            f"their annotation, and {result.mixed.unlabelled:,} that are left out without one"
        )
    for name in result.kept:
        typer.echo(f"the {name} was trained before the run was stopped, and is kept")
    seconds = dict(result.seconds)
    typer.echo(f"collected and labelled in {seconds.pop('labelling'):,.0f} s")
    header = ("accuracy", "macro F", "ECE", "as teacher", "words/s", "MB", "training s")
    for corpus, measures in result.measures.items():
        rows = [
            (name, *_cells(each), f"{seconds[name]:,.0f}" if name in seconds else "-")
            for name, each in measures.items()
        ]
        aligns = ("l", *"r" * len(header))
        typer.echo(table(rows, header=(corpus, *header), divider=True, aligns=aligns))
        if "teacher" not in measures:
            typer.echo(f"no teacher has labelled all texts of '{corpus}', so none is in this table")
        if (closed := result.closed.get(corpus)) is not None:
            typer.echo(f"{100 * closed:.0f} % of the teacher's lead made up for")
        elif corpus in result.closed:
            typer.echo("the teacher has no lead to make up for")


def _cells(measures: Measures) -> tuple[str, ...]:
    return (
        f"{100 * measures.accuracy:.1f}",
        f"{100 * measures.macro_f:.1f}",
        f"{measures.calibration_error:.3f}",
        "-" if measures.agreement is None else f"{100 * measures.agreement:.1f}",
        "-" if measures.words_per_second is None else f"{measures.words_per_second:,.0f}",
        "-" if measures.size is None else f"{measures.size / 1e6:,.1f}",
    )


def _set_up(code_path: Path | None, gpu_id: int) -> None:
    """Prepare a worker."""
    load_code(code_path)
    setup_gpu(gpu_id, silent=True)
