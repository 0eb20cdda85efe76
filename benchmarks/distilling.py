"""A data set and a seed: a teacher, students with and without it, and what is measured of them."""

import json
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pandas as pd
import spacy
from spacy.language import Language
from thinc.api import Config
from tqdm import tqdm  # type: ignore[import-untyped]

from spacy_attn import Annotator
from spacy_attn.cli.init_vectors import init_vectors_cli
from spacy_attn.cli.options import make_reader
from spacy_attn.data.augmenter import make_augment
from spacy_attn.distill.comparison import Comparison, size_of
from spacy_attn.distill.distilling import Distillation
from spacy_attn.distill.hf_classifier import hf_pipeline
from spacy_attn.distill.teachers import Teacher
from spacy_attn.distill.transformers_models import PREFIX
from spacy_attn.interpret.faithfulness.evaluate import evaluate_faithfulness

from .models import DEFAULT_CONFIG, Block, Model, UsageError, file_config
from .splits import ROOT, Prepared, shuffled
from .teacher import fine_tune
from .training import (
    Measures,
    Settings,
    Task,
    complete,
    fingerprint,
    text_corpora,
    timed,
    train_spacy,
)

DISTILL_CONFIG = ROOT / "configs" / "distill.cfg"
# Of few labelled rows, the share that models are selected on.
_SELECTION = 0.15
# Words that are timed, as a whole number of texts. All take as long as a teacher takes for these.
_TIMED_WORDS = 20_000
TEACHER, PLAIN, DISTILLED, NARROW = "teacher", "plain", "distilled", "narrow"
# The student that reads words by vectors of the teacher, and the folder of these.
WITH_VECTORS, VECTORS = "with vectors", "vectors"


def narrow_config() -> Config:
    """Make the config of a student that is about twice as fast."""
    config = file_config(DISTILL_CONFIG)
    model = config["components"]["attn_textcat"]["model"]
    model["hidden_width"], model["tok2vec"]["width"] = 48, 64
    return config


def vectors_config() -> Config:
    """Make the config of a student whose words have fixed vectors, as `configs/vectors.cfg` has."""
    config = file_config(DISTILL_CONFIG)
    tok2vec = config["components"]["attn_textcat"]["model"]["tok2vec"]
    tok2vec["vectors"], tok2vec["max_size"] = "static", 0
    return config


#: What each student is called in tables, its config, and whether it learns from the teacher.
STUDENTS: dict[str, tuple[str, Callable[[], Config], bool]] = {
    PLAIN: ("student without a teacher", partial(file_config, DEFAULT_CONFIG), False),
    DISTILLED: ("student", partial(file_config, DISTILL_CONFIG), True),
    NARROW: ("narrow student", narrow_config, True),
    WITH_VECTORS: ("student with vectors of the teacher", vectors_config, True),
}


@dataclass(frozen=True)
class Taught(Prepared):
    """A data set whose training split is in part without labels.

    Attributes:
        n_further: The number of texts without labels.
    """

    n_further: int = 0


def with_texts(data: Prepared, files: Sequence[Path], labelled: int = 0) -> Taught:
    """Add texts without labels.

    Args:
        data: The data set.
        files: Parquet files with a column `text`.
        labelled: So many rows of the training and validation split keep their labels, drawn at
            random. 85 % of them are trained on, the others selected on. The texts of all other
            rows are added. 0 keeps all labels.

    Raises:
        UsageError: If there are not so many rows, or a file has no column `text`.
    """
    splits = {
        name: pd.read_parquet(data.folder / f"{name}.parquet")
        for name in ("train", "validation", "test")
    }
    name, selection, texts = data.name, data.selection, []
    if labelled:
        rows = pd.concat([splits["train"], splits["validation"]], ignore_index=True)
        if labelled > len(rows):
            raise UsageError(f"--labelled {labelled}: {data.name} has {len(rows)} rows to train on")
        order = shuffled(rows)
        n = round((1 - _SELECTION) * labelled)
        chosen = {"train": order[:n], "validation": order[n:labelled]}
        splits |= {split: rows.iloc[own] for split, own in chosen.items()}
        texts += rows["text"].iloc[order[labelled:]].tolist()
        name, selection = f"{data.name}-{labelled}", "the other labelled rows"
    for file in files:
        frame = pd.read_parquet(file)
        if "text" not in frame:
            raise UsageError(f"--texts {file}: there is no column 'text'")
        texts += frame["text"].tolist()
    digest = fingerprint(data.fingerprint, labelled, texts)
    folder = data.folder.parents[1] / name / f"data-{digest[:8]}"
    folder.mkdir(parents=True, exist_ok=True)
    for split, rows in splits.items():
        rows.to_parquet(folder / f"{split}.parquet", index=False)
    pd.DataFrame({"text": pd.Series(texts, dtype="string")}).to_parquet(folder / "further.parquet")
    return Taught(
        **{
            **vars(data),
            "name": name,
            "folder": folder,
            "selection": selection,
            "counts": {split: len(rows) for split, rows in splits.items()},
            "fingerprint": digest,
        },
        n_further=len(texts),
    )


