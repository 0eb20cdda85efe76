"""The page as a folder for Spaces."""

import json
import runpy

import pytest
import spacy
from huggingface_hub import SpaceCard
from packaging.requirements import Requirement

import spacy_attn
from spacy_attn.interpret.live.hub_space import write_space

from ...conftest import assert_same_predictions

gradio = pytest.importorskip("gradio")
EXAMPLES = [("<b>great</b> fun", "positive"), ("żółw: dull", "")]


def test_the_program_of_a_space_serves_the_pipeline_where_the_space_says(
    trained_nlp, tmp_path, monkeypatch
):
    code = tmp_path / "own.py"
    code.write_text("import builtins\nbuiltins.own_code_was_run = True\n", "utf8")
    folder = tmp_path / "new" / "space"
    write_space(folder, trained_nlp, examples=EXAMPLES, title='A "title"', code=code)
    served = []
    monkeypatch.setattr(spacy_attn, "demo", lambda nlp, **rest: served.append((nlp, rest)), False)
    monkeypatch.syspath_prepend(str(folder))
    for address in (None, "0.0.0.0"):
        if address:
            monkeypatch.setenv("GRADIO_SERVER_NAME", address)
        else:
            monkeypatch.delenv("GRADIO_SERVER_NAME", raising=False)
        runpy.run_path(str(folder / "app.py"))
    import builtins

    assert builtins.own_code_was_run
    hosts = [settings.pop("host") for _, settings in served]
    assert hosts == ["127.0.0.1", "0.0.0.0"]
    nlp, settings = served[0]
    assert settings.pop("examples") == [list(example) for example in EXAMPLES]
    assert settings == {"component": None, "title": 'A "title"'}
    assert_same_predictions(nlp, trained_nlp)


@pytest.mark.parametrize("requirement", [None, "spacy-attn @ https://example.org/a-1.0-py3.whl"])
def test_the_hub_can_read_what_a_space_needs(trained_nlp, tmp_path, requirement):
    write_space(tmp_path, trained_nlp, title="# <b>: 'x'", requirement=requirement)
    card = SpaceCard.load(tmp_path / "README.md")
    assert card.data.title == "# <b>: 'x'"
    assert (card.data.sdk, card.data.sdk_version) == ("gradio", gradio.__version__)
    assert (tmp_path / card.data.app_file).is_file()
    index, *lines = (tmp_path / "requirements.txt").read_text("utf8").splitlines()
    assert index.startswith("--extra-index-url https://")
    required = {Requirement(line).name: Requirement(line) for line in lines}
    assert set(required) == {"gradio", "spacy", "spacy-attn"}
    assert str(required["spacy"].specifier) == f"=={spacy.__version__}"
    own = str(required["spacy-attn"])
    assert own == (requirement or f"spacy-attn=={spacy_attn.__version__}")


def test_what_is_there_is_replaced_only_if_that_is_asked_for(trained_nlp, tmp_path):
    (tmp_path / "README.md").write_text("mine", "utf8")
    (tmp_path / "other.txt").write_text("mine", "utf8")
    with pytest.raises(ValueError, match=r"has a 'README\.md' already: name another folder"):
        write_space(tmp_path, trained_nlp)
    assert {path.name for path in tmp_path.iterdir()} == {"README.md", "other.txt"}
    (tmp_path / "pipeline").mkdir()
    (tmp_path / "pipeline" / "old").touch()
    write_space(tmp_path, trained_nlp, replace=True)
    assert "mine" not in (tmp_path / "README.md").read_text("utf8")
    assert (tmp_path / "other.txt").read_text("utf8") == "mine"
    assert not (tmp_path / "pipeline" / "old").exists()
    assert json.loads((tmp_path / "demo.json").read_text("utf8"))["examples"] == []
