"""The lemmatizers that are compared: how each is trained, and how it predicts."""

import re
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import spacy
from spacy.cli.init_config import init_config
from spacy.tokens import Doc
from thinc.api import Config

from spacy_attn.distill.comparison import size_of

from .models import Block, Model, UsageError, file_config
from .splits import ROOT
from .tables import number
from .training import CORPORA, Measures, Task, complete, timed, train_spacy
from .treebanks import Sentence, load

Predict = Callable[[Sequence[Sentence]], list[list[str]]]

OURS = "attn_lemmatizer"
GOLD_TAGS, PREDICTED_TAGS = "gold tags", "predicted tags"
DICTIONARY = "dictionary"
STANZA = "stanza"
SPACY = ("spacy", "spacy every tree")
OUR_CONFIG = ROOT / "configs" / "lemmatizer.cfg"
# Both read sentences with their gold tokens.
_TAG_READER: Block = {"@readers": "spacy-attn.HFTokens.v1", "give_pos": True}
_READER: Block = {
    "@readers": "spacy.Corpus.v1",
    "gold_preproc": True,
    "max_length": 0,
    "limit": 0,
    "augmenter": None,
}
# Epochs of `python -m stanza.utils.training.run_lemma`.
STANZA_SETTINGS: dict[str, float] = {"--num_epoch": 60}
# A third of them, with a learning rate that starts to fall three times as early and falls three
# times as fast (0.9 ** 3), for larger treebanks: 60 of English-EWT take four hours of a core.
STANZA_SHORT: dict[str, float] = {"--num_epoch": 20, "--decay_epoch": 10, "--lr_decay": 0.729}
STANZA_LARGE = 100_000
# Before time is taken, so many training sentences are lemmatized.
N_WARM_UP = 50


# The context of a token is its part of speech alone.
_TAG: Block = {
    "@architectures": "spacy.Tok2Vec.v2",
    "embed": {
        "@architectures": "spacy.MultiHashEmbed.v2",
        "width": 64,
        "attrs": ["POS"],
        "rows": [100],
        "include_static_vectors": False,
    },
    "encode": {
        "@architectures": "spacy.MaxoutWindowEncoder.v2",
        "width": 64,
        "depth": 1,
        "window_size": 0,
        "maxout_pieces": 3,
    },
}


def quickstart_config(component: str, **settings: Any) -> Config:
    """Make the config of spaCy's quickstart for a component, with some settings of that."""
    config = init_config(lang="xx", pipeline=[component], optimize="efficiency")
    config["components"][component] |= settings
    return config


def our_config(tok2vec: Block | None = None, **settings: Any) -> Config:
    """Make our config with another context, or with none."""
    config = file_config(OUR_CONFIG)
    config["components"][OURS]["model"]["tok2vec"] = tok2vec
    config["components"][OURS] |= settings
    return config


def our_config_with_tagger() -> Config:
    """Make our config for predicted parts of speech, in training as in prediction.

    What predicts them, `TAGGER`, has to be put in.
    """
    config = our_config(_TAG, use_pos=True)
    config["nlp"]["pipeline"] = [*_TAGGER_PIPES, *config["nlp"]["pipeline"]]
    config["training"]["frozen_components"] = list(_TAGGER_PIPES)
    config["training"]["annotating_components"] = list(_TAGGER_PIPES)
    return config


_TAGGER_PIPES = ("tok2vec", "morphologizer")
TAGGER = Model(
    "tagger", "spaCy's morphologizer", "peer", partial(quickstart_config, "morphologizer")
)
spacy_config = partial(quickstart_config, "trainable_lemmatizer")
MODELS = {
    model.name: model
    for model in (
        Model(OURS, OURS, "ours", partial(file_config, OUR_CONFIG)),
        Model("no context", f"{OURS}, no context", "variant", our_config),
        Model(
            GOLD_TAGS,
            f"{OURS}, gold parts of speech",
            "variant",
            partial(our_config, _TAG, use_pos=True),
        ),
        Model(
            PREDICTED_TAGS,
            f"{OURS}, predicted parts of speech",
            "variant",
            our_config_with_tagger,
        ),
        Model(DICTIONARY, "dictionary, else the form", "peer"),
        Model(SPACY[0], "spaCy trainable_lemmatizer, default", "peer", spacy_config),
        Model(
            SPACY[1],
            "spaCy trainable_lemmatizer, min_tree_freq = 1, top_k = 3",
            "peer",
            partial(spacy_config, min_tree_freq=1, top_k=3),
        ),
        Model(STANZA, "Stanza, gold parts of speech", "peer"),
    )
}


