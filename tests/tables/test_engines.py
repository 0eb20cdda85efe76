"""Annotators on Ray, Spark and Dask: the examples of the page, and what else these do.

Each engine has a process of its own, which starts it once.
"""

import importlib.util
import os
import re
import shutil
import tempfile
from pathlib import Path

import pyarrow
import pyarrow.parquet
import pytest

from spacy_attn import Annotator

from ..docs.pages import ROOT, blocks
from .scripts import run_script

pytestmark = pytest.mark.engines

# An engine takes up to half a minute to start where the machine does other things, too.
SECONDS = 300

# What each script has after the example of the page.
COMMON = """
ALL = {"attention": True, "contributions": True, "tokens": True, "on_error": "null"}
TEXTS = ["great fun", "", None, "dull, long and boring"] * 3


class Dying(Annotator):
    def __call__(self, batch):
        if len(batch["text"]) and "die" in list(batch["text"]):
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(batch)


class Counting(Annotator):
    def __call__(self, batch):
        annotated = super().__call__(batch)
        annotated["label"] = str(torch.get_num_threads())
        return annotated


def say(*values):
    print("said:", *values)


def failure(run):
    try:
        run()
    except Exception as error:
        return str(error)
"""

RAY = """
rows = ray.data.from_items([{"id": i, "text": text} for i, text in enumerate(TEXTS)])
settings = {"fn_constructor_args": (MODEL,), "concurrency": 2}
for form in ("default", "pyarrow"):
    found = rows.map_batches(
        Annotator, fn_constructor_kwargs=ALL, batch_format=form, batch_size=5, **settings
    )
    found.write_parquet(f"all_{form}")
counted = rows.map_batches(
    Counting,
    fn_constructor_kwargs={"n_threads": 3, "on_error": "null"},
    batch_format="pandas",
    **settings,
)
say(*counted.unique("label"))
once = {"max_restarts": 0, "max_task_retries": 0}
wrong = rows.map_batches(Annotator, batch_size=6, **settings, **once)
say("column 'text' is null" in failure(wrong.take_all))
dead = ray.data.from_items([{"text": "die"}]).map_batches(Dying, **settings, **once)
say("worker process has died" in failure(dead.take_all))
"""

SPARK = """
rows = spark.createDataFrame(list(enumerate(TEXTS)), "id long, text string").repartition(2)
all_columns = Annotator(MODEL, **ALL).for_spark(rows.schema)
rows.mapInPandas(*all_columns).write.parquet("all_pandas")
rows.mapInArrow(*all_columns).write.parquet("all_arrow")
counted = Counting(MODEL, n_threads=3, on_error="null").for_spark(rows.schema)
say(*(row.label for row in rows.mapInPandas(*counted).select("label").distinct().collect()))
wrong = rows.mapInPandas(*Annotator(MODEL).for_spark(rows.schema))
say("column 'text' is null" in failure(wrong.collect))
dying = spark.createDataFrame([("die",)], "text string")
dead = dying.mapInPandas(*Dying(MODEL).for_spark(dying.schema))
say("Python worker exited unexpectedly" in failure(dead.collect))
say(failure(lambda: Annotator(MODEL).for_spark(annotated.withColumnRenamed("id", "text").schema)))
labelled = Annotator(MODEL, overwrite=True, scores=False).for_spark(reviews.schema)[1]
say(*labelled.names, labelled["label"].dataType.simpleString())
"""

DASK = """
import pandas

if __name__ == "__main__":
    processes = {"scheduler": "processes", "num_workers": 2}
    frame = pandas.DataFrame({"id": range(len(TEXTS)), "text": TEXTS})
    rows = dask.dataframe.from_pandas(frame, npartitions=2)
    everything = Annotator(MODEL, **ALL)
    schema = everything.schema(pyarrow.Schema.from_pandas(frame, preserve_index=False))
    found = rows.map_partitions(everything, meta=everything(rows._meta))
    found.to_parquet("all_processes", schema=schema, write_index=False, compute_kwargs=processes)
    found.to_parquet("all_threads", schema=schema, write_index=False)
    wrong = Annotator(MODEL)
    wrong = rows.map_partitions(wrong, meta=wrong(rows._meta))
    say("column 'text' is null" in failure(lambda: wrong.compute(**processes)))
    dying = dask.dataframe.from_pandas(pandas.DataFrame({"text": ["die"]}), npartitions=1)
    dead = dying.map_partitions(Dying(MODEL), meta=Annotator(MODEL)(dying._meta))
    say("process pool was terminated abruptly" in failure(lambda: dead.compute(**processes)))
"""


