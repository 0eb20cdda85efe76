import inspect
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from spacy import registry

import spacy_attn

from .conftest import WARNINGS_ARE_ERRORS

NAMES = {
    "spacy_factories": {"attn_textcat", "attn_textcat_multilabel"},
    "spacy_architectures": {
        "spacy-attn.BiLSTMAttention.v1",
        "spacy-attn.SubwordEmbedding.v1",
        "spacy-attn.WordEmbedding.v1",
    },
    "spacy_readers": {"spacy-attn.HFDataset.v1"},
    "spacy_scorers": {"spacy-attn.textcat_scorer.v1", "spacy-attn.textcat_multilabel_scorer.v1"},
    "spacy_callbacks": {
        "spacy-attn.bound_patience.v1",
        "spacy-attn.calibrate.v1",
        "spacy-attn.describe_data.v1",
        "spacy-attn.learn_words.v1",
    },
    "spacy_cli": {"attn"},
    "thinc_optimizers": {"spacy-attn.FusedAdam.v1"},
}


@pytest.mark.parametrize("group", NAMES)
def test_every_public_name_is_an_entry_point_that_can_be_loaded(group):
    ours = {
        point.name: point for point in entry_points(group=group) if point.dist.name == "spacy-attn"
    }
    assert set(ours) == NAMES[group]
    for point in ours.values():
        assert callable(point.load())


@pytest.mark.parametrize("group", sorted(NAMES.keys() - {"spacy_cli"}))
def test_registered_functions_have_types_that_older_versions_of_spacy_can_read(group):
    """Those validate settings with pydantic 1, which does not resolve annotations in strings."""
    for point in entry_points(group=group):
        if point.dist.name == "spacy-attn":
            settings = inspect.signature(point.load()).parameters.values()
            assert not [each for each in settings if isinstance(each.annotation, str)], point.name


@pytest.mark.parametrize("name", sorted(NAMES["spacy_architectures"]))
def test_architectures_are_found_in_spacys_registry(name):
    assert callable(registry.get("architectures", name))
    assert registry.find("architectures", name)["module"].startswith("spacy_attn.models")


def run(code: str) -> str:
    return subprocess.run(
        [sys.executable, *WARNINGS_ARE_ERRORS, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout.strip()


def test_adding_a_component_does_not_load_what_only_reading_data_needs():
    code = (
        "import sys, spacy, spacy_attn; nlp = spacy.blank('en'); nlp.add_pipe('attn_textcat'); "
        "print(sorted({'datasets', 'pandas', 'pyarrow', 'captum', 'sklearn'} & set(sys.modules)))"
    )
    assert run(code) == "[]"


def test_importing_the_package_alone_loads_not_even_spacy():
    assert (
        run("import sys, spacy_attn; print('spacy' in sys.modules, 'torch' in sys.modules)")
        == "False False"
    )


def test_public_functions_are_there_at_their_first_use():
    assert run("import spacy_attn; print(spacy_attn.explain.__name__)") == "explain"
    assert set(spacy_attn.__all__) <= set(dir(spacy_attn))
    for name in spacy_attn.__all__:
        assert getattr(spacy_attn, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'explian'"):
        spacy_attn.explian  # noqa: B018


def test_the_component_needs_no_import_of_the_package():
    assert (
        run("import spacy; print(spacy.blank('en').add_pipe('attn_textcat').name)")
        == "attn_textcat"
    )


def test_imports_point_in_one_direction():
    """cli -> interpret, data -> pipeline -> models -> nn: a room knows the ones below it."""
    import ast

    allowed = {
        "nn": {"nn"},
        "models": {"models", "nn", "checks"},
        "pipeline": {"pipeline", "models", "extensions", "explanation", "checks"},
        "data": {"data"},
        "interpret": {
            "interpret",
            "pipeline",
            "models",
            "nn",
            "explanation",
            "extensions",
            "checks",
            "text_files",
        },
        "cli": {"cli", "interpret", "data", "pipeline", "models", "explanation", "text_files"},
    }
    root = Path(spacy_attn.__file__).parent
    for room, rooms in allowed.items():
        for path in (root / room).rglob("*.py"):
            depth = len(path.relative_to(root).parts)
            for node in ast.walk(ast.parse(path.read_text())):
                if isinstance(node, ast.ImportFrom) and node.level == depth:
                    assert node.module.split(".")[0] in rooms, f"{path.name} imports {node.module}"


def test_all_files_that_are_not_python_are_declared_as_package_data():
    tomllib = pytest.importorskip("tomllib")
    root = Path(spacy_attn.__file__).parents[1]
    settings = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf8"))
    declared = {
        path
        for package, patterns in settings["tool"]["setuptools"]["package-data"].items()
        for pattern in patterns
        for path in (root / package.replace(".", "/")).glob(pattern)
    }
    others = {
        path
        for path in (root / "spacy_attn").rglob("*.*")
        if path.suffix not in (".py", ".pyc") and path.is_file()
    }
    assert others == declared


def test_the_torch_room_knows_torch_alone():
    code = (
        "import sys, spacy_attn.nn.head, spacy_attn.nn.bilstm; "
        "print({'spacy', 'thinc'} & set(sys.modules))"
    )
    assert run(code) == "set()"


def test_the_oldest_tested_versions_are_the_lower_bounds():
    tomllib = pytest.importorskip("tomllib")
    root = Path(spacy_attn.__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf8"))["project"]
    extras = project["optional-dependencies"]
    required = [*project["dependencies"], *extras["captum"], *extras["faithfulness"]]
    bounds = dict(re.fullmatch(r"(\w+)>=([\d.]+)(?:,.*)?", line).groups() for line in required)
    lines = (root / "constraints-oldest.txt").read_text(encoding="utf8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    assert bounds.items() <= pins.items()