def choose(names: Iterable[str]) -> list[Model]:
    """Return the lemmatizers to compare.

    Raises:
        UsageError: For an unknown name, or a package that is not installed.
    """
    names = list(dict.fromkeys(names))
    if unknown := [name for name in names if name not in MODELS]:
        raise UsageError(f"there is no lemmatizer '{unknown[0]}'; known are {list(MODELS)}")
    if STANZA in names and find_spec("stanza") is None:
        raise UsageError(
            "Stanza is not installed; run pip install -e '.[stanza]', or name others by --models"
        )
    return [MODELS[name] for name in names]


class LemmaTask(Task):
    """A lemmatizer to train on a treebank, with a seed if it needs one."""

    def config(self, folder: Path) -> Config | None:
        if not self.model.config or self.seed is None:
            return None
        config = self.model.config().copy()
        config["nlp"]["lang"] = language(self.data.name)
        reader = _TAG_READER if self.model.name == GOLD_TAGS else _READER
        corpora: dict[str, Block] = {
            name: {**reader, "path": (folder / f"{split}.spacy").as_posix()}
            for name, split in CORPORA.items()
        }
        config = complete(config, corpora, self.seed, self.settings.overrides)
        if self.model.name == PREDICTED_TAGS:
            source = (folder / f"tagger-seed{self.seed}" / "model-best").as_posix()
            config["components"] |= {name: {"source": source} for name in _TAGGER_PIPES}
        return config

    def decisive(self) -> Measures:
        if self.model.name == STANZA:
            return stanza_settings(self)
        return self.config(Path()) or {}

    def act(self, folder: Path) -> Measures:
        """Train, score and time a lemmatizer. Times are those of its process, on one thread."""
        train = {DICTIONARY: train_dictionary, STANZA: train_stanza}
        start = time.process_time()
        measures, make = train.get(self.model.name, train_pipeline)(self, folder)
        measures["cpu_seconds"] = time.process_time() - start
        scored = "test" if "test" in self.data.counts else "validation"
        known = load(self.data.folder / "train.json")
        sentences = load(self.data.folder / f"{scored}.json")

        def prepare() -> Callable[[], list[list[str]]]:
            # Made anew for each pass, so that none finds what another has cached.
            predict: Predict = make()
            predict(known[:N_WARM_UP])
            return partial(predict, sentences)

        # The first pass of a process takes longer: it has to ask for memory.
        prepare()()
        predicted, seconds = timed(prepare, repeat=True, clock=time.process_time)
        return {
            **measures,
            "scored": score(known, sentences, predicted),
            "words_per_second": self.data.counts[scored] / seconds,
        }


def describe(task: Task) -> str:
    """Write the line that is shown when one has been measured."""
    result = task.read() or {}
    shown = [number(100 * (result["scored"][name] or 0), 1) for name in ("accuracy", "unseen")]
    seconds = number(result["cpu_seconds"], 0)
    return f"{task.title}: {shown[0]}, unseen forms {shown[1]}, trained in {seconds} s"


def language(name: str) -> str:
    """Return the code that the name of a treebank begins with, as in "fr_sequoia"; else "xx"."""
    code = re.split("[_-]", name.lower())[0]
    known = len(code) <= 3 and (Path(spacy.__file__).parent / "lang" / code).is_dir()
    return code if known else "xx"


