"""`python -m spacy attn words`: the words that decisions are made of, over a whole corpus."""

from __future__ import annotations

from itertools import islice
from pathlib import Path
from typing import Annotated

from spacy import util
from spacy.cli._util import Opt
from wasabi import msg

from ..interpret.corpus_words.corpus import summarize_corpus
from ..interpret.corpus_words.pipeline_comparison import compare_pipelines
from ..interpret.corpus_words.word_report import WordReport
from ..interpret.methods import check_method
from ..interpret.show.saving import check_ending
from ..interpret.show.words_saving import WORDS_ENDINGS
from ..interpret.subject import Classifier
from ..results.explanation import CONTRIBUTIONS
from . import options as opt
from .console import failing, prepare, progress


def words_cli(
    model: opt.Model,
    data: opt.Data,
    output: Annotated[
        Path,
        Opt(
            "--output",
            "-o",
            help="File to write: .html for a page, .svg, .png or .pdf for a plot, .csv for a "
            "table, .json for all values",
            dir_okay=False,
        ),
    ] = Path("words.html"),
    compare: Annotated[
        str | None,
        Opt(
            "--compare",
            help="Another pipeline with the same labels. Shows what one gets right and the other "
            "does not, and on which words",
        ),
    ] = None,
    limit: opt.Limit = 0,
    top: Annotated[int, Opt("--top", min=1, help="Number of words for each label")] = 20,
    min_count: Annotated[
        int | None,
        Opt(
            "--min-count",
            min=1,
            help="Leave out words that occur more rarely. By default 5, and 2 for --compare",
        ),
    ] = None,
    sort_by: Annotated[
        str,
        Opt(
            "--sort-by",
            help="'mean' for the words that tell most when they occur, 'total' for those that "
            "contributed most to all decisions together",
        ),
    ] = "mean",
    method: opt.MethodName = CONTRIBUTIONS,
    component: opt.ComponentName = None,
    other_component: Annotated[
        str | None, Opt("--other-component", help="The same of the pipeline of --compare")
    ] = None,
    unlabelled: Annotated[
        bool, Opt("--unlabelled", help="Read no labels: then no word misleads")
    ] = False,
    split: opt.Split = None,
    text_column: opt.TextColumn = None,
    label_column: opt.LabelColumn = None,
    labels: opt.LabelNames = None,
    settings: opt.ReaderSettings = None,
    gpu_id: opt.GpuId = -1,
    code_path: opt.CodePath = None,
) -> None:
    """
    Show which words decisions are made of. For each label, the words that
    contribute most to it, and those that misled. With another pipeline, the
    words on which one decides rightly and the other does not.
    """
    prepare(code_path, gpu_id, printing=False)
    options = opt.DataOptions(split, text_column, label_column, labels, settings)
    with failing("Can't write the words"):
        check_ending(output, endings=WORDS_ENDINGS)
        check_method("spacy attn words", method)
        if compare is not None and unlabelled:
            raise ValueError("Only labels say which pipeline is right: leave out '--unlabelled'.")
        if compare is None and other_component is not None:
            raise ValueError(f"'--other-component {other_component}' needs '--compare'.")
    with failing("Can't read the data"):
        reader = opt.make_reader(data, options, labelled=not unlabelled)
    with failing(f"Can't load the pipeline '{model}'"):
        classifier = Classifier(util.load_model(model), component)
    nlp = classifier.nlp
    title = f"{opt.end_of_path(model)} on {opt.end_of_path(data)}"
    other = None
    if compare is not None:
        with failing(f"Can't load the pipeline '{compare}'"):
            other = Classifier(util.load_model(compare), other_component)
        title = f"{opt.end_of_path(model)} and {opt.end_of_path(compare)} on "
        title += opt.end_of_path(data)
    with failing("Can't collect the words"):
        examples = progress(islice(reader(nlp), limit or None))
        found: WordReport
        if other is None:
            found = summarize_corpus(
                nlp,
                examples,
                component=classifier.name,
                method=method,
                top=top,
                min_count=min_count or 5,
                sort_by=sort_by,
            )
        else:
            found = compare_pipelines(
                nlp,
                other.nlp,
                examples,
                names=_names(model, compare or ""),
                component=classifier.name,
                other_component=other.name,
                method=method,
                top=top,
                min_count=min_count or 2,
                sort_by=sort_by,
            )
        if not found.n_docs:
            raise ValueError("There is no document in the data.")
        found.save(output, title=title)
    msg.good(f"Saved the words of {found.n_docs} documents: {output}")


def _names(model: str, other: str) -> tuple[str, str]:
    short = opt.end_of_path(model), opt.end_of_path(other)
    return short if short[0] != short[1] else (model, other)