MODEL = Model("distillation", "distillation", "ours", partial(file_config, DISTILL_CONFIG))


@dataclass(frozen=True)
class DistillationTask(Task):
    """A teacher to fine-tune on a data set with a seed, and students of it.

    Attributes:
        encoder: What is fine-tuned.
        gold_weight: What labels count beside the teacher.
        augment: The variants of each text that students learn, too.
        explained: The number of scored documents whose explanations are measured.
        keep: Whether to keep the models when they are measured.
    """

    data: Taught
    encoder: str
    gold_weight: float = 0.0
    augment: int = 0
    explained: int = 200
    keep: bool = False

    def student(self, name: str, folder: Path, learned: Block | None = None) -> Config:
        """Return the complete config of a student.

        Args:
            name: Of the student.
            folder: Of the data.
            learned: The reader of what it learns; None for the training split.
        """
        _, make, _ = STUDENTS[name]
        corpora = text_corpora(folder, self.data.labels)
        if learned is not None:
            corpora["train"] = learned
        assert self.seed is not None
        return complete(make(), corpora, self.seed, self.settings.overrides)

    def decisive(self) -> Measures:
        configs = {name: self.student(name, Path()) for name in STUDENTS}
        weights = {"gold_weight": self.gold_weight, "augment": self.augment}
        return {**configs, **weights, "encoder": Path(self.encoder).name}

    def act(self, folder: Path) -> Measures:
        """Make what is missing in a folder, and measure it. Times are those of the processor."""
        measures: dict[str, Measures] = {TEACHER: self.fine_tune(folder / TEACHER)}
        nlp = hf_pipeline(str(folder / TEACHER), lang="en")
        teacher = Teacher(TEACHER, Annotator(nlp), size_of(folder / TEACHER))
        learned, found = self.teach(teacher, folder)
        self.make_vectors(folder)
        measures |= {
            name: self.train_student(name, folder / name, learned if taught else None)
            for name, (_, _, taught) in STUDENTS.items()
        }
        loaded = {name: spacy.load(folder / name / "model-best") for name in STUDENTS}
        self.compare(measures, teacher, loaded)
        texts, n_words = self.timed_texts()
        for name, each in {TEACHER: nlp, **loaded}.items():
            measures[name]["words_per_second"] = n_words / seconds(each, texts)
        for name, each in loaded.items():
            measures[name]["comprehensiveness"] = self.explain(each)
        if not self.keep:
            for path in filter(Path.is_dir, folder.iterdir()):
                shutil.rmtree(path)
        return {"texts": found, **measures}

    def fine_tune(self, folder: Path) -> Measures:
        """Fine-tune the encoder on the training split, if that has not been done before."""
        rows = pd.read_parquet(self.data.folder / "train.parquet")
        texts, labels = rows["text"].tolist(), rows["label"].tolist()
        seed = self.seed or 0

        def make(unfinished: Path) -> Measures:
            fine_tune(
                self.encoder,
                texts,
                labels,
                self.data.labels,
                unfinished,
                seed=seed,
            )
            return {}

        return {**once(folder, make), "bytes": size_of(folder)}

    def teach(self, teacher: Teacher, folder: Path) -> tuple[Block, Measures]:
        """Have the teacher label all texts, and return the reader of what it said."""
        config = self.student(DISTILLED, self.data.folder)
        test = (self.data.folder / "test.parquet").as_posix()
        config["corpora"]["test"] = {**config["corpora"]["dev"], "path": test}
        file = str(self.data.folder / "further.parquet")
        further = [make_reader(file, labelled=False)] if self.data.n_further else []
        distillation = Distillation(
            [teacher],
            config,
            folder / "texts",
            self.gold_weight,
            _nothing,
            -1,
            lambda total, done: tqdm(total=total, initial=done),
            make_augment(self.augment, seed=self.seed or 0) if self.augment else None,
        )
        start = time.perf_counter()
        taught = distillation.teach(further, workers=1)
        seconds = time.perf_counter() - start
        block: Block = taught.config(config)["corpora"]["train"]
        return block, {**vars(taught.texts), "seconds": seconds}

    def make_vectors(self, folder: Path) -> None:
        """Make word vectors of the teacher and what it has labelled, as `init-vectors` does."""
        model, texts = f"{PREFIX}{folder / TEACHER}", str(folder / "texts" / "train.parquet")

        def make(unfinished: Path) -> Measures:
            init_vectors_cli(model, texts, unfinished)
            return {}

        once(folder / VECTORS, make)

    def train_student(self, name: str, folder: Path, learned: Block | None) -> Measures:
        """Train a student, if that has not been done before."""
        config = self.student(name, self.data.folder, learned)
        if name == WITH_VECTORS:
            config["initialize"]["vectors"] = (folder.parent / VECTORS).as_posix()
        return once(folder, partial(train_spacy, config))

    def compare(
        self, measures: dict[str, Measures], teacher: Teacher, loaded: Mapping[str, Language]
    ) -> None:
        """Score all on the validation rows and on those to score."""
        for split in ("validation", "test"):
            reader = make_reader(str(self.data.folder / f"{split}.parquet"))
            comparison = Comparison(list(reader(spacy.blank("en"))))
            annotators = {TEACHER: teacher.annotator}
            annotators |= {name: Annotator(nlp) for name, nlp in loaded.items()}
            for name, annotator in annotators.items():
                found = comparison.measure([annotator], None).to_dict()
                # It is timed otherwise.
                measures[name][split] = {
                    key: found[key]
                    for key in ("accuracy", "macro_f", "calibration_error", "agreement")
                }

    def timed_texts(self) -> tuple[list[str], int]:
        """Return the first scored texts, and the number of their words."""
        chosen: list[str] = []
        n_words, tokenizer = 0, spacy.blank("en").tokenizer
        for text in pd.read_parquet(self.data.folder / "test.parquet")["text"]:
            if n_words >= _TIMED_WORDS:
                break
            chosen.append(text)
            n_words += len(tokenizer(text))
        return chosen, n_words

    def explain(self, nlp: Language) -> float:
        """Return the comprehensiveness of contributions, as a share of leave one out's."""
        examples = make_reader(str(self.data.folder / "test.parquet"))(nlp)
        methods = ["contributions", "leave_one_out"]
        report = evaluate_faithfulness(nlp, islice(examples, self.explained), methods=methods)
        rankings = report.to_dict()["rankings"]
        ours, best = (rankings[name]["comprehensiveness"]["mean"] for name in methods)
        return float(ours / best)


