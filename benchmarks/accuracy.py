"""Accuracy on the test split: the project's config, spaCy's own textcat, and a linear model.

Trains each config with each seed, as `spacy train` does, selects on the validation split, and
scores on the test split. The linear model is TF-IDF of words and pairs with scikit-learn's
LinearSVC. What has been done is kept in the output folder, so that a run that was stopped goes on.

    pip install -c constraints.txt -e ".[benchmark]"
    python benchmarks/accuracy.py
"""

import json
import statistics
import time
from pathlib import Path
from typing import Annotated, Any

import spacy
import typer
from spacy import util
from spacy.cli.train import train
from spacy.training import Example
from thinc.api import Config
from wasabi import msg

LINEAR = "TF-IDF, LinearSVC"
TITLES = {"default": "`attn_textcat`", "baseline": "spaCy `textcat` (ensemble)", LINEAR: LINEAR}

Result = dict[str, Any]


def read_corpus(config_path: Path, corpus: str) -> list[Example]:
    """The examples of one reader of a config."""
    config: Config = util.load_config(config_path, interpolate=True)
    reader = util.registry.resolve({"reader": config["corpora"][corpus]})["reader"]
    return list(reader(spacy.blank(config["nlp"]["lang"])))


def gold(examples: list[Example]) -> list[str]:
    return [max(eg.reference.cats, key=eg.reference.cats.__getitem__) for eg in examples]


def score(examples: list[Example], predicted: list[str]) -> Result:
    from sklearn.metrics import accuracy_score, f1_score

    truth = gold(examples)
    return {
        "accuracy": accuracy_score(truth, predicted),
        "macro_f": f1_score(truth, predicted, average="macro"),
    }


def run_config(config_path: Path, seed: int, folder: Path, test: list[Example]) -> Result:
    start = time.perf_counter()
    train(config_path, folder, overrides={"system.seed": seed})
    seconds = time.perf_counter() - start
    nlp = spacy.load(folder / "model-best")
    docs = nlp.pipe(example.reference.text for example in test)
    predicted = [max(doc.cats, key=doc.cats.__getitem__) for doc in docs]
    return {**score(test, predicted), "seconds": seconds}


def run_linear(config_path: Path, test: list[Example]) -> Result:
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_pipeline
    from sklearn.svm import LinearSVC

    examples = read_corpus(config_path, "train")
    start = time.perf_counter()
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2)), LinearSVC())
    model.fit([example.reference.text for example in examples], gold(examples))
    seconds = time.perf_counter() - start
    predicted = model.predict([example.reference.text for example in test])
    return {**score(test, list(predicted)), "seconds": seconds}


def to_markdown(results: dict[str, dict[str, Result]]) -> str:
    lines = [
        "| model | accuracy, mean | spread | each seed | macro F, mean | training, seconds |",
        "| --- | ---: | ---: | --- | ---: | ---: |",
    ]
    for name, runs in results.items():
        accuracies = [run["accuracy"] for run in runs.values()]
        spread = f"{statistics.stdev(accuracies):.4f}" if len(accuracies) > 1 else "deterministic"
        lines.append(
            f"| {TITLES.get(name, name)} | {statistics.mean(accuracies):.4f} | {spread} "
            f"| {', '.join(f'{accuracy:.3f}' for accuracy in accuracies)} "
            f"| {statistics.mean(run['macro_f'] for run in runs.values()):.4f} "
            f"| {statistics.mean(run['seconds'] for run in runs.values()):.0f} |"
        )
    return "\n".join(lines) + "\n"


def main(
    configs: Annotated[list[Path] | None, typer.Argument(help="Configs to train")] = None,
    seeds: Annotated[str, typer.Option(help="Comma-separated seeds")] = "0,1,2",
    output: Annotated[Path, typer.Option(help="Where results are kept")] = Path(
        "benchmarks/results/accuracy"
    ),
) -> None:
    configs = configs or [Path("configs/default.cfg"), Path("configs/baseline.cfg")]
    output.mkdir(parents=True, exist_ok=True)
    path = output / "results.json"
    results: dict[str, dict[str, Result]] = json.loads(path.read_text()) if path.exists() else {}
    test = read_corpus(configs[0], "test")

    def keep(name: str, seed: str, result: Result) -> None:
        results.setdefault(name, {})[seed] = result
        path.write_text(json.dumps(results, indent=2))
        (output / "results.md").write_text(to_markdown(results))

    for config_path in configs:
        for seed in seeds.split(","):
            if seed in results.get(config_path.stem, {}):
                msg.info(f"{config_path.stem}, seed {seed}: done before")
                continue
            folder = output / f"{config_path.stem}-{seed}"
            keep(config_path.stem, seed, run_config(config_path, int(seed), folder, test))
    if LINEAR not in results:
        keep(LINEAR, "-", run_linear(configs[0], test))
    msg.text(to_markdown(results))


if __name__ == "__main__":
    typer.run(main)
