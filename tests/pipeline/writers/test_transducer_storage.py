"""A stored transducer: whole and the same again, or refused by the name of the file."""

import contextlib
import pickle
import shutil

import numpy
import pytest
import safetensors.torch
import spacy
import srsly
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from spacy.tokens import Doc

from ..made_up import SMALL, WITH_CONTEXT, learn, make_examples, make_lemmatizer, make_rows
from ..stored_files import edit_cfg, edit_model, refuses

NAME = "attn_lemmatizer"
ROWS = make_rows(20)
WORDS = ["we", "saw", "Zupeks", "zu😀", "Saw", "."]
FILES = ["cfg", "dictionary", "model"]


@pytest.fixture(scope="module")
def nlp():
    nlp = make_lemmatizer(ROWS, steps=5, model=WITH_CONTEXT, alignment=True)
    return nlp


def assert_same(one, other):
    """Whether two pipelines say the same, and have the same dictionary."""
    left, right = (nlp(Doc(nlp.vocab, words=WORDS)) for nlp in (one, other))
    for token, same in zip(left, right, strict=True):
        assert token.lemma_ == same.lemma_
        assert token._.lemma_source == same._.lemma_source
        numpy.testing.assert_array_equal(token._.lemma_alignment, same._.lemma_alignment)
    assert list(one.get_pipe(NAME).dictionary) == list(other.get_pipe(NAME).dictionary)
    # Damage may have added a key, under the name of which nothing is read.
    stored = other.get_pipe(NAME).cfg
    assert {key: stored[key] for key in one.get_pipe(NAME).cfg} == one.get_pipe(NAME).cfg


def test_disk_bytes_and_pickle_give_the_same(nlp, reloaded):
    assert_same(nlp, reloaded)
    other = spacy.util.load_model_from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert_same(nlp, other)
    assert_same(nlp, pickle.loads(pickle.dumps(nlp)))


def test_a_component_that_knows_other_symbols_takes_over_stored_ones(nlp, saved):
    rows = [(["aü"], ["öb"], ["X"])]
    for how in ("disk", "bytes"):
        other = make_lemmatizer(rows, model=WITH_CONTEXT, alignment=True)
        if how == "disk":
            other.from_disk(saved)
        else:
            other.from_bytes(nlp.to_bytes())
        assert_same(nlp, other)


def test_lists_of_symbols_are_lists_again():
    nlp = spacy.blank("xx")
    component = nlp.add_pipe("attn_transducer", config={"model": SMALL, "target": "_.phones"})
    example = make_examples(nlp, [(["a"], ["b"], ["X"])])[0]
    example.reference[0]._.phones = ["AE", "É"]
    component.initialize(lambda: [example], nlp=nlp)
    other = spacy.util.load_model_from_config(nlp.config).from_bytes(nlp.to_bytes())
    assert other("a")[0]._.phones == ["AE", "É"]
    assert other("b")[0]._.phones == nlp("b")[0]._.phones
    assert isinstance(other("b")[0]._.phones, list)


@pytest.mark.parametrize("excluded", FILES)
def test_each_part_can_be_left_out(nlp, saved, tmp_path, excluded):
    reloaded = spacy.load(saved)
    component = nlp.get_pipe(NAME)
    component.to_disk(tmp_path, exclude=[excluded, "vocab"])
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted({*FILES} - {excluded})
    reloaded.get_pipe(NAME).from_disk(tmp_path, exclude=[excluded, "vocab"])
    assert_same(nlp, reloaded)
    reloaded.get_pipe(NAME).from_bytes(component.to_bytes(exclude=[excluded, "vocab"]))
    assert_same(nlp, reloaded)