def once(folder: Path, make: Callable[[Path], Measures]) -> Measures:
    """Make a folder, unless it was finished before, and return what was measured of that.

    Args:
        folder: Where it lies when it is finished.
        make: Fills a folder.
    """
    file = folder / "measures.json"
    if not file.exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        start = time.process_time()
        measures = make(folder)
        measures["cpu_seconds"] = time.process_time() - start
        file.write_text(json.dumps(measures))
    found: Measures = json.loads(file.read_text())
    return found


def seconds(nlp: Language, texts: list[str]) -> float:
    """Return the processor's seconds for texts, after a warm-up."""
    list(nlp.pipe(texts[:50]))
    clock = time.process_time
    return timed(lambda: lambda: list(nlp.pipe(texts)), repeat=True, clock=clock)[1]


def _nothing() -> None:
    """Prepare nothing in a worker."""


def plan(
    data: Taught, settings: Settings, *, gold_weight: float = 0.0, augment: int = 0, **others: Any
) -> list[DistillationTask]:
    """Return a unit of work for each seed."""
    # A published result is found by its name, so that a setting has one of its own.
    changed = {"gold weight": gold_weight, "augment": augment}
    name = ", ".join([MODEL.name, *(f"{key} {value}" for key, value in changed.items() if value)])
    model = replace(MODEL, name=name, title=name)
    # Made in a folder that stays until it is measured, so that it goes on where it was.
    own = replace(settings, keep=True)
    others |= {"gold_weight": gold_weight, "augment": augment, "keep": settings.keep}
    return [DistillationTask(data, model, seed, own, **others) for seed in settings.seeds]
