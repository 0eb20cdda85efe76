"""The benchmark of lemmas: its treebanks, what is trained how, its scores and its tables."""

import dataclasses
import json
from pathlib import Path

import datasets
import pandas as pd
import pytest
import spacy
from typer import Exit

from benchmarks import lemmatizers, training
from benchmarks.lemmas import COLUMNS, PUBLISHED, compare, table
from benchmarks.lemmatizers import (
    DICTIONARY,
    GOLD_TAGS,
    MODELS,
    OURS,
    PREDICTED_TAGS,
    SPACY,
    LemmaTask,
    choose,
    language,
    score,
)
from benchmarks.models import UsageError
from benchmarks.training import Settings
from benchmarks.treebanks import Sentence, load, prepare
from spacy_attn.data.errors import DatasetError

TRAIN = [
    Sentence(["She", "saw", "dogs"], ["she", "see", "dog"], ["PRON", "VERB", "NOUN"]),
    Sentence(["I", "saw", "a", "saw"], ["I", "see", "a", "saw"], ["PRON", "VERB", "DET", "NOUN"]),
]
HELD_OUT = [Sentence(["dogs", "saw", "cats"], ["dog", "see", "cat"], ["NOUN", "VERB", "NOUN"])]
FEW_STEPS = {"training.max_steps": 2, "training.eval_frequency": 1}


def write_folder(folder: Path, **splits: list[Sentence]) -> str:
    folder.mkdir(exist_ok=True)
    for name, sentences in splits.items():
        pd.DataFrame(sentences).to_parquet(folder / f"{name}.parquet")
    return str(folder)


@pytest.fixture
def source(tmp_path) -> str:
    return write_folder(
        tmp_path / "en_tiny", train=TRAIN, validation=HELD_OUT, test=[*HELD_OUT, TRAIN[0]]
    )


@pytest.fixture
def data(source, tmp_path):
    return prepare(source, tmp_path / "out")


# --- Treebanks ------------------------------------------------------------------------------------


def test_every_lemmatizer_reads_the_same_tokens_lemmas_and_tags(data):
    assert load(data.folder / "train.json") == TRAIN
    docs = (
        spacy.tokens.DocBin()
        .from_disk(data.folder / "train.spacy")
        .get_docs(spacy.blank("en").vocab)
    )
    for doc, (tokens, lemmas, upos) in zip(docs, TRAIN, strict=True):
        assert [token.text for token in doc] == tokens
        assert [token.lemma_ for token in doc] == lemmas
        assert [token.pos_ for token in doc] == upos
        assert len(list(doc.sents)) == 1
    lines = (data.folder / "train.conllu").read_text().splitlines()
    assert lines[1].split("\t")[:4] == ["2", "saw", "see", "VERB"]
    assert [i for i, line in enumerate(lines) if not line] == [3, 8]


def test_the_treebank_says_what_is_scored_and_how_many_of_its_sentences_were_trained_on(
    source, data, tmp_path
):
    test = prepare(source, tmp_path / "out", scored="test")
    assert (data.scored, data.counts) == ("the validation split", {"train": 7, "validation": 3})
    assert test.scored == "the test split"
    assert test.counts == {"train": 7, "validation": 3, "test": 6}
    assert (data.n_repeated, test.n_repeated) == (0, 1)
    assert data.labels == ["DET", "NOUN", "PRON", "VERB"]
    assert data.fingerprint != test.fingerprint


def test_a_missing_split_is_named(tmp_path):
    with pytest.raises(DatasetError, match="no validation split"):
        prepare(write_folder(tmp_path / "train_only", train=TRAIN), tmp_path / "out")


def test_a_missing_lemma_is_not_scored(tmp_path):
    holes = [Sentence(["the", "cats"], [None, "cat"], [None, "NOUN"])]
    folder = write_folder(tmp_path / "en_holes", train=TRAIN, validation=holes)
    data = prepare(folder, tmp_path / "out")
    assert (data.folder / "validation.conllu").read_text().startswith("1\tthe\t_\t_\t")
    found = score(TRAIN, load(data.folder / "validation.json"), [["teh", "cat"]])
    assert (found["accuracy"], found["n"], found["invented"]) == (1.0, 1, 0)


