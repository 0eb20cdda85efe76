import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest
import torch
import typer
from typer.testing import CliRunner

from benchmarks.accuracy import linear, table, worker
from benchmarks.accuracy.__main__ import compare, main
from benchmarks.accuracy.configs import complete
from benchmarks.accuracy.data import Columns, make_splits, prepare, read_split
from benchmarks.accuracy.errors import UsageError
from benchmarks.accuracy.models import DEFAULT_MODELS, OPTIONAL_MODELS, choose
from benchmarks.accuracy.pooling import MaxPooling, MaxPoolingHead
from benchmarks.accuracy.run import Settings, plan, result_of
from spacy_attn.nn.batching import Layout
from spacy_attn.nn.bilstm import BiLSTM
from spacy_attn.nn.predict import classify

WORDS = {"good": ["great", "fun", "joy", "witty"], "bad": ["dull", "long", "waste", "boring"]}
FEW_STEPS = {
    "training.max_steps": 2,
    "training.eval_frequency": 1,
    "components.attn_textcat.model.hidden_width": 8,
}


def make_rows(n: int, start: int = 0) -> list[tuple[str, str]]:
    """Rows of alternating labels, no text twice."""
    labels = list(WORDS)
    rows = []
    for i in range(start, start + n):
        label = labels[i % 2]
        rows.append((f"number {i} is {WORDS[label][i % 4]} and {WORDS[label][i % 3]}", label))
    return rows


def write_folder(folder: Path, **splits: list[tuple[str, str]]) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for name, rows in splits.items():
        texts, labels = zip(*rows, strict=True)
        columns = {"text": list(texts), "label": list(labels)}
        pyarrow.parquet.write_table(pyarrow.table(columns), folder / f"{name}.parquet")
    return str(folder)


@pytest.fixture
def source(tmp_path) -> str:
    return write_folder(
        tmp_path / "made_up",
        train=make_rows(40),
        validation=make_rows(10, 40),
        test=make_rows(10, 50),
    )


@pytest.fixture
def launched() -> list[worker.Task]:
    """Tasks that `fake_launch` was given."""
    return []


def fake_launch(launched, accuracy=0.5):
    """Writes a made-up result in place of training."""

    def launch(task: worker.Task) -> None:
        launched.append(task)
        scores = {"accuracy": accuracy, "macro_f": accuracy, "ece": None}
        measures = {"test": scores, "validation": scores, "words_per_second": 1.0}
        result = {
            "key": task.key,
            "seed": task.seed,
            **measures,
            "train_seconds": 1.0,
            "bytes": 1,
            "equal_weights": measures,
            "environment": {"threads": 1},
        }
        Path(task.result).parent.mkdir(parents=True, exist_ok=True)
        worker.write_result(Path(task.result), result)

    return launch


@pytest.mark.parametrize("given", [["train"], ["train", "test"], ["train", "validation"]])
def test_splits_are_disjoint_and_lose_no_row(given):
    loaded = {name: make_rows(100, 100 * i) for i, name in enumerate(given)}
    splits, _, _ = make_splits(loaded)
    all_rows = [row for rows in splits.values() for row in rows]
    assert len(set(all_rows)) == len(all_rows)
    assert set(all_rows) == {row for rows in loaded.values() for row in rows}
    assert {name: len(rows) for name, rows in splits.items()}["validation"] == 10


def test_without_a_test_split_the_validation_split_is_scored_and_not_selected_on():
    loaded = {"train": make_rows(100), "validation": make_rows(20, 100)}
    splits, scored, selection = make_splits(loaded)
    assert splits["test"] == loaded["validation"]
    assert set(splits["validation"]) < set(loaded["train"])
    assert "held-out" in scored
    assert "training split" in selection


def test_no_training_config_can_see_the_scored_rows(source, tmp_path):
    data = prepare(source, Columns(), tmp_path / "out")
    for task in plan(data, [*DEFAULT_MODELS, *OPTIONAL_MODELS], Settings(tmp_path)):
        assert "test.parquet" not in (task.config or "")
        if task.config is not None:
            assert "validation.parquet" in task.config


def test_the_same_rows_are_held_out_each_time(tmp_path):
    folder = write_folder(tmp_path / "train_only", train=make_rows(50))
    one = prepare(folder, Columns(), tmp_path / "one")
    other = prepare(folder, Columns(), tmp_path / "other")
    assert one.fingerprint == other.fingerprint
    assert read_split(Path(one.folder), "test") == read_split(Path(other.folder), "test")
    assert one.counts == {"train": 40, "validation": 5, "test": 5}


