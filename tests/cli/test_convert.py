"""`python -m spacy attn convert`."""

import importlib
import json
import os
import subprocess
import sys

import datasets
import pytest
import spacy
from spacy.cli._util import app as spacy_app
from spacy.tokens import Doc, DocBin
from spacy.training import Corpus
from typer.testing import CliRunner

import spacy_attn.cli
from spacy_attn.cli.docbin_writer import DocBinWriter
from spacy_attn.results.written_data import generated_text

CONFIG = """
[paths]
train = "train.jsonl"
dev = "dev.jsonl"
test = null

[nlp]
lang = "en"
pipeline = ["textcat"]

[nlp.tokenizer]
@tokenizers = "spacy.Tokenizer.v1"

[components]

[components.textcat]
factory = "no_such_factory"

[corpora]

[corpora.train]
@readers = "spacy-attn.HFDataset.v1"
path = ${paths.train}

[corpora.dev]
@readers = "spacy-attn.HFDataset.v1"
path = ${paths.dev}

[corpora.test]
@readers = "spacy-attn.HFDataset.v1"
path = ${paths.test}

[corpora.raw]
@readers = "spacy.JsonlCorpus.v1"
path = "no-such-file.jsonl"

[pretraining]
corpus = "corpora.raw"
"""


@pytest.fixture(autouse=True)
def _project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    (tmp_path / "config.cfg").write_text(CONFIG)
    for name, n_rows in (("train", 7), ("dev", 2)):
        write_rows(tmp_path / f"{name}.jsonl", [f"It's {name} {i}." for i in range(n_rows)])


@pytest.fixture
def convert():
    """Run the command within this process."""

    def run(*arguments):
        command = ["attn", "convert", "config.cfg", "out", *arguments]
        return CliRunner().invoke(spacy_app, command)

    return run


def write_rows(path, texts):
    rows = [{"text": text, "label": "odd" if i % 2 else "even"} for i, text in enumerate(texts)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))


def read_docs(path):
    nlp = spacy.blank("en")
    return [(eg.reference.text, len(eg.reference), eg.reference.cats) for eg in Corpus(path)(nlp)]


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_command_is_found_by_spacy_and_runs_on_its_own(tmp_path):
    command = [sys.executable, "-m", "spacy", "attn", "convert", "config.cfg", "out"]
    environment = {**os.environ, "HF_HOME": str(tmp_path / "home")}
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, result.stdout
    assert "Saved 7 documents" in result.stdout
    # Neither progress bar nor warning.
    assert result.stderr == ""
    assert names(tmp_path / "out") == ["dev.spacy", "train.spacy"]


def test_importing_the_module_again_adds_no_second_group():
    importlib.reload(spacy_attn.cli)
    assert [group.name for group in spacy_app.registered_groups].count("attn") == 1


def test_every_document_keeps_its_text_tokens_and_labels(convert, tmp_path):
    assert convert().exit_code == 0
    expected = [
        (f"It's train {i}.", 5, {"even": float(i % 2 == 0), "odd": float(i % 2)}) for i in range(7)
    ]
    assert read_docs(tmp_path / "out" / "train.spacy") == expected


def test_independent_labels_that_only_another_corpus_contains_are_0(convert, tmp_path):
    for name, rows in {"train": [["a", "b"], ["c"], []], "dev": [["a"], ["a", "b"]]}.items():
        lines = [json.dumps({"text": name, "label": labels}) for labels in rows]
        (tmp_path / f"{name}.jsonl").write_text("\n".join(lines))
    assert convert().exit_code == 0
    found = [cats for _, _, cats in read_docs(tmp_path / "out" / "dev.spacy")]
    assert found == [{"a": 1.0, "b": 0.0, "c": 0.0}, {"a": 1.0, "b": 1.0, "c": 0.0}]


def test_corpora_are_chosen_by_name(convert, tmp_path):
    assert convert("--corpora", "dev").exit_code == 0
    assert names(tmp_path / "out") == ["dev.spacy"]


def test_settings_are_overridden_on_the_command_line(convert, tmp_path):
    write_rows(tmp_path / "other.jsonl", ["a", "b", "c"])
    assert convert("--paths.test", "other.jsonl", "--corpora.dev.limit=1").exit_code == 0
    assert names(tmp_path / "out") == ["dev.spacy", "test.spacy", "train.spacy"]
    assert len(read_docs(tmp_path / "out" / "test.spacy")) == 3
    assert len(read_docs(tmp_path / "out" / "dev.spacy")) == 1


def test_code_may_register_readers_and_their_annotation_is_kept(convert, tmp_path):
    (tmp_path / "code.py").write_text(
        "import spacy\n"
        "from spacy.tokens import Doc\n"
        "from spacy.training import Example\n"
        "@spacy.registry.readers('tagged.v1')\n"
        "def make():\n"
        "    def read(nlp):\n"
        "        for tags, ents in ((None, None), (['X', 'Y'], ['B-Z', 'O'])):\n"
        "            doc = Doc(nlp.vocab, words=['a', 'b'], tags=tags, ents=ents)\n"
        "            doc.cats = {'x': 0.25}\n"
        "            yield Example(nlp.make_doc(doc.text), doc)\n"
        "    return read\n"
    )
    config = CONFIG.split("[corpora.train]")[0] + '[corpora.mine]\n@readers = "tagged.v1"\n'
    (tmp_path / "config.cfg").write_text(config)
    result = convert("--code", "code.py")
    assert result.exit_code == 0, result.output
    vocab = spacy.blank("en").vocab
    plain, tagged = DocBin().from_disk(tmp_path / "out" / "mine.spacy").get_docs(vocab)
    assert not plain.has_annotation("TAG")
    assert [token.tag_ for token in tagged] == ["X", "Y"]
    assert [ent.label_ for ent in tagged.ents] == ["Z"]
    assert plain.cats == tagged.cats == {"x": 0.25}


