"""Files of one data set that number their classes differently are refused, never misread."""

import pytest
from datasets import ClassLabel, Dataset, DatasetDict, Features, Value

from spacy_attn.data import DatasetError

LABELS = ["neg", "pos", "neg", "pos"]
FORWARD, BACKWARD = ["neg", "pos"], ["pos", "neg"]
CARD = """---
dataset_info:
  features:
  - name: text
    dtype: string
  - name: label
    dtype:
      class_label:
        names:
          '0': neg
          '1': pos
---
"""


def encoded(names, labels=LABELS) -> Dataset:
    """Texts that say which label they have, and labels numbered as in `names`."""
    feature = ClassLabel(names=names) if names else Value("string")
    columns = {"text": [f"is {label}" for label in labels], "label": labels}
    return Dataset.from_dict(columns, features=Features(text=Value("string"), label=feature))


def plain(ids) -> Dataset:
    return Dataset.from_dict({"text": [f"id {i}" for i in ids], "label": ids})


@pytest.fixture
def put(tmp_path):
    """Write data sets as Parquet files of the folder "set"."""

    def write(**files: Dataset):
        for name, dataset in files.items():
            dataset.to_parquet(tmp_path / "set" / f"{name}.parquet")
        return tmp_path / "set"

    return write


def are_right(rows) -> bool:
    return bool(rows) and all(cats[text.removeprefix("is ")] == 1.0 for text, cats in rows)


@pytest.fixture(params=[False, True])
def streaming(request):
    return request.param


DIFFERENT = r"'set/one.parquet' has 'neg', 'pos', and 'set/two.parquet' has 'pos', 'neg'"


@pytest.mark.parametrize(
    ("path", "settings"),
    [
        ("set", {}),
        ("set/*.parquet", {}),
        ("parquet", {"data_files": ["set/one.parquet", "set/two.parquet"]}),
        ("set", {"data_files": {"train": "one.parquet", "test": "two.parquet"}, "split": "test"}),
    ],
)
def test_files_with_names_in_another_order_are_refused(put, read, path, settings, streaming):
    put(one=encoded(FORWARD), two=encoded(BACKWARD))
    with pytest.raises(DatasetError, match=DIFFERENT):
        read(path, streaming=streaming, **settings)


def test_a_split_numbered_otherwise_is_refused_and_the_first_one_read(put, read, streaming):
    put(train=encoded(["a", "neg", "pos"]), test=encoded(FORWARD))
    assert are_right(read("set", split="train", streaming=streaming))
    with pytest.raises(DatasetError, match=r"split 'test'.*'set/test.parquet' has 'neg', 'pos'"):
        read("set", split="test", streaming=streaming)
    with pytest.raises(DatasetError, match="each as a 'path' of its own"):
        read("set", split="train+test", streaming=streaming)


def test_readers_of_single_files_each_use_the_names_of_their_own(put, read, streaming):
    put(train=encoded(["a", "neg", "pos"]), dev=encoded(BACKWARD))
    for file in ("set/train.parquet", "set/dev.parquet"):
        assert are_right(read(file, streaming=streaming))


def test_files_that_agree_are_read_together(put, read, streaming):
    put(one=encoded(FORWARD), two=encoded(FORWARD))
    rows = read("set", streaming=streaming)
    assert are_right(rows)
    assert len(rows) == 8


def test_file_that_spells_its_labels_joins_one_that_numbers_them(put, read):
    put(one=encoded(FORWARD), two=encoded(None))
    assert are_right(read("set"))


@pytest.mark.parametrize("first", ["named", "plain"])
def test_plain_ids_beside_named_ones_are_refused(put, read, first):
    one, two = encoded(FORWARD), plain([0, 1])
    put(**({"one": one, "two": two} if first == "named" else {"one": two, "two": one}))
    with pytest.raises(DatasetError, match="has no names"):
        read("set", labels=BACKWARD)


@pytest.mark.parametrize("names", [FORWARD, BACKWARD])
def test_files_are_held_against_the_names_that_the_card_declares(put, read, names):
    folder = put(train=encoded(names))
    (folder / "README.md").write_text(CARD)
    if names == FORWARD:
        assert are_right(read("set"))
    else:
        with pytest.raises(DatasetError, match=r"card declares 'neg', 'pos', and 'set/train.parq"):
            read("set")


def test_plain_ids_take_the_names_that_the_card_declares(put, read):
    folder = put(train=plain([1, 0]))
    (folder / "README.md").write_text(CARD)
    assert read("set")[0][1] == {"neg": 0.0, "pos": 1.0}


def test_arrow_shards_of_different_data_sets_are_refused(tmp_path, read, streaming):
    encoded(FORWARD).save_to_disk(tmp_path / "one")
    encoded(BACKWARD).save_to_disk(tmp_path / "two")
    with pytest.raises(DatasetError, match="number the classes of column 'label' differently"):
        read("*/data-*.arrow", streaming=streaming)


def test_saved_splits_keep_their_own_names_and_are_not_joined(tmp_path, read, streaming):
    splits = {"train": encoded(FORWARD), "test": encoded(BACKWARD)}
    DatasetDict(splits).save_to_disk(tmp_path / "saved")
    assert are_right(read("saved", split="test", streaming=streaming))
    with pytest.raises(DatasetError, match=r"train\+test': .*'pos', 'neg'.*'neg', 'pos'"):
        read("saved", split="train+test", streaming=streaming)