def test_scored_texts_that_were_trained_on_are_counted(tmp_path):
    repeated = make_rows(3)
    folder = write_folder(
        tmp_path / "repeats",
        train=make_rows(20),
        validation=make_rows(5, 20),
        test=[*repeated, *make_rows(5, 25)],
    )
    assert prepare(folder, Columns(), tmp_path / "out").n_repeated == 3


def test_class_ids_get_their_names_and_withheld_labels_are_no_test_split(tmp_path):
    import datasets

    features = datasets.Features(
        {"text": datasets.Value("string"), "label": datasets.ClassLabel(names=["no", "yes"])}
    )
    for name, labels in {"train": [0, 1] * 20, "test": [-1] * 4}.items():
        columns = {"text": [f"{name} {i}" for i in range(len(labels))], "label": labels}
        schema = features.arrow_schema
        pyarrow.parquet.write_table(
            pyarrow.table(columns, schema=schema), tmp_path / f"{name}.parquet"
        )
    data = prepare(str(tmp_path), Columns(), tmp_path / "out")
    assert data.labels == ["no", "yes"]
    assert data.counts == {"train": 32, "validation": 4, "test": 4}


@pytest.mark.parametrize(
    ("columns", "complaint"),
    [(Columns("words", "label"), "no column 'words'"), (Columns("text", "class"), "'class'")],
)
def test_a_missing_column_is_named_with_those_there_are(source, tmp_path, columns, complaint):
    with pytest.raises(UsageError, match=rf"{complaint}.*'text', 'label'"):
        prepare(source, columns, tmp_path / "out")


def test_a_missing_folder_is_not_looked_for_on_the_hub(tmp_path):
    with pytest.raises(UsageError, match="there is no such folder"):
        prepare(str(tmp_path / "nowhere"), Columns(), tmp_path / "out")


def test_an_unknown_model_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"no model 'BERT'.*'attn_textcat', 'uniform weights'"):
        choose(["BERT"], [])


def test_an_override_of_no_setting_is_refused(source, tmp_path):
    data = prepare(source, Columns(), tmp_path / "out")
    with pytest.raises(UsageError, match=r"training\.max_step'"):
        plan(
            data, choose(["spacy BOW"], []), Settings(tmp_path, overrides={"training.max_step": 1})
        )


def test_our_config_is_trained_as_it_is_but_for_data_and_seed(source, tmp_path):
    (spec,) = choose(["attn_textcat"], [])
    given = spec.config().interpolate()
    config = complete(spec.config(), data=tmp_path, labels=["a"], seed=7, overrides={})
    assert config["training"]["seed"] == config["system"]["seed"] == 7
    for section in ("components", "nlp"):
        assert config[section] == given[section]
    on_other_data = spec.config()
    on_other_data["corpora"] = config["corpora"]
    assert config["initialize"] == on_other_data.interpolate()["initialize"]
    changed = {
        name for name in given["training"] if given["training"][name] != config["training"][name]
    }
    assert changed == {"seed", "before_to_disk"}
    calibrated_on = config["training"]["before_to_disk"]["corpus"]["path"]
    assert calibrated_on == config["corpora"]["dev"]["path"] == str(tmp_path / "validation.parquet")


def test_a_config_keeps_the_raw_text_that_its_encoder_was_pretrained_on(tmp_path):
    (spec,) = choose([], [Path("configs/pretrain.cfg")])[-1:]
    overrides = {"paths.raw_text": "raw.jsonl"}
    config = complete(spec.config(), data=tmp_path, labels=["a"], seed=0, overrides=overrides)
    assert set(config["corpora"]) == {"train", "dev", "pretrain"}
    assert config["corpora"]["pretrain"]["path"] == "raw.jsonl"
    assert config["initialize"]["before_init"]["then"]["corpus"]["path"] == "raw.jsonl"


def test_configs_of_spacy_differ_in_the_model_alone():
    peers = [spec.config() for spec in DEFAULT_MODELS if spec.name.startswith("spacy")]
    assert len({json.dumps(config["components"]["textcat"]["model"]) for config in peers}) == 4
    for config in peers:
        del config["components"]["textcat"]["model"]
        assert config == peers[0]


