"""The steps of a distillation: collect texts, have teachers label them, train, compare."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from spacy import util
from spacy.cli.train import train
from spacy.language import Language
from spacy.training import Example
from spacy.training.initialize import load_vectors_into_model
from thinc.api import Config

from ..data.source import Source
from ..tables.annotator import Annotator
from ..tables.bulk import Bar, Job, apply
from ..tables.output_folder import Output
from ..tables.shards import ParquetShard, cut
from ..text_files import write_text
from . import run_folder
from .comparison import Comparison, Measures, closed_gap, size_of
from .data_labels import DataLabels
from .labelled_table import LabelledTable
from .run_folder import RESULT, SOFT, TEXTS, own_folder
from .soft_labels import Mixed, common_labels, write_soft_labels
from .student import (
    check_student,
    check_written,
    corpus_name,
    has_exclusive_labels,
    student_config,
    write_config,
)
from .teachers import Teacher, place_of
from .training_texts import SCHEMA, TEXT, Counts, write_texts

if TYPE_CHECKING:
    from ..data.reader import Augmenter, HFDataset
    from ..tables.shards import Shard

TEACHER, STUDENT, PLAIN = "teacher", "student", "without a teacher"
LABELLING = "labelling"
_FOLDERS = {STUDENT: run_folder.STUDENT, PLAIN: run_folder.BASELINE}
# Notes in such a folder that the training has come to its end.
_TRAINED = "trained.json"

Corpora = dict[str, Callable[[Language], Any]]

# Texts that a teacher labels at a time. So many are labelled anew if it is stopped.
_ROWS_PER_PART = 1_000


@dataclass(frozen=True)
class SoftLabels:
    """What teachers say of texts.

    Attributes:
        path: A Parquet file of the texts, with a column of probabilities for each label.
        labels: The labels.
        exclusive: Whether they exclude one another.
        texts: What became of the texts.
        mixed: How many of them lack a teacher's labels or an annotation.
        digest: A hash of all that a student learns, and of all that it is scored on.
    """

    path: Path
    labels: tuple[str, ...]
    exclusive: bool
    texts: Counts
    mixed: Mixed
    digest: str

    def config(self, config: Config) -> Config:
        """Return a training config that learns them, and is otherwise the same."""
        return student_config(
            config,
            self.path,
            self.labels,
            exclusive=self.exclusive,
            has_unknown=self.mixed.unknown > 0,
        )


@dataclass
class Result:
    """What a distillation has led to.

    Attributes:
        texts: What became of the texts.
        mixed: How many of them lack a teacher's labels or an annotation.
        measures: By corpus, "dev" or "test", and by pipeline. The teacher is missing where it is a
            table that lacks some of the texts.
        closed: By corpus, the share of the teacher's lead that was made up for.
        seconds: What took how long: "labelling", which includes the collection of the texts; and
            by pipeline, its training. Texts that were labelled before take next to none.
        kept: The pipelines that a run has trained which was stopped later.
    """

    texts: Counts
    mixed: Mixed
    measures: dict[str, dict[str, Measures]] = field(default_factory=dict)
    closed: dict[str, float | None] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    kept: list[str] = field(default_factory=list)

    def to_json(self) -> str:
        """Return it as JSON."""
        found = {
            "texts": vars(self.texts) | vars(self.mixed),
            "measures": {
                corpus: {name: each.to_dict() for name, each in own.items()}
                for corpus, own in self.measures.items()
            },
            "closed": self.closed,
            "seconds": self.seconds,
        }
        return json.dumps(found, indent=2) + "\n"


@dataclass(frozen=True)
class Distillation:
    """Trains a student on what teachers say of texts.

    Attributes:
        teachers: Their probabilities are averaged. On a corpus, the student is compared with those
            that know all its texts.
        config: The training config of the student, with its variables.
        output: The folder for all that is made.
        gold_weight: What an annotated label counts beside the teachers, from 0 to 1.
        set_up: Called in each process that applies a teacher.
        gpu_id: The GPU to train on; -1 for the CPU.
        bar: Makes a progress bar of the number of texts, None if it is not known, and of how many
            are done.
        augmenter: Yields variants of texts, which the teachers label, too.
    """

    teachers: Sequence[Teacher]
    config: Config
    output: Path
    gold_weight: float
    set_up: Callable[[], object]
    gpu_id: int
    bar: Callable[[int | None, int], AbstractContextManager[Bar]]
    augmenter: Augmenter | None = None

    def run(self, further: Sequence[HFDataset], *, workers: int, baseline: bool) -> Result:
        """Do all steps. Texts that were labelled before are not labelled again.

        Args:
            further: Other data sets, without labels.
            workers: The number of processes that apply a teacher.
            baseline: Whether to train the config as it is, too, and compare with that.

        Raises:
            ValueError: If teachers and data do not fit together, or some text cannot be labelled.
        """
        with own_folder(self.output, self._data(further)):
            return self._run(further, workers=workers, baseline=baseline)

    def _run(self, further: Sequence[HFDataset], *, workers: int, baseline: bool) -> Result:
        nlp, corpora = self._read_config()
        start = time.perf_counter()
        taught = self._teach(further, workers=workers)
        seconds = {LABELLING: time.perf_counter() - start}
        result = Result(taught.texts, taught.mixed, seconds=seconds)
        configs = {STUDENT: taught.config(self.config)}
        if baseline:
            configs[PLAIN] = self.config
        finished = {
            name: self._train(config, self.output / _FOLDERS[name], taught.digest, result.kept)
            for name, config in configs.items()
        }
        seconds |= {
            name: json.loads(path.read_text())["seconds"] for name, path in finished.items()
        }
        trained = {name: path.with_name("model-best") for name, path in finished.items()}
        for name in _scored(corpora):
            own = self._compare(list(corpora[name](nlp)), trained)
            result.measures[name] = own
            if baseline and TEACHER in own:
                result.closed[name] = closed_gap(own[TEACHER], own[STUDENT], own[PLAIN])
        write_text(self.output / RESULT, result.to_json())
        for folder in _FOLDERS.values():
            # Only a run that was stopped goes on: another one may find other vectors or other code.
            (self.output / folder / _TRAINED).unlink(missing_ok=True)
        return result

    def teach(self, further: Sequence[HFDataset], *, workers: int) -> SoftLabels:
        """Have the teachers label all texts, but for those that they have labelled before.

        Args:
            further: Other data sets, without labels.
            workers: The number of processes that apply a teacher.

        Raises:
            ValueError: As in `run`.
        """
        with own_folder(self.output, self._data(further)):
            return self._teach(further, workers=workers)

    def _data(self, further: Sequence[HFDataset]) -> list[str]:
        """Return the places of all that is read, of corpora as far as these say it."""
        blocks = self.config.interpolate()["corpora"].values()
        places = [block.get("path") for block in blocks if isinstance(block, dict)]
        places += [each.path for each in further]
        places += [place_of(each.name) for each in self.teachers]
        return [str(place) for place in places if place]

    def _teach(self, further: Sequence[HFDataset], *, workers: int) -> SoftLabels:
        check_student(self.config)
        nlp, corpora = self._read_config()
        exclusive = has_exclusive_labels(self.config)
        decisions = [(each.name, each.annotator.decisions) for each in self.teachers]
        labels = common_labels(decisions, exclusive=exclusive)
        check_written(labels)
        path = self.output / TEXTS
        annotated = DataLabels()
        held_out = [annotated.noting(corpora[name], name) for name in _scored(corpora)]
        train = annotated.noting(corpora["train"])
        with self.bar(None, 0) as bar:
            texts = write_texts(path, nlp, train, further, held_out, self.augmenter, bar)
        annotated.check(labels)
        parts = [self._label(path, i, workers) for i in range(len(self.teachers))]
        soft = self.output / SOFT
        total = texts.annotated + texts.further + texts.variants
        with self.bar(total, 0) as bar:
            mixed = write_soft_labels(
                soft,
                zip(*parts, strict=True),
                labels,
                exclusive=exclusive,
                gold_weight=self.gold_weight,
                bar=bar,
            )
        annotated.digest.update(soft.read_bytes())
        return SoftLabels(soft, labels, exclusive, texts, mixed, annotated.digest.hexdigest())

    def _read_config(self) -> tuple[Language, Corpora]:
        """Return a pipeline that makes documents, and the readers of the corpora."""
        config = self.config.interpolate()
        corpora = dict(util.registry.resolve(config["corpora"]))
        for name, setting in (("train", "train_corpus"), ("dev", "dev_corpus")):
            found = Config({"corpora": corpora})
            corpora[name] = util.dot_to_object(found, corpus_name(config, setting))
        settings = {**config["nlp"], "pipeline": [], "disabled": []}
        nlp = util.load_model_from_config(Config({"nlp": settings}), auto_fill=True)
        if vectors := config["initialize"]["vectors"]:
            # An augmenter may need them.
            load_vectors_into_model(nlp, vectors)
        return nlp, corpora

    def _label(self, texts: Path, number: int, workers: int) -> list[Path]:
        """Have a teacher label the texts, and return the files that hold them."""
        teacher = self.teachers[number]
        source = Source(str(texts))
        source.columns, source.all_columns = (TEXT,), True
        shards = [_by_content(shard) for shard in cut(source, _ROWS_PER_PART)]
        if isinstance(teacher.annotator, LabelledTable):
            return teacher.annotator.label(shards, self.output / f"{run_folder.TABLE}{number}")
        arguments = {"model": teacher.annotator.digest, "component": teacher.annotator.component}
        # Another teacher, also one in another place of the command, takes nothing from this one.
        key = hashlib.sha256(json.dumps(arguments).encode()).hexdigest()
        place = Output(self.output / f"{run_folder.TEACHER}{key[:16]}")
        with place.begun(arguments, overwrite=True):
            finished = place.finished([shard.identity for shard in shards], overwrite=True)
            job = Job(teacher.annotator, place, SCHEMA, self.set_up)
            total = sum(shard.n_rows for shard in shards)
            done = sum(record["rows"] for record in finished.values())
            with self.bar(total, done) as bar:
                outcome = apply(job, shards, finished, workers=workers, threads=1, bar=bar)
            if outcome.n_missing:
                where, reason = next(iter(outcome.failures.items()))
                raise ValueError(
                    f"The teacher '{teacher.name}' could not label all texts ({where}: {reason}). "
                    f"Those that it has labelled are kept."
                )
            place.finish(len(shards))
        return [place.part(i) for i in range(len(shards))]

    def _train(self, config: Config, folder: Path, digest: str, kept: list[str]) -> Path:
        """Train a pipeline, unless a run that was stopped later has, and return what is noted."""
        path, done = folder / "config.cfg", folder / _TRAINED
        of = {"config": config.to_str(), "data": digest}
        if done.exists() and json.loads(done.read_text())["of"] == of:
            kept.append(folder.name)
            return done
        done.unlink(missing_ok=True)
        folder.mkdir(exist_ok=True)
        write_config(config, path)
        start = time.perf_counter()
        train(path, folder, use_gpu=self.gpu_id)
        write_text(done, json.dumps({"of": of, "seconds": time.perf_counter() - start}))
        return done

    def _compare(self, examples: list[Example], trained: Mapping[str, Path]) -> dict[str, Measures]:
        comparison = Comparison(examples)
        able = [each for each in self.teachers if comparison.can_measure(each.annotator)]
        found = {}
        if able:
            sizes = [each.size for each in able]
            size = None if None in sizes else sum(filter(None, sizes))
            found[TEACHER] = comparison.measure([each.annotator for each in able], size)
        for name, folder in trained.items():
            measures = comparison.measure([Annotator(folder)], size_of(folder))
            found[name] = measures if able else replace(measures, agreement=None)
        return found


class _Collected(ParquetShard):
    """Rows of the collected texts, which are the same wherever the output folder lies."""

    @property
    def identity(self) -> dict[str, Any]:
        """What is the same, written as JSON, only for the same rows."""
        return {**super().identity, "file": TEXTS}


def _by_content(shard: Shard) -> Shard:
    """Return rows of a file that are the same as long as they read the same."""
    digest = hashlib.sha256()
    for table in shard.batches(_ROWS_PER_PART):
        for row in zip(*(table[name].to_pylist() for name in SCHEMA.names), strict=True):
            digest.update(repr(row).encode(errors="surrogatepass"))
    whole = cast("ParquetShard", shard)
    return _Collected(whole.file, whole.start, whole.stop, digest.hexdigest())


def _scored(corpora: Corpora) -> list[str]:
    """Return the names of the corpora to compare on."""
    return [name for name in ("dev", "test") if corpora.get(name) is not None]
