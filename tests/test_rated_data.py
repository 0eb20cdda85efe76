import hashlib
import io
import tarfile

import pyarrow.parquet
import pytest

from benchmarks import make_rated

LINES = [
    "1_1\t0.5\tGood &amp; cheap.",
    "1_2\t-0.5\tToo dear.",
    "2_1\t0.49\tIt is red.",
    "2_2\t3.1\tTOO DEAR.",
    *(f"{i}_{j}\t-2.0\tSentence {j} of {i}." for i in range(3, 60) for j in (1, 2)),
]


def archive(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture
def sdist(tmp_path, monkeypatch):
    content = "\n".join(LINES).encode()
    inner = archive({"hutto_ICWSM_2014/ratings.txt": content})
    path = tmp_path / "vader.tar.gz"
    path.write_bytes(archive({"vader/additional_resources/hutto_ICWSM_2014.tar.gz": inner}))
    digest = hashlib.sha256(content).hexdigest()
    monkeypatch.setattr(make_rated, "FILES", {"products": ("ratings.txt", digest)})
    return path


def test_every_rated_text_is_in_one_split_with_its_label(sdist, tmp_path):
    make_rated.main(sdist, tmp_path / "data")
    rows = []
    for split in ("train", "validation", "test"):
        table = pyarrow.parquet.read_table(tmp_path / "data" / "products" / f"{split}.parquet")
        rows += zip(*table.to_pydict().values(), strict=True)
    assert len(rows) == len(LINES) - 1  # without the one that occurs again
    assert dict(rows)["Good & cheap."] == "positive"
    assert dict(rows)["Too dear."] == "negative"
    assert dict(rows)["It is red."] == "neutral"


def test_sentences_of_one_source_are_in_one_split(sdist):
    splits = make_rated.make(sdist, "products")
    sources = {
        split: {text.split(" of ")[1] for text, _ in rows if " of " in text}
        for split, rows in splits.items()
    }
    assert all(sources.values())
    assert sum(map(len, sources.values())) == len(set.union(*sources.values())) == 57


def test_a_file_with_other_content_is_refused(sdist, tmp_path, monkeypatch):
    monkeypatch.setattr(make_rated, "FILES", {"products": ("ratings.txt", "0" * 64)})
    with pytest.raises(ValueError, match=r"SHA-256 of hutto_ICWSM_2014/ratings.txt"):
        make_rated.main(sdist, tmp_path / "data")
