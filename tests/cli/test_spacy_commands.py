"""Every command of spaCy, on the project's own configs and data, with few steps."""

import json
import shutil
import subprocess
import sys
import warnings
from pathlib import Path

import numpy
import pytest
import spacy
import srsly
from spacy import registry
from spacy.cli import app
from spacy.cli.init_config import fill_config
from spacy.tokens import DocBin
from thinc.api import Config
from typer.testing import CliRunner

ROOT = Path(__file__).parents[2]
CONFIGS = sorted((ROOT / "configs").glob("*.cfg"))
NAMES = {"default": "attn_textcat", "multilabel": "attn_textcat_multilabel"}
WITNESS = "A gorgeous, witty, seductive movie."


def few_steps(name: str) -> list[str]:
    component = f"components.{NAMES[name]}.model"
    return [
        *("--training.max_steps", "2", "--training.eval_frequency", "2"),
        *("--corpora.train.limit", "60", "--corpora.dev.limit", "20", "--corpora.test.limit", "20"),
        *(f"--{component}.hidden_width", "4", f"--{component}.tok2vec.width", "6"),
    ]


def run(*arguments, code: int = 0) -> str:
    """Run `python -m spacy ...` in this process, from the root of the repository."""
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert result.exit_code == code, result.output
    return result.output


def run_python(*arguments, **settings) -> str:
    """Run Python in a process of its own, for commands that start others or leave files open."""
    result = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        **settings,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.fixture(scope="module", autouse=True)
def root():
    registry.cli.get_all()  # as `python -m spacy` does, for the commands of plugins
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        yield


