"""`spacy pretrain` on raw text, and training from what it leaves."""

from pathlib import Path

import numpy
import pytest
import spacy
import srsly
from spacy.training.initialize import init_nlp
from spacy.training.loop import train
from spacy.training.pretrain import pretrain
from spacy.util import load_config, load_model_from_config
from thinc.api import Config

from spacy_attn.pipeline.vocabularies import word_embeddings

ROOT = Path(__file__).parents[2]
# Some of these words are nowhere in the movie reviews.
RAW_TEXTS = ["the zyzzyva reads a quixotic film", "a film of the zyzzyva is dull fun"] * 20
MODEL = "components.attn_textcat.model"
SMALL = {
    f"{MODEL}.hidden_width": 4,
    f"{MODEL}.tok2vec.width": 6,
    f"{MODEL}.tok2vec.ngram_rows": 50,
    "corpora.train.limit": 40,
    "corpora.dev.limit": 10,
    "training.max_steps": 4,
    "training.eval_frequency": 2,
    "pretraining.max_epochs": 2,
    "pretraining.batcher.size": 100,
    "pretraining.objective.hidden_size": 8,
}


@pytest.fixture(autouse=True, scope="module")
def root():
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield


@pytest.fixture(scope="module")
def raw_text(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("raw") / "raw.jsonl"
    srsly.write_jsonl(path, [{"text": text} for text in RAW_TEXTS])
    return path


def make_config(**overrides) -> Config:
    overrides = {name.replace("__", "."): str(value) for name, value in overrides.items()}
    return load_config("configs/pretrain.cfg", overrides={**SMALL, **overrides})


def run_pretraining(config: Config, folder: Path) -> Path:
    """RETURNS: The weights, which training loads."""
    pretrain(config.interpolate(), folder)
    return folder / "model-last.bin"


@pytest.fixture(scope="module")
def weights(raw_text, tmp_path_factory) -> Path:
    config = make_config(paths__raw_text=raw_text)
    return run_pretraining(config, tmp_path_factory.mktemp("pretrained"))


def get_encoder(nlp):
    return nlp.get_pipe("attn_textcat").model.get_ref("encoder")


def vocabulary(nlp):
    (embedding,) = word_embeddings(nlp.get_pipe("attn_textcat"), nlp)
    return embedding.attrs["vocabulary"].words


def parameters(encoder) -> dict[str, numpy.ndarray]:
    """Of the table of words, the table of n-grams and the LSTM."""
    found = {}
    for node in encoder.walk():
        for name in node.param_names:
            found[f"{node.name}.{name}"] = node.get_param(name).copy()
        for shim in node.shims:
            for name, value in shim.module.state_dict().items():
                found[f"{node.name}.{name}"] = value.numpy().copy()
    assert {"word_embedding.E", "ngram_embedding.E"} < found.keys()
    assert "bilstm_encoder.backwards.0.weight_hh_l0" in found
    return found


def test_pretraining_changes_every_weight_of_embedding_and_encoder(weights):
    first, second = (
        parameters(get_encoder(load_model_from_config(make_config())).from_bytes(path.read_bytes()))
        for path in (weights.with_name("model0.bin"), weights)
    )
    for name in first:
        assert not numpy.array_equal(first[name], second[name]), name


def test_words_of_the_raw_text_are_learned(weights):
    nlp = load_model_from_config(make_config())
    get_encoder(nlp).from_bytes(weights.read_bytes())
    assert set(vocabulary(nlp)) == {word for text in RAW_TEXTS for word in text.split()}


def test_training_starts_from_the_pretrained_words_and_weights(weights):
    nlp = init_nlp(make_config(paths__init_tok2vec=weights))
    assert get_encoder(nlp).to_bytes() == weights.read_bytes()
    assert "zyzzyva" in vocabulary(nlp)
    assert set(nlp("a quixotic zyzzyva").cats) == {"positive", "negative"}


def test_training_goes_on_with_what_has_been_pretrained(weights, tmp_path):
    nlp = init_nlp(make_config(paths__init_tok2vec=weights))
    before, words = parameters(get_encoder(nlp)), vocabulary(nlp)
    train(nlp, tmp_path)
    assert vocabulary(nlp) == words
    for name, value in parameters(get_encoder(nlp)).items():
        assert value.shape == before[name].shape
        assert not numpy.array_equal(value, before[name]), name


def test_a_trained_pipeline_needs_neither_raw_text_nor_weights(tmp_path):
    raw_text = tmp_path / "raw.jsonl"
    srsly.write_jsonl(raw_text, [{"text": text} for text in RAW_TEXTS])
    weights = run_pretraining(make_config(paths__raw_text=raw_text), tmp_path)
    raw_text.unlink()
    nlp = init_nlp(make_config(paths__raw_text=raw_text, paths__init_tok2vec=weights))
    weights.unlink()
    nlp.to_disk(tmp_path / "pipeline")
    other = spacy.load(tmp_path / "pipeline")
    assert other("a quixotic zyzzyva").cats == nlp("a quixotic zyzzyva").cats


def test_the_embedding_alone_can_be_pretrained(raw_text, tmp_path):
    settings = {"pretraining__layer": "tok2vec", "paths__raw_text": raw_text}
    weights = run_pretraining(make_config(**settings), tmp_path)
    nlp = init_nlp(make_config(**settings, paths__init_tok2vec=weights))
    tok2vec = nlp.get_pipe("attn_textcat").model.get_ref("tok2vec")
    assert tok2vec.to_bytes() == weights.read_bytes()


def test_pretraining_can_predict_the_vectors_of_words(raw_text, tmp_path):
    vectors = spacy.blank("en")
    for i, word in enumerate(["film", "dull", "fun"]):
        vectors.vocab.set_vector(word, numpy.eye(3, dtype="f")[i])
    vectors.to_disk(tmp_path / "vectors")
    config = make_config(paths__raw_text=raw_text, paths__vectors=tmp_path / "vectors")
    config["pretraining"]["objective"] = {
        "@architectures": "spacy.PretrainVectors.v1",
        "maxout_pieces": 2,
        "hidden_size": 8,
        "loss": "cosine",
    }
    assert run_pretraining(config, tmp_path).stat().st_size


def test_pretraining_with_the_words_of_one_document_is_refused(raw_text, tmp_path):
    config = make_config(paths__raw_text=raw_text)
    config["initialize"]["before_init"] = None
    with pytest.raises(ValueError, match=r"single document.*learn_words.v1.*\[initialize.before"):
        run_pretraining(config, tmp_path)


def test_given_words_are_those_of_training_without_pretrained_weights(raw_text):
    nlp = init_nlp(make_config(paths__raw_text=raw_text))
    words = {word for text in RAW_TEXTS for word in text.split()}
    assert set(vocabulary(nlp)) == words
    # They have served once they are trained: then the component learns those of its examples.
    docs = [nlp.make_doc("a film")]
    get_encoder(nlp).begin_update(docs)
    nlp.config["initialize"]["before_init"] = None
    nlp.initialize(lambda: list(_examples(nlp)))
    assert set(vocabulary(nlp)) == {"wholly", "other"}


def _examples(nlp):
    for text, gold in (("wholly other", "a"), ("wholly other", "b")):
        cats = {label: float(label == gold) for label in ("a", "b")}
        yield spacy.training.Example.from_dict(nlp.make_doc(text), {"cats": cats})


def learn_words(nlp, component="attn_textcat", texts=RAW_TEXTS):
    make = spacy.registry.get("callbacks", "spacy-attn.learn_words.v1")
    make(component, lambda nlp: map(nlp.make_doc, texts))(nlp)


def test_words_of_a_shared_embedding_are_given_to_the_component_that_owns_it():
    nlp = spacy.blank("xx")
    nlp.add_pipe(
        "tok2vec", config={"model": {"@architectures": "spacy-attn.WordEmbedding.v1", "width": 4}}
    )
    learn_words(nlp, "tok2vec")
    nlp.initialize(lambda: list(_examples(nlp)))
    assert "zyzzyva" in nlp.get_pipe("tok2vec").model.layers[0].attrs["vocabulary"].words


def test_a_component_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"'nobody', but the pipeline has \['attn_textcat'\]"):
        learn_words(load_model_from_config(make_config()), "nobody")


