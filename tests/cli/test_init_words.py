import pytest
import spacy
import srsly
from spacy import registry, util
from thinc.api import Config

from spacy_attn.pipeline.vocabularies import word_embeddings

from .test_spacy_commands import ROOT, run


@pytest.fixture(autouse=True)
def root(monkeypatch):
    monkeypatch.chdir(ROOT)


def streamed_config(tmp_path, words_path=None):
    config = Config().from_disk("configs/default.cfg", interpolate=False)
    config["corpora"]["train"].update(path="assets/movie_reviews", streaming=True, limit=150)
    config["corpora"]["dev"]["limit"] = 20
    config["training"].update(max_epochs=-1, max_steps=1, eval_frequency=1)
    settings = {"labels": ["negative", "positive"]}
    if words_path is not None:
        settings["words"] = {"@readers": "spacy.read_labels.v1", "path": str(words_path)}
    config["initialize"]["components"]["attn_textcat"] = settings
    path = tmp_path / "streamed.cfg"
    config.to_disk(path)
    return path


def vocabulary(nlp):
    (embedding,) = word_embeddings(nlp.get_pipe("attn_textcat"), nlp)
    return embedding.attrs["vocabulary"].words


def test_training_on_a_stream_uses_the_words_of_the_whole_corpus(tmp_path):
    run("attn", "init-words", streamed_config(tmp_path), tmp_path)
    words = srsly.read_json(tmp_path / "attn_textcat.json")
    config = streamed_config(tmp_path, tmp_path / "attn_textcat.json")
    run("train", config, "--output", tmp_path)
    trained = spacy.load(tmp_path / "model-last")
    assert vocabulary(trained) == words
    # Learned from all 150 documents: as training on the same rows in memory learns them.
    nlp = util.load_model_from_config(
        util.load_config("configs/default.cfg", overrides={"corpora.train.limit": 150})
    )
    reader = registry.resolve({"reader": nlp.config.interpolate()["corpora"]["train"]})["reader"]
    nlp.initialize(lambda: reader(nlp))
    assert sorted(vocabulary(nlp)) == sorted(words)


def test_training_on_a_stream_without_given_words_warns(tmp_path):
    with pytest.warns(UserWarning, match=r"first documents of a streamed corpus.*init-words"):
        run("train", streamed_config(tmp_path), "--output", tmp_path)


def test_a_pipeline_without_word_embedding_says_so(tmp_path):
    config = Config().from_disk("configs/default.cfg")
    config["components"]["attn_textcat"]["model"]["tok2vec"] = {
        "@architectures": "spacy.MultiHashEmbed.v2",
        "width": 8,
        "attrs": ["NORM"],
        "rows": [10],
        "include_static_vectors": False,
    }
    config.to_disk(tmp_path / "hash.cfg")
    output = run("attn", "init-words", tmp_path / "hash.cfg", tmp_path, code=1)
    assert "No component of the pipeline has an embedding of whole words" in output


def test_given_words_without_a_word_embedding_are_an_error(tmp_path):
    from ..conftest import HASH_EMBEDDING, make_examples

    nlp = spacy.blank("en")
    component = nlp.add_pipe("attn_textcat", config={"model": {"tok2vec": HASH_EMBEDDING}})
    with pytest.raises(ValueError, match="'words' are given, but its model has 0 embeddings"):
        component.initialize(lambda: make_examples(nlp), nlp=nlp, words=["a"])
