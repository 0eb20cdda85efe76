"""The command `python -m benchmarks.translation`: how well `attn_seq2seq` translates."""

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import pandas as pd
import spacy
import typer
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Config
from typer import Argument, Option

from spacy_attn.data.errors import DatasetError
from spacy_attn.data.pair_reader import HFPairs
from spacy_attn.results.written_data import generated_text

from .models import Model, file_config
from .options import (
    Anew,
    Jobs,
    Keep,
    Limit,
    Output,
    Override,
    Seeds,
    Split,
    Train,
    make_settings,
    usage_errors,
)
from .searches import Comparison
from .splits import ROOT, Prepared, find
from .training import CORPORA, Measures, Task, complete, fingerprint, timed

NAME = "attn_seq2seq"
DATA = "bentrevett/multi30k"
OUTPUT = Path("benchmarks/results/translation")
PUBLISHED = ROOT / "benchmarks" / "published" / "translation"
MODEL = Model(NAME, NAME, "ours", partial(file_config, ROOT / "configs" / "translate.cfg"))
TRANSLATION = Comparison(
    "Translation",
    MODEL,
    searches={"greedy": 1, "beam of 5": 5},
    scores={"BLEU on tokens": "bleu", "BLEU (13a)": "bleu_13a", "chrF": "chrf"},
)


def main(
    source: Annotated[
        str,
        Argument(
            metavar="DATASET",
            help="A folder with train.parquet and validation.parquet, or a name on the hub",
        ),
    ] = DATA,
    columns: Annotated[
        tuple[str, str], Option(help="Columns of the sources and of the targets")
    ] = ("de", "en"),
    seeds: Seeds = "0,1,2",
    split: Split = "validation",
    override: Override = None,
    limit: Limit = 0,
    jobs: Jobs = 1,
    keep: Keep = False,
    anew: Anew = False,
    train: Train = True,
    output: Output = OUTPUT,
) -> None:
    """Train configs/translate.cfg with several seeds, and write a table of what they reach.

    Each has one thread. A run that was stopped goes on where it was. Published results are taken
    over.
    """
    with usage_errors():
        settings = make_settings(output, PUBLISHED, seeds, override, keep=keep, anew=anew)
        data = prepare(source, output, columns, split, limit)
        tasks = [TranslationTask(data, MODEL, seed, settings) for seed in settings.seeds]
        TRANSLATION.run(tasks, output, caption(data), jobs if train else 0)


def prepare(
    source: str, output: Path, columns: tuple[str, str], scored: str = "validation", limit: int = 0
) -> Prepared:
    """Read pairs of texts, and write them where the training finds them.

    Args:
        source: A folder of Parquet files, or a name on the hub.
        output: The folder for what is written.
        columns: Those of the sources and of the targets.
        scored: The split to score on, "validation" or "test".
        limit: Keep so many pairs of each split, the first; 0 keeps all.

    Raises:
        DatasetError: If a split, a column or a text is missing.
    """
    places = find(source)
    nlp = spacy.blank("xx")
    splits = {}
    for split in dict.fromkeys(("train", "validation", scored)):
        if split not in places:
            raise DatasetError(f"{source}: there is no {split} split in it")
        reader = HFPairs(
            **places[split], source_column=columns[0], target_column=columns[1], limit=limit
        )
        splits[split] = [(x.text, generated_text(x.reference)) for x in reader(nlp)]
    digest = fingerprint(splits)
    path = Path(source)
    name = f"{path.name if path.exists() else source.replace('/', '--')}-{'-'.join(columns)}"
    folder = output / name / f"data-{digest[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    for split, pairs in splits.items():
        frame = pd.DataFrame(pairs, columns=["source", "target"])
        frame.to_parquet(folder / f"{split}.parquet", index=False)
    known = {text for text, _ in splits["train"]}
    return Prepared(
        name,
        folder,
        f"the {scored} split",
        "the validation split",
        counts={split: len(pairs) for split, pairs in splits.items()},
        labels=[],
        n_repeated=sum(text in known for text, _ in splits[scored]),
        fingerprint=digest,
    )


class TranslationTask(Task):
    """A model to train on pairs of texts, with a seed."""

    def config(self, folder: Path) -> Config:
        corpora = {
            name: {
                "@readers": "spacy-attn.HFPairs.v1",
                "path": (folder / f"{split}.parquet").as_posix(),
            }
            for name, split in CORPORA.items()
        }
        assert self.model.config is not None
        assert self.seed is not None
        return complete(self.model.config(), corpora, self.seed, self.settings.overrides)

    def act(self, folder: Path) -> Measures:
        """Train, and score and time what is written. Times are those of one process and thread."""
        scored = "test" if "test" in self.data.counts else "validation"
        path = self.data.folder / f"{scored}.parquet"
        config = self.config(self.data.folder)
        return TRANSLATION.measure(config, folder, partial(search, folder, path))


def search(folder: Path, path: Path, beam_width: int) -> Measures:
    """Write translations with a trained pipeline, and compare them with those of a file."""
    nlp = spacy.load(folder / "model-best")
    component: Any = nlp.get_pipe(NAME)
    component.beam_width = beam_width
    examples = list(HFPairs(str(path))(nlp))
    texts = [example.text for example in examples]
    # Before time is taken.
    list(nlp.pipe(texts[:50]))

    def prepare() -> Callable[[], list[Doc]]:
        return lambda: list(nlp.pipe(texts))

    docs, seconds = timed(prepare, repeat=True, clock=time.process_time)
    found = [Example(doc, each.reference) for doc, each in zip(docs, examples, strict=True)]
    on_tokens = component.score(found, compare="tokens", lowercase=False)
    return {
        "bleu": on_tokens["bleu"],
        # Of the texts, tokenized as sacrebleu does.
        "bleu_13a": component.score(found)["bleu"],
        "chrf": component.score(found)["chrf"],
        "words_per_second": sum(map(len, docs)) / seconds,
        "examples": [
            [doc.text, generated_text(doc), generated_text(each.reference)]
            for doc, each in list(zip(docs, examples, strict=True))[:5]
        ],
    }


def caption(data: Prepared) -> str:
    """Say what was trained on and scored."""
    n_scored = data.counts.get("test", data.counts["validation"])
    return (
        f"{data.name}. Trained on {data.counts['train']:,} pairs, selected on {data.selection}, "
        f"scored on {data.scored}: {n_scored:,} pairs, {data.n_repeated} of whose sources were "
        f"trained on."
    )


if __name__ == "__main__":
    typer.run(main)