def test_what_was_done_is_not_done_again(source, tmp_path, launched):
    models, settings = choose(["attn_textcat", "TF-IDF SVC"], []), Settings(tmp_path, seeds=(0, 1))
    compare([source], models, settings, launch=fake_launch(launched))
    assert [task.seed for task in launched] == [0, 1, None]
    compare([source], models, settings, launch=fake_launch(launched))
    assert len(launched) == 3
    compare([source], models, replace(settings, seeds=(0, 1, 2)), launch=fake_launch(launched))
    assert [task.seed for task in launched[3:]] == [2]


def test_a_changed_config_is_trained_again_and_the_old_result_not_shown(source, tmp_path, launched):
    models, settings = choose(["spacy BOW"], []), Settings(tmp_path, seeds=(0,))
    compare([source], models, settings, launch=fake_launch(launched, accuracy=0.25))
    changed = replace(settings, overrides={"training.dropout": 0.3})
    compare([source], models, changed, launch=fake_launch(launched, accuracy=0.75))
    assert len(launched) == 2
    results = (tmp_path / "results.md").read_text()
    assert "0.750" in results
    assert "0.250" not in results


def test_changed_data_are_trained_on_again(source, tmp_path, launched):
    models, settings = choose(["TF-IDF SVC"], []), Settings(tmp_path)
    compare([source], models, settings, launch=fake_launch(launched))
    write_folder(Path(source), train=make_rows(42))
    compare([source], models, settings, launch=fake_launch(launched))
    assert len({task.data for task in launched}) == 2


def test_a_unit_that_fails_does_not_stop_the_others(source, tmp_path, launched):
    good = fake_launch(launched)

    def launch(task: worker.Task) -> None:
        if task.model == "spacy BOW":
            raise RuntimeError("no memory left")
        good(task)

    models = choose(["spacy BOW", "TF-IDF SVC"], [])
    with pytest.raises(typer.Exit):
        compare([source], models, Settings(tmp_path, seeds=(0,)), launch=launch)
    assert [task.model for task in launched] == ["TF-IDF SVC"]


