"""What is refused when a component is loaded, and what may have changed."""

import contextlib
import shutil

import numpy
import pytest
import safetensors.torch
import spacy
import srsly
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ..conftest import SMALL_MODEL, assert_same_predictions, make_examples, make_nlp, train
from .stored_files import edit_cfg, edit_model, refuses

EMBEDDING = {
    "@architectures": "spacy-attn.SubwordEmbedding.v1",
    "width": 6,
    "min_frequency": 1,
    "ngram_sizes": [3, 4],
    "ngram_rows": 50,
}
MODEL = {**SMALL_MODEL, "tok2vec": EMBEDDING, "hidden_width": 4, "attention_width": 3}
NAME = "attn_textcat_multilabel"


@pytest.fixture(scope="module")
def nlp():
    nlp = make_nlp(NAME, model=MODEL, class_weights="balanced")
    train(nlp, steps=20)
    nlp.get_pipe(NAME).calibrate(make_examples(nlp))
    return nlp


# Damage


@given(st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_bit_is_refused_or_changes_no_prediction(nlp, reloaded, saved, tmp_path, data):
    component = reloaded.get_pipe(NAME)
    shutil.copytree(saved / NAME, tmp_path, dirs_exist_ok=True)
    path = tmp_path / data.draw(st.sampled_from(["cfg", "model"]), "file")
    damaged = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(damaged) - 1), "bit")
    damaged[bit // 8] ^= 1 << bit % 8
    path.write_bytes(damaged)
    with contextlib.suppress(ValueError):
        component.from_disk(tmp_path)
        assert path.name == "cfg"
    # Also where it is refused, which leaves the component as it was.
    assert_same_predictions(nlp, reloaded)


@pytest.mark.parametrize("name", ["cfg", "model"])
@pytest.mark.parametrize("size", [0, 1, 20, -1])
def test_a_truncated_or_empty_file_is_refused_by_name(folder, name, size):
    path = folder / NAME / name
    path.write_bytes(path.read_bytes()[:size])
    message = refuses(folder, f"Component '{NAME}': ")
    assert f"{path} cannot be loaded" in message
    assert message.endswith(
        "Restore all files of its folder and the config from one copy of the pipeline."
    )


@pytest.mark.parametrize("name", ["cfg", "model"])
def test_a_missing_file_is_refused_by_name(folder, name):
    (folder / NAME / name).unlink()
    refuses(folder, f"'{NAME}': .*No such file or directory: .*{name}' cannot|cannot be loaded")


@pytest.mark.parametrize("name", ["cfg", "model"])
def test_a_file_of_another_training_is_refused(folder, name, tmp_path):
    other = make_nlp(NAME, seed=1, model=MODEL, class_weights="balanced")
    train(other, steps=1)
    other.to_disk(tmp_path / "other")
    shutil.copy(tmp_path / "other" / NAME / name, folder / NAME / name)
    refuses(folder, "model cannot be loaded: it is damaged, or not the model that the 'cfg' beside")


def test_bytes_with_a_flipped_bit_are_refused(nlp, reloaded):
    component = reloaded.get_pipe(NAME)
    before = component.to_bytes()
    damaged = bytearray(before)
    damaged[-10] ^= 1
    with pytest.raises(ValueError, match="the bytes' model cannot be loaded: it is damaged"):
        component.from_bytes(bytes(damaged))
    assert component.to_bytes() == before  # refused before anything was taken over


def test_labels_changed_by_hand_in_the_file_are_refused(folder):
    path = folder / NAME / "cfg"
    path.write_text(path.read_text().replace("positive", "good"))
    refuses(folder, "cfg cannot be loaded: it is damaged, or was edited beyond threshold")


def test_the_threshold_may_be_changed_by_hand_in_the_file(folder):
    path = folder / NAME / "cfg"
    path.write_text(path.read_text().replace('"threshold": 0.5', '"threshold": 0.25'))
    assert spacy.load(folder).get_pipe(NAME).cfg["threshold"] == 0.25


def test_files_of_earlier_versions_load_without_checksums(nlp, folder):
    edit_cfg(folder / NAME)
    assert_same_predictions(nlp, spacy.load(folder))
    edit_cfg(folder / NAME, balanced_weights=...)
    assert_same_predictions(nlp, spacy.load(folder))


def test_a_temperature_is_stored_exactly(nlp, reloaded):
    assert reloaded.get_pipe(NAME).temperature == nlp.get_pipe(NAME).temperature != 1.0


@pytest.mark.parametrize("excluded", ["cfg", "model"])
def test_either_part_can_be_left_out(nlp, reloaded, tmp_path, excluded):
    component = nlp.get_pipe(NAME)
    component.to_disk(tmp_path, exclude=[excluded, "vocab"])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({"cfg", "model"} - {excluded})
    reloaded.get_pipe(NAME).from_disk(tmp_path, exclude=[excluded, "vocab"])
    reloaded.get_pipe(NAME).from_bytes(component.to_bytes(exclude=[excluded, "vocab"]))
    assert_same_predictions(nlp, reloaded)


# Values


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"labels": ["a"]}, "model .*trained with 2 labels, but the 'cfg' beside it has 1"),
        ({"labels": ["a", "b", "c"]}, "model .*trained with 2 labels, but .* has 3"),
        ({"labels": ["a", "a"]}, r"'labels' names \['a'\] more than once"),
        ({"labels": ["a", 1]}, "'labels' must be a list of texts, but is"),
        ({"labels": "ab"}, "'labels' must be a list of texts, but is 'ab'"),
        ({"labels": ...}, "trained with 2 labels, but the 'cfg' beside it has 0"),
        ({"temperature": 0.0}, "'temperature' must be a number above 0, but is 0.0"),
        ({"temperature": -1}, "'temperature' must be a number above 0, but is -1"),
        ({"temperature": numpy.nan}, "'temperature' must be a number above 0, but is nan"),
        ({"temperature": numpy.inf}, "'temperature' must be a number above 0, but is inf"),
        ({"temperature": None}, "'temperature' must be a number above 0, but is None"),
        ({"temperature": True}, "'temperature' must be a number above 0, but is True"),
        ({"threshold": 1.5}, "'threshold' must be from 0 to 1, but is 1.5"),
        ({"threshold": "0.5"}, "'threshold' must be from 0 to 1, but is '0.5'"),
        ({"positive_label": "good"}, "'positive_label' must be one of .*, but is 'good'"),
        ({"balanced_weights": {"good": 1.0}}, "'balanced_weights' must have numbers of at least 0"),
        ({"balanced_weights": {"positive": -1.0}}, "'balanced_weights' must have numbers of"),
        ({"balanced_weights": {"positive": numpy.nan}}, "'balanced_weights' must have numbers of"),
    ],
)
def test_a_cfg_that_could_not_predict_is_refused_when_it_is_loaded(folder, values, message):
    edit_cfg(folder / NAME, **{"balanced_weights": None, **values})
    assert str(folder / NAME) in refuses(folder, message)


