"""A model that writes, trained with several seeds and measured with each search: its tables."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pandas as pd
from thinc.api import Config

from .accuracy import collect
from .models import Model
from .tables import markdown, number, spread
from .training import Measures, Task, finish, train_spacy

COLUMNS = ("model", "title", "overrides", "same config", "cpu_seconds", "bytes", "scored")


@dataclass(frozen=True)
class Comparison:
    """What is compared.

    Attributes:
        title: Of the page.
        model: What is trained.
        searches: The names of the searches, and the beginnings that each keeps at every step.
        scores: The titles of the scores, and their names. The first one counts.
    """

    title: str
    model: Model
    searches: Mapping[str, int]
    scores: Mapping[str, str]

    def measure(self, config: Config, folder: Path, search: Callable[[int], Measures]) -> Measures:
        """Train, and measure each search. Times are those of one process and thread."""
        start = time.process_time()
        measures = train_spacy(config, folder)
        measures["cpu_seconds"] = time.process_time() - start
        return {**measures, **{name: search(width) for name, width in self.searches.items()}}

    def run(self, tasks: Sequence[Task], output: Path, caption: str, jobs: int = 1) -> None:
        """Measure what has not been measured, and write the table after each result.

        Args:
            tasks: A training each.
            output: The folder for the tables.
            caption: What stands above the table.
            jobs: How many to train at a time; 0 trains none.

        Raises:
            typer.Exit: If one failed, when the others are done.
        """
        finish(tasks, jobs, self.describe, partial(self.write, output, tasks, caption))

    def describe(self, task: Task) -> str:
        """Write the line that is shown when one has been measured."""
        result = task.read() or {}
        title, score = next(iter(self.scores.items()))
        shown = ", ".join(
            f"{name} {number(100 * result[name][score], 1)}" for name in self.searches
        )
        return f"{task.title}: {title} {shown}, trained in {number(result['cpu_seconds'], 0)} s"

    def write(self, output: Path, tasks: Sequence[Task], caption: str) -> str:
        """Write what is there by now, as Markdown and as JSON; return the former."""
        runs = collect([self.model], tasks, COLUMNS)
        text = f"# {self.title}\n"
        if len(runs):
            text += f"\n{caption}\n\n{self.table(runs)}\n"
        (output / "results.md").write_text(text)
        runs.to_json(output / "results.json", orient="records", indent=2)
        return text

    def table(self, runs: pd.DataFrame) -> str:
        """Make a table of a row for each search: means over the seeds, and standard deviations."""
        return markdown([self._row(name, runs) for name in self.searches])

    def _row(self, search: str, runs: pd.DataFrame) -> dict[str, str]:
        scores = {
            title: spread(100 * runs[f"{search}.{name}"], 1) for title, name in self.scores.items()
        }
        return {
            "search": search,
            **scores,
            "words/s": number(runs[f"{search}.words_per_second"].mean(), 0),
            "training, min": number(runs["cpu_seconds"].mean() / 60, 0),
            "size, MB": number(runs["bytes"].mean() / 1e6, 0),
        }