def test_a_worker_ends_when_the_process_that_started_it_is_gone():
    code = (
        "import time; from benchmarks.accuracy.worker import end_with_input; end_with_input();"
        "print('ready', flush=True); time.sleep(120)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    with process:
        assert process.stdout.readline().strip() == b"ready"
        assert process.poll() is None
        process.stdin.close()
        assert process.wait(timeout=20) == 1


def make_row(name: str, *accuracies: float) -> table.Row:
    (spec,) = choose([name], [])
    runs = [
        {"test": {"accuracy": accuracy}, "environment": {"threads": 1}} for accuracy in accuracies
    ]
    return table.Row(spec.name, spec.role, runs)


def test_a_loss_is_shown_as_plainly_as_a_win():
    peers = [make_row("spacy BOW", 0.7), make_row("TF-IDF SVC", 0.9)]
    worse, better = make_row("attn_textcat", 0.8, 0.82), make_row("attn_textcat", 0.94, 0.96)
    lost, won = table.summary({"data": [worse, *peers]}), table.summary({"data": [better, *peers]})
    assert lost.splitlines()[-1].replace(" ", "").endswith("|TF-IDFSVC|-0.090|")
    assert won.splitlines()[-1].replace(" ", "").endswith("|TF-IDFSVC|+0.050|")
    first = table.dataset_table([worse, *peers]).splitlines()[2]
    assert "TF-IDF SVC" in first


def test_times_to_the_score_of_the_ensemble_are_those_of_the_first_evaluation_that_has_it():
    ours, ensemble = make_row("attn_textcat", 0.8, 0.8), make_row("spacy ensemble", 0.7)
    ensemble.runs[0]["curve"] = [(1.0, 0.2), (60.0, 0.7), (90.0, 0.6)]
    ours.runs[0]["curve"] = [(5.0, 0.5), (10.0, 0.7), (20.0, 0.8)]
    ours.runs[1]["curve"] = [(5.0, 0.5), (30.0, 0.75)]
    header, _, first, second = table.dataset_table([ours, ensemble]).splitlines()
    column = [cell.strip() for cell in header.split("|")].index("to the ensemble's score, s")
    assert first.split("|")[column].strip() == "20"
    assert second.split("|")[column].strip() == "60"
    ours.runs[1]["curve"] = [(5.0, 0.5)]
    assert "10 (1 of 2 never)" in table.dataset_table([ours, ensemble])


def test_ablations_of_ours_are_no_peers():
    rows = [make_row("attn_textcat", 0.8), make_row("max pooling", 0.9), make_row("spacy BOW", 0.7)]
    assert table.difference(rows) == pytest.approx(0.1)


def test_rows_with_other_threads_or_software_are_said_to_be_so(source, tmp_path):
    rows = [make_row("attn_textcat", 0.8), make_row("spacy BOW", 0.7)]
    rows[0].runs[0]["environment"] = {"threads": 1, "torch": "1"}
    rows[1].runs[0]["environment"] = {"threads": 2, "torch": "2"}
    caption = table.caption(prepare(source, Columns(), tmp_path / "out"), rows)
    assert "threads differ (1, 2)" in caption
    assert "different torch" in caption


def test_max_pooling_takes_the_largest_values_of_each_document_alone():
    keys = torch.tensor([[1.0, -4.0], [3.0, -2.0], [9.0, 9.0]])
    documents = Layout([2, 0, 1], keys.device)
    largest, weights = MaxPooling(2, "uniform")(keys, torch.zeros(3, 1, 2), documents)
    assert largest.tolist() == [[[3.0, -2.0]], [[0.0, 0.0]], [[9.0, 9.0]]]
    assert weights.tolist() == [[0.0], [1.0], [1.0]]


def test_max_pooling_gives_a_short_document_what_it_gives_it_in_a_batch():
    encoder, head = BiLSTM(3, 2), MaxPoolingHead(4, "uniform", 2)
    tokens = torch.randn(5, 3)
    with torch.no_grad():
        logits, weights = classify(encoder, head, tokens, [3, 2])
        alone_logits, alone_weights = classify(encoder, head, tokens[:3], [3])
    torch.testing.assert_close(alone_logits[0], logits[0])
    torch.testing.assert_close(alone_weights, weights[:3])


def test_our_model_and_its_ablations_are_trained_scored_and_deleted(source, tmp_path):
    models = choose(["attn_textcat", "uniform weights", "mean pooling", "max pooling"], [])
    pooled = {name.replace(".model.", ".model.model."): value for name, value in FEW_STEPS.items()}
    for chosen, overrides in (
        (models[:2], FEW_STEPS),
        (models[2:3], FEW_STEPS),
        (models[3:], pooled),
    ):
        settings = Settings(tmp_path / "out", seeds=(0,), overrides=overrides)
        compare([source], chosen, settings, launch=worker.run)
        data = prepare(source, Columns(), tmp_path / "out")
        (task,) = plan(data, chosen, settings)
        result = result_of(task)
        assert result["steps"] >= result["best_step"]
        assert len(result["curve"]) == 3  # steps 0, 1 and 2
        assert 0.0 < result["curve"][-1][0] < result["train_seconds"]
        assert 0.0 <= result["test"]["ece"] <= 1.0
        assert result["bytes"] > 1000
        assert ("equal_weights" in result) == (task.model == "attn_textcat")
    assert not list((tmp_path / "out").rglob("model-best"))


def test_the_command_trains_in_a_process_and_writes_tables(source, tmp_path):
    output, model = tmp_path / "out", "TF-IDF SVC"
    app = typer.Typer()
    app.command()(main)
    options = ["--models", model, "--threads", "1", "--output", str(output)]
    done = CliRunner().invoke(app, [source, *options])
    assert done.exit_code == 0, done.output
    assert f"made_up: {model}: accuracy 1.000" in done.output
    assert (output / "results.md").read_text() in done.output
    (row,) = json.loads((output / "results.json").read_text())["made_up"]["models"].items()
    assert row[0] == model
    assert row[1]["runs"][0]["test"] == {"accuracy": 1.0, "macro_f": 1.0, "ece": None}
    assert not list(output.rglob("*.log"))


def test_a_linear_model_of_characters_knows_words_by_their_spelling():
    texts, labels = ["delightful", "delighted", "disgusting", "disgusted"], ["+", "+", "-", "-"]
    model, _ = linear.fit("TF-IDF SVC, characters", (texts, labels), (texts, labels))
    assert model.predict(["delightfully", "disgustingly"]).tolist() == ["+", "-"]
    assert linear.describe("TF-IDF SVC, characters") != linear.describe("TF-IDF SVC")