@pytest.fixture(scope="module", params=NAMES)
def name(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def folder(tmp_path_factory, name) -> Path:
    """A trained pipeline and converted data of one config, as the project makes them."""
    folder = tmp_path_factory.mktemp(name)
    config = f"configs/{name}.cfg"
    run("train", config, "--output", folder / "training", *few_steps(name))
    run("attn", "convert", config, folder / "corpus", *few_steps(name))
    return folder


@pytest.fixture(scope="module")
def model(folder) -> Path:
    return folder / "training" / "model-best"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_configs_are_complete(path, tmp_path):
    _, filled = fill_config(tmp_path / "filled.cfg", path, silent=True)
    assert Config().from_disk(path, interpolate=False) == filled


def test_configs_hold_the_default_settings_of_the_components(name):
    config = spacy.util.load_config(ROOT / "configs" / f"{name}.cfg")
    nlp = spacy.blank("en")
    nlp.add_pipe(NAMES[name])
    assert config["components"][NAMES[name]] == nlp.config["components"][NAMES[name]]


def test_the_config_with_vectors_is_the_default_one_apart_from_them():
    default, other = (Config().from_disk(f"configs/{name}.cfg") for name in ("default", "vectors"))
    tok2vec = other["components"]["attn_textcat"]["model"]["tok2vec"]
    assert (tok2vec["vectors"], tok2vec["max_size"]) == ("static", 0)
    tok2vec.update({"vectors": None, "max_size": 30_000})
    assert other == default


def test_the_config_with_vectors_trains_with_those_of_a_folder_and_asks_for_them(tmp_path):
    nlp = spacy.blank("en")
    nlp.vocab.set_vector("good", numpy.ones(3, dtype="f"))
    nlp.to_disk(tmp_path / "vectors")
    steps = few_steps("default")
    output = tmp_path / "training"
    train = ("train", "configs/vectors.cfg", "--output", output, *steps)
    run(*train, "--paths.vectors", tmp_path / "vectors")
    assert spacy.load(output / "model-best").vocab.has_vector("good")
    with pytest.raises(ValueError, match=r"Set '\[initialize\] vectors'"):
        run(*train)


def test_train_leaves_a_pipeline_that_classifies_and_shows_its_attention(model):
    nlp = spacy.load(model)
    doc = nlp(WITNESS)
    assert set(doc.cats) == {"positive", "negative"}
    assert doc._.attention.shape == (len(doc),)
    assert nlp.meta["performance"]["cats_score"] > 0


def test_convert_writes_what_the_readers_yield(folder):
    for split, count in (("train", 60), ("dev", 20), ("test", 20)):
        docs = list(
            DocBin()
            .from_disk(folder / "corpus" / f"{split}.spacy")
            .get_docs(spacy.blank("en").vocab)
        )
        assert len(docs) == count
        assert all(set(doc.cats) == {"positive", "negative"} for doc in docs)


def test_evaluate_scores_the_converted_data(model, folder):
    output = folder / "metrics.json"
    printed = run("evaluate", model, folder / "corpus/test.spacy", "--output", output)
    assert "TEXTCAT" in printed
    metrics = json.loads(output.read_text())
    assert set(metrics["cats_f_per_type"]) == {"positive", "negative"}


def test_benchmark_speed_measures(model, folder):
    printed = run(
        *("benchmark", "speed", model, folder / "corpus/test.spacy"),
        *("--batch-size", "4", "--no-shuffle", "--batches", "30", "--warmup", "1"),
    )
    assert "Mean:" in printed


def test_find_threshold_tries_thresholds(model, folder, name):
    run(
        *("find-threshold", model, folder / "corpus/dev.spacy", NAMES[name], "threshold"),
        *("cats_macro_f", "--n_trials", "3"),
    )


def test_find_threshold_changes_what_counts_as_predicted(model, folder, name):
    from spacy.cli.find_threshold import find_threshold

    _, _, scores = find_threshold(
        model, folder / "corpus/dev.spacy", NAMES[name], "threshold", "cats_micro_r", n_trials=3
    )
    if name == "multilabel":
        assert scores[0.0] == 1.0
        assert scores[1.0] == 0.0
    else:
        assert len(set(scores.values())) == 1  # exclusive classes have no threshold


def test_debug_config_finds_nothing_wrong(name):
    run("debug", "config", f"configs/{name}.cfg")


def test_debug_data_reads_the_data(name):
    printed = run("debug", "data", f"configs/{name}.cfg", "--corpora.train.limit", "120")
    assert "120 training docs" in printed
    assert "1000 evaluation docs" in printed


def test_debug_model_initializes_trains_and_predicts(name):
    printed = run(
        *("debug", "model", f"configs/{name}.cfg", NAMES[name], "-P0", "-P1", "-P2", "-P3", "-DIM"),
        *few_steps(name)[4:],
    )
    assert "ended analysis" in printed


def test_init_labels_writes_labels_that_training_takes(name, tmp_path):
    config = f"configs/{name}.cfg"
    run("init", "labels", config, tmp_path, *few_steps(name)[4:])
    labels_path = tmp_path / f"{NAMES[name]}.json"
    labels = srsly.read_json(labels_path)
    assert set(labels) == {"positive", "negative"}
    srsly.write_json(labels_path, [*labels, "neither"])
    loaded = Config().from_disk(config)
    loaded["initialize"]["components"][NAMES[name]] = {
        "labels": {"@readers": "spacy.read_labels.v1", "path": str(labels_path)}
    }
    loaded.to_disk(tmp_path / "labels.cfg")
    run("train", tmp_path / "labels.cfg", "--output", tmp_path, *few_steps(name))
    component = spacy.load(tmp_path / "model-last").get_pipe(NAMES[name])
    assert component.labels == (*labels, "neither")


def test_assemble_puts_a_trained_component_into_another_pipeline(model, name, tmp_path):
    config = Config().from_disk(f"configs/{name}.cfg")
    config["components"] = {NAMES[name]: {"source": str(model)}}
    config.to_disk(tmp_path / "sourced.cfg")
    run("assemble", tmp_path / "sourced.cfg", tmp_path / "assembled")
    assert spacy.load(tmp_path / "assembled")(WITNESS).cats == spacy.load(model)(WITNESS).cats


def test_the_default_config_trains_on_docbins_with_nothing_else_changed(folder, name, tmp_path):
    config = Config().from_disk(f"configs/{name}.cfg", interpolate=False)
    for split in ("train", "dev"):
        config["corpora"][split] = {
            "@readers": "spacy.Corpus.v1",
            "path": str(folder / "corpus" / f"{split}.spacy"),
        }
    config.to_disk(tmp_path / "docbins.cfg")
    run(
        *("train", tmp_path / "docbins.cfg", "--output", tmp_path, "--training.max_steps", "2"),
        *("--training.eval_frequency", "1"),
    )
    assert set(spacy.load(tmp_path / "model-last")(WITNESS).cats) == {"positive", "negative"}


def test_the_hub_config_trains_on_local_files_through_its_variables(tmp_path):
    run(
        *("train", "configs/hub.cfg", "--output", tmp_path),
        *("--dataset.path", "assets/movie_reviews", "--dataset.train_split", "train"),
        *("--dataset.dev_split", "validation", "--dataset.train_limit", "40"),
        *(
            "--dataset.dev_limit",
            "10",
            "--training.max_steps",
            "2",
            "--training.eval_frequency",
            "1",
        ),
    )
    assert set(spacy.load(tmp_path / "model-last")(WITNESS).cats) == {"positive", "negative"}


@pytest.fixture(scope="module")
def package(model, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    # Built without an environment of its own, which pip would have to download.
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # spaCy leaves files open
        run("package", model, folder, "--name", "packed", "--build", "none")
    (path,) = folder.glob("en_packed-*")
    return path


def test_a_package_installs_and_predicts_the_same_elsewhere(model, package, tmp_path):
    site = tmp_path / "site"
    install = [
        "-m",
        "pip",
        "install",
        "--no-deps",
        "--no-build-isolation",
        "--no-index",
        "--target",
    ]
    run_python(*install, site, package)
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); import spacy; "
        f"doc = spacy.load('en_packed')({WITNESS!r}); print(doc.cats, doc._.attention.tolist())"
    )
    doc = spacy.load(model)(WITNESS)
    assert run_python("-c", code, cwd=tmp_path) == f"{doc.cats} {doc._.attention.tolist()}"