def test_parts_of_speech_that_are_class_ids_get_their_names(source, tmp_path):
    tags = datasets.Sequence(datasets.ClassLabel(names=["NOUN", "VERB"]))
    text = datasets.Sequence(datasets.Value("string"))
    rows = datasets.Dataset.from_dict(
        {"tokens": [["cats"]], "lemmas": [["cat"]], "upos": [[0]]},
        features=datasets.Features({"tokens": text, "lemmas": text, "upos": tags}),
    )
    rows.to_parquet(f"{source}/validation.parquet")
    data = prepare(source, tmp_path / "out")
    assert load(data.folder / "validation.json") == [Sentence(["cats"], ["cat"], ["NOUN"])]


@pytest.mark.parametrize(
    ("name", "code"), [("fr_sequoia", "fr"), ("tr-imst", "tr"), ("mine", "xx"), ("qx_new", "xx")]
)
def test_the_language_is_what_the_name_begins_with(name, code):
    assert language(name) == code


# --- Scores ---------------------------------------------------------------------------------------


def test_wrong_lemmas_that_no_dictionary_has_are_invented():
    tokens = ["dogs", "mice", "cats", "runs", "She"]
    truth = ["dog", "mouse", "cat", "run", "she"]
    scored = [Sentence(tokens, truth, ["X"] * 5)]
    predicted = [["dogg", "mouse", "dog", "saw", "She"]]
    assert score(TRAIN, scored, predicted) == {
        "accuracy": 0.2,  # mouse
        "unseen": pytest.approx(1 / 3),  # of mice, cats and runs
        "n": 5,
        "n_unseen": 3,
        "invented": 1,  # dogg: the other wrong ones are a lemma or a form
    }


def test_a_treebank_without_unseen_forms_has_no_score_for_them():
    found = score(TRAIN, TRAIN, [sentence.lemmas for sentence in TRAIN])
    assert (found["accuracy"], found["unseen"], found["invented"]) == (1.0, None, 0)


# --- What is trained ------------------------------------------------------------------------------


def test_a_dictionary_has_the_most_frequent_lemma_and_leaves_unknown_forms_as_they_are(
    data, tmp_path
):
    task = LemmaTask(data, MODELS[DICTIONARY], None, Settings(tmp_path))
    _, make = lemmatizers.train_dictionary(task, tmp_path)
    assert make()(HELD_OUT) == [["dog", "see", "cats"]]
    result = task.act(tmp_path)
    assert result["scored"]["accuracy"] == pytest.approx(2 / 3)
    assert result["scored"]["unseen"] == 0.0
    assert result["words_per_second"] > 0


def test_spacys_two_configs_differ_in_two_settings_and_train_on_gold_tokens(data, tmp_path):
    default, other = (
        LemmaTask(data, MODELS[name], 7, Settings(tmp_path)).config(data.folder) for name in SPACY
    )
    assert default["nlp"]["lang"] == "en"
    assert default["training"]["seed"] == default["system"]["seed"] == 7
    for corpus in default["corpora"].values():
        assert corpus["gold_preproc"] is True
        assert Path(corpus["path"]).is_file()
    block = other["components"]["trainable_lemmatizer"]
    assert (block.pop("min_tree_freq"), block.pop("top_k")) == (1, 3)
    block |= {"min_tree_freq": 3, "top_k": 1}
    assert other == default


def test_no_config_can_see_the_scored_test_split(source, tmp_path):
    data = prepare(source, tmp_path / "out", scored="test")
    for model in MODELS.values():
        if config := LemmaTask(data, model, 0, Settings(tmp_path)).config(data.folder):
            assert "test.spacy" not in config.to_str()
            assert "validation.spacy" in config.to_str()


def test_variants_of_ours_differ_in_what_they_know_of_a_token(data, tmp_path):
    ours, *variants = (
        LemmaTask(data, MODELS[name], 0, Settings(tmp_path)).config(data.folder)
        for name in (OURS, "no context", GOLD_TAGS, PREDICTED_TAGS)
    )
    contexts = [config["components"][OURS]["model"]["tok2vec"] for config in variants]
    assert contexts[0] is None
    assert [context["embed"]["attrs"] for context in contexts[1:]] == [["POS"], ["POS"]]
    assert ours["components"][OURS]["model"]["tok2vec"] not in contexts
    assert [config["components"][OURS]["use_pos"] for config in variants] == [False, True, True]
    annotating = [config["training"]["annotating_components"] for config in variants]
    assert annotating == [[], [], ["tok2vec", "morphologizer"]]


def test_gold_parts_of_speech_are_there_in_training_where_they_are_asked_for(data, tmp_path):
    for name, expected in {OURS: ["", "", ""], GOLD_TAGS: ["NOUN", "VERB", "NOUN"]}.items():
        config = LemmaTask(data, MODELS[name], 0, Settings(tmp_path)).config(data.folder)
        corpora = spacy.registry.resolve(config["corpora"])
        (example,) = corpora["dev"](spacy.blank("en"))
        assert [token.pos_ for token in example.predicted] == expected