def test_a_cfg_that_is_no_table_is_refused(folder):
    (folder / NAME / "cfg").write_text("[1, 2]")
    refuses(folder, "cfg cannot be loaded: it holds .*, not a table")


def set_parameter(node, name, change):
    def set_it(message, index):
        parameters = message["params"][index[node]]
        parameters[name] = change(parameters[name].copy())

    return set_it


def put_nan(values):
    values[0, 0] = numpy.nan
    return values


def put_infinity(message, index):
    (data,) = message["shims"][index["attention_head"]]
    stored = srsly.msgpack_loads(data)
    weights = safetensors.torch.load(stored["weights"])
    weights["output.weight"][0, 0] = numpy.inf
    stored["weights"] = safetensors.torch.save(weights)
    message["shims"][index["attention_head"]] = [srsly.msgpack_dumps(stored)]


def rename_vocabulary(words):
    def set_it(message, index):
        message["attrs"][index["word_embedding"]]["vocabulary"] = srsly.msgpack_dumps(words)

    return set_it


def set_size(node, **sizes):
    def set_it(message, index):
        (data,) = message["shims"][index[node]]
        stored = srsly.msgpack_loads(data)
        stored["sizes"].update(sizes)
        message["shims"][index[node]] = [srsly.msgpack_dumps(stored)]

    return set_it


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (set_parameter("word_embedding", "E", put_nan), "'word_embedding.E' are not finite"),
        (set_parameter("ngram_embedding", "E", put_nan), "'ngram_embedding.E' are not finite"),
        (put_infinity, "'attention_head.output.weight' are not finite"),
        (
            set_parameter("ngram_embedding", "E", lambda values: values.astype("float64")),
            "'E' of 'ngram_embedding' must be of float32, but is of float64",
        ),
        (
            set_parameter("ngram_embedding", "E", lambda values: values[1:]),
            r"'E' of 'ngram_embedding' must have the shape \(50, 6\), but has \(49, 6\)",
        ),
        (rename_vocabulary(["a", "b"]), r"'E' of 'word_embedding' must have the shape \(3, 6\)"),
        (set_size("bilstm_encoder", hidden_width=8000), "'forwards.0.weight_ih_l0' of shape"),
        (set_size("bilstm_encoder", depth=100_000), "need a weight 'forwards.1.weight_ih_l0'"),
        (set_size("attention_head", unheard_of=1), "TypeError .*unheard_of"),
        (lambda message, index: message.pop("nodes"), "KeyError 'nodes'"),
    ],
)
def test_a_model_that_does_not_fit_together_is_refused(folder, change, message):
    edit_model(folder / NAME, change)
    text = refuses(folder, message)
    assert f"{folder / NAME}/model cannot be loaded" in text