def test_a_package_requires_the_plugin(package):
    meta = srsly.read_json(package / "meta.json")
    assert any(requirement.startswith("spacy-attn") for requirement in meta["requirements"])


@pytest.mark.parametrize(
    ("workflow", "steps"),
    [
        (
            "all",
            [
                *("train configs/default.cfg", "attn convert", "evaluate training"),
                *("attn faithfulness", "attn card", "package training/model-card"),
            ],
        ),
        (
            "lemmas",
            [
                *("convert.py corpus/lemmas", "train configs/lemmatizer.cfg"),
                *("--pipeline trainable_lemmatizer", "train corpus/lemmas/baseline.cfg"),
                *("evaluate training/lemmas/", "evaluate training/lemmas_baseline/"),
                "package training/lemmas/",
            ],
        ),
        (
            "distill",
            [
                *("benchmarks.teacher assets/movie_reviews", "attn distill hf:training/teacher"),
                "package training/distilled/student",
            ],
        ),
    ],
)
def test_project_run_knows_what_to_do_in_which_order(workflow, steps, tmp_path):
    # In a folder of its own: in the repository, an earlier run may have left nothing to do.
    shutil.copy("project.yml", tmp_path)
    for folder in ("configs", "assets"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    output = run("project", "run", workflow, tmp_path, "--dry")
    positions = [output.index(step) for step in steps]
    assert positions == sorted(positions)


def test_project_document_describes_every_command(tmp_path):
    output = tmp_path / "PROJECT.md"
    run("project", "document", ".", "--output", output)
    for command in srsly.read_yaml("project.yml")["commands"]:
        assert f"`{command['name']}`" in output.read_text()