@given(st.data())
@settings(
    deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_flipped_bit_is_refused_or_changes_nothing(nlp, reloaded, saved, tmp_path, data):
    component = reloaded.get_pipe(NAME)
    shutil.copytree(saved / NAME, tmp_path, dirs_exist_ok=True)
    path = tmp_path / data.draw(st.sampled_from(FILES), "file")
    damaged = bytearray(path.read_bytes())
    bit = data.draw(st.integers(0, 8 * len(damaged) - 1), "bit")
    damaged[bit // 8] ^= 1 << bit % 8
    path.write_bytes(damaged)
    with contextlib.suppress(ValueError):
        component.from_disk(tmp_path)
        assert path.name == "cfg"
    assert_same(nlp, reloaded)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("size", [0, 1, -1])
def test_a_truncated_or_empty_file_is_refused_by_name(folder, name, size):
    path = folder / NAME / name
    path.write_bytes(path.read_bytes()[:size])
    message = refuses(folder, f"Component '{NAME}': ")
    assert f"{path} cannot be loaded" in message
    assert message.endswith(
        "Restore all files of its folder and the config from one copy of the pipeline."
    )


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_refused_by_name(folder, name):
    (folder / NAME / name).unlink()
    refuses(folder, f"'{NAME}': .*{name}' cannot|cannot be loaded")


@pytest.mark.parametrize("name", FILES)
def test_a_file_of_another_training_is_refused(folder, name, tmp_path):
    other = make_lemmatizer(ROWS[:4], model=WITH_CONTEXT)
    other.to_disk(tmp_path / "other")
    shutil.copy(tmp_path / "other" / NAME / name, folder / NAME / name)
    what = "dictionary" if name in ("cfg", "dictionary") else "model"
    refuses(folder, f"{what} cannot be loaded: it is damaged, or not the {what} that the 'cfg'")


@pytest.mark.parametrize(
    "data", [b"", b"nothing", srsly.msgpack_dumps([["a", "X", "b", -1]]), srsly.msgpack_dumps(3)]
)
def test_a_dictionary_of_something_else_is_refused_and_leaves_the_component_as_it_was(
    nlp, saved, tmp_path, data
):
    other = make_lemmatizer(ROWS, steps=2, model=WITH_CONTEXT, alignment=True)
    shutil.copytree(saved / NAME, tmp_path, dirs_exist_ok=True)
    (tmp_path / "dictionary").write_bytes(data)
    edit_cfg(tmp_path)
    component = other.get_pipe(NAME)
    before = component.to_bytes()
    with pytest.raises(ValueError, match="dictionary cannot be loaded"):
        component.from_disk(tmp_path)
    assert component.to_bytes() == before


def test_a_model_that_is_refused_leaves_a_component_without_weights_without_them(saved, tmp_path):
    shutil.copytree(saved / NAME, tmp_path, dirs_exist_ok=True)
    edit_model(tmp_path, put_nan)
    nlp = spacy.blank("xx")
    component = nlp.add_pipe(NAME, config={"model": WITH_CONTEXT})
    with pytest.raises(ValueError, match=r"model cannot be loaded: the weights .* are not finite"):
        component.from_disk(tmp_path)
    with pytest.raises(ValueError, match="E109"):
        nlp("we")
    component.from_disk(saved / NAME, exclude=["vocab"])
    assert nlp("we")[0].lemma_ == "we"


def test_a_model_that_is_refused_leaves_the_dictionary_as_it_was(saved, tmp_path):
    other = make_lemmatizer(ROWS[:4], model=WITH_CONTEXT, alignment=True)
    shutil.copytree(saved / NAME, tmp_path, dirs_exist_ok=True)
    edit_model(tmp_path, put_nan)
    component = other.get_pipe(NAME)
    before = component.to_bytes()
    with pytest.raises(ValueError, match=r"model cannot be loaded: the weights .* are not finite"):
        component.from_disk(tmp_path)
    assert component.to_bytes() == before


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"symbols": ["a"]}, "model .*trained with .* symbols, but the 'cfg' beside it has 3"),
        ({"symbols": ["a", "a"]}, "'symbols' names one more than once"),
        ({"symbols": "ab"}, "'symbols' must be a list of texts, but is 'ab'"),
        ({"symbols": [1]}, "'symbols' must be a list of texts, but is"),
        ({"growth": -1.0}, "'growth' must be a number of at least 0, but is -1.0"),
        ({"growth": numpy.inf}, "'growth' must be a number of at least 0, but is inf"),
        ({"growth": numpy.nan}, "'growth' must be a number of at least 0, but is nan"),
        ({"growth": "2"}, "'growth' must be a number of at least 0, but is '2'"),
        ({"writes_lists": "no"}, "'writes_lists' must be true or false, but is 'no'"),
    ],
)
def test_a_cfg_that_could_not_predict_is_refused(folder, values, message):
    edit_cfg(folder / NAME, **values)
    assert str(folder / NAME) in refuses(folder, message)