# A config that was edited


@pytest.mark.parametrize(
    ("setting", "trained", "edited"),
    [
        ("evidence", 1.0, 0.0),
        ("attention", "additive_query", "dot"),
        ("attention_width", 3, 5),
        ("depth", 1, 2),
        ("hidden_width", 4, 8000),
        ("tok2vec.attr", "NORM", "ORTH"),
        ("tok2vec.ngram_sizes", [3, 4], [3]),
        ("tok2vec.ngram_rows", 50, 60),
        ("tok2vec.width", 6, 7),
    ],
)
def test_a_setting_that_the_weights_were_not_trained_with_is_refused(
    folder, setting, trained, edited
):
    name = setting.split(".")[-1]
    message = refuses(folder, "in the config", **{f"components.{NAME}.model.{setting}": edited})
    assert f"Component '{NAME}', {folder / NAME}/model: '{name}' is {edited!r}" in message
    assert f"trained with {trained!r}. Set '{name}' back to {trained!r}, or train again" in message


@pytest.mark.parametrize(
    "tok2vec",
    [
        {"@architectures": "spacy-attn.WordEmbedding.v1", "width": 6},
        {**EMBEDDING, "vectors": "static"},
        {"@architectures": "spacy-attn.WordEmbedding.v1", "width": 6, "vectors": "static"},
    ],
)
def test_another_embedding_is_refused(folder, tok2vec):
    config = spacy.util.load_config(folder / "config.cfg")
    config["components"][NAME]["model"]["tok2vec"] = tok2vec
    config.to_disk(folder / "config.cfg")
    refuses(folder, "The config makes the layers .*but the weights are those of .*ngram_embedding")


def test_settings_that_the_weights_do_not_depend_on_may_be_edited(nlp, folder):
    edited = {
        "contributions_attr": "parts",
        "class_weights": None,
        "perturbation": 0.5,
        "label_smoothing": 0.1,
        "distill_temperature": 2.0,
        "model.dropout": 0.3,
        "model.mixed_precision": True,
        "model.tok2vec.min_frequency": 2,
        "model.tok2vec.max_size": 3,
        "model.tok2vec.word_dropout": 0.1,
        "model.tok2vec.initial": "cooccurrence",
    }
    config = {f"components.{NAME}.{key}": value for key, value in edited.items()}
    other = spacy.load(folder, config=config)
    assert_same_predictions(nlp, other)
    other.initialize(lambda: make_examples(other))
    (embedding,) = (n for n in other.get_pipe(NAME).model.walk() if n.name == "word_embedding")
    assert len(embedding.attrs["vocabulary"]) == 3


def test_a_file_that_is_refused_leaves_a_component_that_works_as_it_was(nlp, folder):
    component = spacy.load(folder).get_pipe(NAME)
    edit_model(folder / NAME, set_parameter("word_embedding", "E", put_nan))
    expected = component.predict([nlp.make_doc("great fun")]).scores
    with pytest.raises(ValueError, match="cannot be loaded"):
        component.from_disk(folder / NAME)
    numpy.testing.assert_array_equal(
        component.predict([nlp.make_doc("great fun")]).scores, expected
    )


@pytest.mark.parametrize(("name", "value"), [("temperature", 0.0), ("threshold", 2.0)])
def test_a_value_that_could_not_be_loaded_is_not_saved(saved, tmp_path, name, value):
    nlp = spacy.load(saved)
    nlp.get_pipe(NAME).cfg[name] = value
    with pytest.raises(ValueError, match=f"cannot be saved: '{name}' must be"):
        nlp.to_disk(tmp_path / "again")