def test_a_component_without_embedding_of_words_is_named():
    nlp = spacy.blank("xx")
    nlp.add_pipe("textcat")
    with pytest.raises(ValueError, match="'textcat', but it has no embedding of whole words"):
        learn_words(nlp, "textcat")


def test_a_corpus_without_frequent_words_is_refused():
    nlp = load_model_from_config(make_config())
    with pytest.raises(ValueError, match="occurs in its 'corpus' at least 2 times"):
        learn_words(nlp, texts=["once each"])


def test_an_embedding_without_words_of_its_own_looks_for_none():
    config = make_config()
    config["components"]["attn_textcat"]["model"]["tok2vec"]["max_size"] = 0
    learn_words(load_model_from_config(config))


def test_a_corpus_without_path_says_what_to_set():
    with pytest.raises(ValueError, match=r"no path: .*--paths.raw_text.*--paths.init_tok2vec"):
        init_nlp(make_config())


def test_the_config_is_the_default_one_and_what_pretraining_needs():
    default = Config().from_disk("configs/default.cfg", interpolate=False)
    config = Config().from_disk("configs/pretrain.cfg", interpolate=False)
    assert config["paths"].pop("raw_text") is None
    for section, block in (("initialize", "before_init"), ("corpora", "pretrain")):
        assert config[section].pop(block)
        default[section].pop(block, None)
    assert config.pop("pretraining")
    default.pop("pretraining")
    assert config == default