def test_an_unknown_lemmatizer_and_a_missing_package_are_refused(monkeypatch):
    with pytest.raises(UsageError, match=r"no lemmatizer 'BERT'; known are \['attn_lemmatizer'"):
        choose(["BERT"])
    monkeypatch.setattr(lemmatizers, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match="Stanza is not installed"):
        choose(MODELS)
    assert [model.name for model in choose([DICTIONARY])] == [DICTIONARY]


def test_what_was_measured_is_not_measured_again_and_a_failure_stops_no_other(
    data, tmp_path, monkeypatch
):
    done = []

    def run(task):
        done.append((task.model.name, task.seed))
        if task.seed == 1:
            raise RuntimeError("no memory left")
        task.place.parent.mkdir(parents=True, exist_ok=True)
        scores = {"accuracy": 0.5, "unseen": None, "n": 3, "n_unseen": 0, "invented": 0}
        measures = {"scored": scores, "cpu_seconds": 1.0, "words_per_second": 1.0}
        task.write({**measures, "environment": {"threads": 1}})

    monkeypatch.setattr(training, "run", run)
    settings = Settings(tmp_path / "out", (0, 1))
    for _ in range(2):
        with pytest.raises(Exit):
            compare([data], choose([DICTIONARY, SPACY[0]]), settings)
    assert sorted(done, key=str) == [(DICTIONARY, None), *[(SPACY[0], 0)], *[(SPACY[0], 1)] * 2]
    assert "7 tokens, selected on the validation split" in (tmp_path / "out/results.md").read_text()
    rows = json.loads((tmp_path / "out/results.json").read_text())
    assert {row["model"] for row in rows} == {DICTIONARY, SPACY[0]}


def test_published_results_are_of_known_lemmatizers_and_of_one_text_for_each_treebank():
    for folder in PUBLISHED.iterdir():
        results = [json.loads(file.read_text()) for file in folder.glob("*.json")]
        assert {result["model"] for result in results} <= {*MODELS}
        assert {result["dataset"] for result in results} == {folder.name}
        assert len({result["data"] for result in results}) == 1


def test_stanza_learns_from_a_large_treebank_in_fewer_epochs(data, tmp_path):
    large = dataclasses.replace(data, counts=data.counts | {"train": 100_001})
    tasks = [LemmaTask(each, MODELS["stanza"], 0, Settings(tmp_path)) for each in (data, large)]
    assert [task.decisive()["--num_epoch"] for task in tasks] == [60, 20]
    assert tasks[0].key != tasks[1].key


# --- The table ------------------------------------------------------------------------------------


def test_the_table_shows_the_better_of_spacys_settings_and_means_over_seeds():
    figures = {DICTIONARY: [0.5], SPACY[0]: [0.7, 0.8], SPACY[1]: [0.9, 0.7]}
    rows = [
        {"model": name, "title": MODELS[name].title, "scored.accuracy": x, "scored.unseen": None}
        for name, own in figures.items()
        for x in own
    ]
    lines = table(pd.DataFrame(rows, columns=COLUMNS)).splitlines()[2:]
    assert [line.split("|")[1].strip() for line in lines] == [
        MODELS[name].title for name in (DICTIONARY, SPACY[1])
    ]
    assert [x.strip() for x in lines[1].split("|")[2:4]] == ["80.0 ± 14.1", "-"]


# --- With trainings -------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("name", [SPACY[0], OURS, GOLD_TAGS, PREDICTED_TAGS])
def test_a_pipeline_is_trained_and_scored_on_gold_tokens(data, tmp_path, name):
    task = LemmaTask(data, MODELS[name], 0, Settings(tmp_path, (0,), FEW_STEPS))
    result = task.act(tmp_path)
    assert result["scored"]["n"] == 3
    assert result["cpu_seconds"] > 0


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # files left open
def test_stanza_is_trained_by_its_own_command_without_a_network(data, tmp_path, monkeypatch):
    pytest.importorskip("stanza")
    monkeypatch.setitem(lemmatizers.STANZA_SETTINGS, "--num_epoch", 1)
    result = LemmaTask(data, MODELS["stanza"], 0, Settings(tmp_path)).act(tmp_path)
    assert result["scored"]["n"] == 3
    assert result["bytes"] > 0
