"""A hub that cannot be reached, answers slowly, or is not needed."""

import json
import shutil
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import datasets
import huggingface_hub
import pytest
from datasets import Dataset

from spacy_attn.data import DatasetError
from spacy_attn.data.hub import hub_answers


@pytest.fixture
def cached(tmp_path):
    """What an earlier download of the hub's data set `owner/rows` left in the cache."""
    Dataset.from_dict({"text": ["a", "b"], "label": ["x", "y"]}).to_parquet(tmp_path / "r.parquet")
    datasets.load_dataset(
        "parquet", data_files=str(tmp_path / "r.parquet"), cache_dir=str(tmp_path / "built")
    )
    [built] = filter(Path.is_dir, (tmp_path / "built" / "parquet").glob("*/*/*"))
    target = tmp_path / "cache" / "owner___rows" / "default" / "0.0.0" / "c0ffee"
    shutil.copytree(built, target)
    (target / "parquet-train.arrow").rename(target / "rows-train.arrow")
    info = json.loads((target / "dataset_info.json").read_text())
    info.update(dataset_name="rows", config_name="default")
    (target / "dataset_info.json").write_text(json.dumps(info))


def test_unreachable_hub_fails_after_seconds_and_says_how_to_work_offline(read, closed_port):
    begin = time.monotonic()
    expected = f"hub .*{closed_port}.* cannot be reached .* set 'path' to a local file"
    with pytest.raises(DatasetError, match=expected):
        read("owner/rows")
    # Left to itself, huggingface_hub retries for more than 20 seconds.
    assert time.monotonic() - begin < 10
    assert datasets.config.HF_HUB_OFFLINE is False


@pytest.mark.parametrize("streaming", [False, True])
@pytest.mark.usefixtures("cached")
def test_copy_in_the_cache_is_used_without_the_hub_and_the_user_told(read, streaming):
    with pytest.warns(UserWarning, match="so the copy in the local cache is used, whatever its"):
        rows = read("owner/rows", revision="main", labels=["x", "y"], streaming=streaming)
    assert rows == [("a", {"x": 1.0, "y": 0.0}), ("b", {"x": 0.0, "y": 1.0})]
    assert datasets.config.HF_HUB_OFFLINE is False


def test_offline_mode_is_respected(read, monkeypatch):
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr("spacy_attn.data.source.hub_answers", pytest.fail)
    with pytest.raises(DatasetError, match="cannot be reached"):
        read("owner/rows")
    assert datasets.config.HF_HUB_OFFLINE is True


@pytest.mark.parametrize("name", ["rows.parquet", "rows.csv", "rows.jsonl"])
@pytest.mark.parametrize("as_folder", [False, True])
def test_local_files_need_no_network_at_all(read, tmp_path, monkeypatch, name, as_folder):
    folder = tmp_path / "folder"
    folder.mkdir()
    write = {"parquet": Dataset.to_parquet, "csv": Dataset.to_csv, "jsonl": Dataset.to_json}
    write[name.split(".")[1]](Dataset.from_dict({"text": ["a"], "label": ["x"]}), folder / name)
    asked = []
    # `datasets` hides the failure of such a request, so that it has to be counted.
    monkeypatch.setattr(socket, "getaddrinfo", lambda *where, **_: asked.append(where) or [])
    assert read(str(folder if as_folder else folder / name)) == [("a", {"x": 1.0})]
    assert not asked
    assert datasets.config.HF_HUB_OFFLINE is False


def test_any_answer_shows_that_the_hub_is_there(monkeypatch):
    class Refuse(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self.send_error(503)

        def log_message(self, *args):
            pass

    with HTTPServer(("127.0.0.1", 0), Refuse) as server:
        monkeypatch.setattr(
            datasets.config, "HF_ENDPOINT", f"http://127.0.0.1:{server.server_port}"
        )
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        assert hub_answers()
        thread.join()


def test_hub_that_is_slow_to_answer_is_not_given_up(monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_ETAG_TIMEOUT", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        monkeypatch.setattr(datasets.config, "HF_ENDPOINT", f"http://127.0.0.1:{port}")
        assert hub_answers()


def test_unknown_data_set_is_refused_with_advice(read, monkeypatch):
    def refuse(*_, **__):
        raise datasets.exceptions.DatasetNotFoundError("Dataset 'owner/rows' doesn't exist")

    monkeypatch.setattr("spacy_attn.data.source.hub_answers", lambda: True)
    monkeypatch.setattr(datasets, "load_dataset_builder", refuse)
    with pytest.raises(DatasetError, match=r"shows no such data set .*`hf auth login`"):
        read("owner/rows")