def score(
    known: Iterable[Sentence], sentences: Iterable[Sentence], predicted: Iterable[Iterable[str]]
) -> Measures:
    """Compare lemmas with those of a treebank, where it has any.

    Args:
        known: The training sentences.
        sentences: What is scored.
        predicted: A lemma for each of its tokens.

    Returns:
        "accuracy" of all tokens; "unseen", that of forms that are not among the training tokens, or
        None; the numbers of both; and "invented", the number of wrong lemmas that are no lemma and
        no form of the training tokens.
    """
    forms, lemmas = ({x for sentence in known for x in sentence[column]} for column in range(2))
    hits: dict[bool, list[bool]] = {True: [], False: []}
    invented = 0
    for sentence, own in zip(sentences, predicted, strict=True):
        for form, truth, lemma in zip(sentence.tokens, sentence.lemmas, own, strict=True):
            if not truth:
                continue
            hits[form in forms].append(lemma == truth)
            invented += lemma != truth and lemma not in lemmas and lemma not in forms
    every, unseen = hits[True] + hits[False], hits[False]
    return {
        "accuracy": sum(every) / len(every),
        "unseen": sum(unseen) / len(unseen) if unseen else None,
        "n": len(every),
        "n_unseen": len(unseen),
        "invented": invented,
    }


# --- How each is trained --------------------------------------------------------------------------


def train_pipeline(task: Task, folder: Path) -> tuple[Measures, Callable[[], Predict]]:
    if task.model.name == PREDICTED_TAGS:
        tagger = replace(task, model=TAGGER).config(task.data.folder) or Config()
        train_spacy(tagger, task.data.folder / f"tagger-seed{task.seed}")
    measures = train_spacy(task.config(task.data.folder) or Config(), folder)
    return measures, partial(load_pipeline, folder / "model-best", task.model.name == GOLD_TAGS)


def load_pipeline(path: Path, tags: bool) -> Predict:
    nlp = spacy.load(path)

    def predict(sentences: Sequence[Sentence]) -> list[list[str]]:
        docs = (
            Doc(nlp.vocab, words=sentence.tokens, pos=sentence.upos if tags else None)
            for sentence in sentences
        )
        return [[token.lemma_ for token in doc] for doc in nlp.pipe(docs)]

    return predict


def train_dictionary(task: Task, folder: Path) -> tuple[Measures, Callable[[], Predict]]:
    """Count the lemmas of each form; of several as frequent, the one seen first is its lemma."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for sentence in load(task.data.folder / "train.json"):
        for form, lemma in zip(sentence.tokens, sentence.lemmas, strict=True):
            counts[form][lemma or form] += 1
    found = {form: lemmas.most_common(1)[0][0] for form, lemmas in counts.items()}

    def predict(sentences: Sequence[Sentence]) -> list[list[str]]:
        return [[found.get(form, form) for form in sentence.tokens] for sentence in sentences]

    return {}, lambda: predict


def stanza_settings(task: Task) -> dict[str, float]:
    """Return the settings of Stanza's training, which depend on the number of words."""
    return STANZA_SHORT if task.data.counts["train"] > STANZA_LARGE else STANZA_SETTINGS


def train_stanza(task: Task, folder: Path) -> tuple[Measures, Callable[[], Predict]]:
    """Train with Stanza's own command, as its `run_lemma` does without a pretrained model."""
    from stanza.models import lemmatizer

    arguments = {
        "--train_file": task.data.folder / "train.conllu",
        "--eval_file": task.data.folder / "validation.conllu",
        "--shorthand": f"{language(task.data.name)}_treebank",
        "--save_dir": folder,
        "--save_name": "lemmatizer.pt",
        "--seed": task.seed,
        **stanza_settings(task),
    }
    lemmatizer.main([str(x) for pair in arguments.items() for x in pair] + ["--cpu"])
    (path,) = folder.rglob("*.pt")
    return {"bytes": size_of(folder)}, partial(load_stanza, path)


def load_stanza(path: Path) -> Predict:
    from stanza import Document, Pipeline

    # What Stanza would download: a list of its own models, none of which is used.
    (path.parent / "resources.json").write_text("{}")
    nlp = Pipeline(
        lang="xx",
        processors="lemma",
        lemma_pretagged=True,
        lemma_model_path=str(path),
        download_method=None,
        dir=str(path.parent),
        allow_unknown_language=True,
        use_gpu=False,
    )

    def predict(sentences: Sequence[Sentence]) -> list[list[str]]:
        words = [
            [
                {"id": i, "text": token, "upos": tag}
                for i, (token, _, tag) in enumerate(zip(*sentence, strict=True), start=1)
            ]
            for sentence in sentences
        ]
        made = nlp(Document(words))
        return [[word.lemma for word in sentence.words] for sentence in made.sentences]

    return predict