def put_nan(message, index):
    (data,) = message["shims"][index["encoder_decoder"]]
    stored = srsly.msgpack_loads(data)
    weights = safetensors.torch.load(stored["weights"])
    weights["decoder.output.weight"][0, 0] = numpy.nan
    stored["weights"] = safetensors.torch.save(weights)
    message["shims"][index["encoder_decoder"]] = [srsly.msgpack_dumps(stored)]


def set_size(**sizes):
    def change(message, index):
        (data,) = message["shims"][index["encoder_decoder"]]
        stored = srsly.msgpack_loads(data)
        stored["sizes"].update(sizes)
        message["shims"][index["encoder_decoder"]] = [srsly.msgpack_dumps(stored)]

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (put_nan, "'encoder_decoder.decoder.output.weight' are not finite"),
        (set_size(hidden_width=8000), "of shape"),
        (set_size(depth=50), "need a weight"),
        (set_size(unheard_of=1), "TypeError .*unheard_of"),
        (lambda message, index: message.pop("nodes"), "KeyError 'nodes'"),
    ],
)
def test_a_model_that_does_not_fit_together_is_refused(folder, change, message):
    edit_model(folder / NAME, change)
    assert f"{folder / NAME}/model cannot be loaded" in refuses(folder, message)


@pytest.mark.parametrize(
    ("setting", "trained", "edited"),
    [
        ("symbol_width", 16, 8000),
        ("context_width", 8, 9),
        ("hidden_width", 24, 25),
        ("depth", 1, 2),
        ("decoder_width", 40, 41),
        ("output_width", 32, 31),
        ("attention", "general", "dot"),
        ("input_feeding", False, True),
        ("copy", True, False),
    ],
)
def test_a_setting_that_the_weights_were_not_trained_with_is_refused(
    folder, setting, trained, edited
):
    message = refuses(folder, "in the config", **{f"components.{NAME}.model.{setting}": edited})
    assert f"'{setting}' is {edited!r}" in message
    assert f"trained with {trained!r}. Set '{setting}' back to {trained!r}" in message


def test_a_model_with_context_is_not_loaded_without_it(folder):
    refuses(
        folder,
        "The config makes the layers .*but the weights are those of",
        **{f"components.{NAME}.model.tok2vec": None},
    )


def test_settings_that_the_weights_do_not_depend_on_may_be_edited(nlp, folder):
    edited = {
        "use_pos": True,
        "candidates": False,
        "lower": False,
        "beam_width": 2,
        "known_bonus": 0.5,
        "cache_size": 7,
        "overwrite": True,
        "max_length": 20,
        "model.dropout": 0.4,
    }
    other = spacy.load(folder, config={f"components.{NAME}.{k}": v for k, v in edited.items()})
    assert list(other.get_pipe(NAME).dictionary) == list(nlp.get_pipe(NAME).dictionary)
    assert other("we")[0].lemma_ == "we"


def test_weights_that_are_not_finite_are_not_saved(nlp, tmp_path):
    other = make_lemmatizer(ROWS)
    module = other.get_pipe(NAME).model.get_ref("decoder").shims[0].module
    module.decoder.output_bias.data[0] = float("nan")
    with pytest.raises(
        ValueError, match=r"is not saved: after 0 updates the weights .* not finite"
    ):
        other.get_pipe(NAME).to_disk(tmp_path)
    assert not list(tmp_path.iterdir())


def test_training_goes_on_after_loading(folder):
    other = spacy.load(folder)
    before = other.get_pipe(NAME).model.to_bytes()
    learn(other, ROWS, 1)
    assert other.get_pipe(NAME).model.to_bytes() != before