@pytest.fixture
def checkout(model, tmp_path) -> Path:
    """A folder with what the examples take from a checkout."""
    shutil.copytree(ROOT / "assets" / "movie_reviews", tmp_path / "assets" / "movie_reviews")
    shutil.copytree(model, tmp_path / "training" / "model-best")
    return tmp_path


def needs(name: str) -> None:
    """Skip a test where a library is not installed."""
    if importlib.util.find_spec(name) is None:
        pytest.skip(f"{name} is not installed: it is in the extra scale-test")


def run_engine(name: str, checks: str, folder: Path) -> list[str]:
    """Run the example of the page that imports a library, and checks after it."""
    examples = [block for block in blocks("docs/many_documents.md", "python") if block.not_run]
    (example,) = [
        block.content for block in examples if re.search(rf"(import|from) {name}\b", block.content)
    ]
    imports = "import os\nimport signal\n\nimport pyarrow\nimport torch\n"
    model = f"MODEL = {str(folder / 'training' / 'model-best')!r}\n"
    script = "\n".join([imports, example, model, COMMON, checks])
    # Engines print on the standard output, too.
    lines = run_script(script, folder, seconds=SECONDS)
    return [line.removeprefix("said: ") for line in lines if line.startswith("said: ")]


def check_example(folder: Path) -> None:
    """Whether the example has annotated each review, and kept all else of it."""
    reviews = pyarrow.parquet.read_table(folder / "assets" / "movie_reviews" / "test.parquet")
    annotator = Annotator(folder / "training" / "model-best", prefix="predicted_")
    found = pyarrow.parquet.read_table(folder / "annotated").sort_by("id")
    expected = annotator(reviews).sort_by("id")
    types = [plain(each) for each in found.select(expected.column_names).schema.types]
    assert types == [plain(each) for each in expected.schema.types]
    assert found.select(reviews.column_names).to_pydict() == reviews.sort_by("id").to_pydict()
    check_close(found, expected)


def check_all(folder: Path, name: str) -> None:
    """Whether all columns are there with their types, where texts may be null."""
    texts = ["great fun", "", None, "dull, long and boring"] * 3
    settings = {"attention": True, "contributions": True, "tokens": True, "on_error": "null"}
    annotator = Annotator(folder / "training" / "model-best", **settings)
    expected = annotator(pyarrow.table({"id": range(len(texts)), "text": texts}))
    found = pyarrow.parquet.read_table(folder / name).select(expected.column_names).sort_by("id")
    for field, other in zip(found.schema, expected.schema, strict=True):
        assert plain(field.type) == plain(other.type), field.name
    check_close(found, expected)


def plain(data_type: pyarrow.DataType) -> str:
    """Name a type without the names of items, and with one size of strings."""
    return str(data_type).replace("element:", "item:").replace("large_", "")


def check_close(found: pyarrow.Table, expected: pyarrow.Table) -> None:
    """Whether two tables are equal, up to the rounding of batches of other sizes."""
    for row, other in zip(found.to_pylist(), expected.to_pylist(), strict=True):
        for name, value in other.items():
            if isinstance(value, dict):
                assert row[name].keys() == value.keys()
                for label, numbers in value.items():
                    assert row[name][label] == pytest.approx(numbers, abs=1e-5)
            elif isinstance(value, float) or name == "attention":
                assert row[name] == pytest.approx(value, abs=1e-5)
            else:
                assert row[name] == value


def test_ray(checkout, monkeypatch):
    needs("ray")
    # Sockets lie there, whose paths must be short.
    folder = tempfile.TemporaryDirectory(prefix="ray", dir="/tmp", ignore_cleanup_errors=True)
    monkeypatch.setenv("RAY_TMPDIR", folder.name)
    assert run_engine("ray", RAY, checkout) == ["3", "True", "True"]
    check_example(checkout)
    check_all(checkout, "all_default")
    check_all(checkout, "all_pyarrow")
    folder.cleanup()


def test_spark(checkout):
    needs("pyspark")
    if not (shutil.which("java") or "JAVA_HOME" in os.environ):
        pytest.skip("Spark needs Java, which is not installed")
    *true, refused, replaced = run_engine("pyspark", SPARK, checkout)
    assert true == ["3", "True", "True"]
    assert "several columns 'text'" in refused
    assert replaced == "id text label rating string"
    check_example(checkout)
    check_all(checkout, "all_pandas")
    check_all(checkout, "all_arrow")


def test_dask(checkout):
    needs("dask")
    assert run_engine("dask", DASK, checkout) == ["True", "True"]
    check_example(checkout)
    check_all(checkout, "all_processes")
    check_all(checkout, "all_threads")