def test_large_corpora_become_folders_that_spacy_reads_as_one(convert, tmp_path):
    assert convert("--docs-per-file", "3").exit_code == 0
    assert names(tmp_path / "out") == ["dev.spacy", "train"]
    assert names(tmp_path / "out" / "train") == ["00001.spacy", "00002.spacy", "00003.spacy"]
    assert len(read_docs(tmp_path / "out" / "train")) == 7


def test_a_later_run_leaves_nothing_of_an_earlier_one(convert, tmp_path):
    for arguments, expected in (
        ((), "train.spacy"),
        (("-n", "3"), "train"),
        (("-n", "2"), "train"),
        ((), "train.spacy"),
    ):
        assert convert("--corpora", "train", *arguments).exit_code == 0
        assert names(tmp_path / "out") == [expected]
        assert len(read_docs(tmp_path / "out" / expected)) == 7


def test_a_folder_with_other_files_is_never_replaced(convert, tmp_path):
    (tmp_path / "out" / "train").mkdir(parents=True)
    (tmp_path / "out" / "train" / "thesis.txt").touch()
    result = convert("-n", "3")
    assert result.exit_code == 1
    assert "thesis.txt" in result.output
    assert (tmp_path / "out" / "train" / "thesis.txt").exists()


def test_a_row_that_fails_leaves_the_earlier_file_and_no_other(convert, tmp_path):
    assert convert("--corpora", "train").exit_code == 0
    earlier = (tmp_path / "out" / "train.spacy").read_bytes()
    with (tmp_path / "train.jsonl").open("a") as file:
        file.write('{"text": null, "label": "odd"}\n')
    result = convert("--corpora", "train", "-n", "2")
    assert result.exit_code == 1
    assert "Can't convert 'corpora.train'" in result.output
    assert "row 7" in result.output
    assert names(tmp_path / "out") == ["train.spacy"]
    assert (tmp_path / "out" / "train.spacy").read_bytes() == earlier


def test_documents_without_tokens_are_written_and_mentioned(convert, tmp_path):
    write_rows(tmp_path / "train.jsonl", ["a", ""])
    result = convert("--corpora", "train")
    assert "1 of them have no tokens" in result.output
    assert len(DocBin().from_disk(tmp_path / "out" / "train.spacy")) == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("--corpora", "nope"), "no corpus 'nope' in [corpora]"),
        (("--corpora", "test"), "Can't build the reader 'corpora.test'"),
        (("--paths.train", "no.csv"), "no such file or folder"),
        (("--corpora.train.colour", "red"), "colour"),
        (("--nlp.lang", "xx-no"), "xx-no"),
    ],
)
def test_errors_are_messages_and_not_tracebacks(convert, arguments, expected):
    result = convert(*arguments)
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert expected in " ".join(result.output.split())


def test_config_without_corpora_is_refused(convert, tmp_path):
    (tmp_path / "config.cfg").write_text('[nlp]\nlang = "en"\n')
    result = convert()
    assert result.exit_code == 1
    assert "nothing to convert" in result.output


def test_words_alone_take_little_room(tmp_path):
    doc = Doc(spacy.blank("en").vocab, words=["a"] * 100)
    with DocBinWriter(tmp_path / "docs") as writer:
        writer.add(doc)
        path = writer.finish()
    assert DocBin().from_disk(path).tokens[0].shape[1] <= 2


def test_tokens_lemmas_norms_and_texts_of_other_readers_are_kept(convert, tmp_path):
    row = {"tokens": ["Don't", "!"], "lemmas": ["do not", None], "upos": ["AUX", "PUNCT"]}
    norms = {"tokens": ["a", "u"], "norms": ["a", "you"]}
    (tmp_path / "norms.jsonl").write_text(json.dumps(norms))
    (tmp_path / "tokens.jsonl").write_text(json.dumps(row))
    (tmp_path / "pairs.jsonl").write_text(json.dumps({"source": "Ja", "target": "Yes"}))
    config = CONFIG.split("[corpora.train]")[0] + "".join(
        f'[corpora.{name}]\n@readers = "spacy-attn.HF{name.title()}.v1"\npath = "{name}.jsonl"\n'
        for name in ("tokens", "pairs")
    )
    config += (
        '[corpora.norms]\n@readers = "spacy-attn.HFTokens.v1"\npath = "norms.jsonl"\n'
        'lemmas_column = null\npos_column = null\ntargets_column = "norms"\n'
    )
    (tmp_path / "config.cfg").write_text(config)
    assert convert().exit_code == 0
    nlp = spacy.blank("en")
    [tokens] = Corpus(tmp_path / "out" / "tokens.spacy")(nlp)
    assert [token.text for token in tokens.predicted] == ["Don't", "!"]
    lemmas = [(token.lemma_, token.pos_) for token in tokens.reference]
    assert lemmas == [("do not", "AUX"), ("", "PUNCT")]
    [normalized] = Corpus(tmp_path / "out" / "norms.spacy")(nlp)
    assert [token.norm_ for token in normalized.reference] == ["a", "you"]
    [pair] = Corpus(tmp_path / "out" / "pairs.spacy")(nlp)
    assert (pair.text, generated_text(pair.reference)) == ("Ja", "Yes")
