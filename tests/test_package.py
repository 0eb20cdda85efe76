import ast
import inspect
import re
import subprocess
import sys
from collections import Counter
from graphlib import TopologicalSorter
from importlib.metadata import entry_points, requires
from pathlib import Path

import pytest
from spacy import registry

import spacy_attn

from .conftest import WARNINGS_ARE_ERRORS

NAMES = {
    "spacy_factories": {
        "attn_lemmatizer",
        "attn_seq2seq",
        "attn_textcat",
        "attn_textcat_multilabel",
        "attn_transducer",
        "hf_classifier",
    },
    "spacy_architectures": {
        "spacy-attn.AttentionDecoder.v1",
        "spacy-attn.BiLSTMAttention.v1",
        "spacy-attn.SubwordEmbedding.v1",
        "spacy-attn.WordEmbedding.v1",
    },
    "spacy_readers": {
        "spacy-attn.HFDataset.v1",
        "spacy-attn.HFPairs.v1",
        "spacy-attn.HFTokens.v1",
    },
    "spacy_scorers": {
        "spacy-attn.lemma_scorer.v1",
        "spacy-attn.seq2seq_scorer.v1",
        "spacy-attn.textcat_scorer.v1",
        "spacy-attn.textcat_multilabel_scorer.v1",
        "spacy-attn.transducer_scorer.v1",
    },
    "spacy_augmenters": {"spacy-attn.augment.v1"},
    "spacy_callbacks": {
        "spacy-attn.bound_patience.v1",
        "spacy-attn.calibrate.v1",
        "spacy-attn.describe_data.v1",
        "spacy-attn.learn_words.v1",
        "spacy-attn.train_epochs.v1",
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


def run(code: str) -> list[str]:
    """Return the lines that some code prints in a new process."""
    return subprocess.run(
        [sys.executable, *WARNINGS_ARE_ERRORS, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout.splitlines()


def test_the_component_needs_no_import_and_loads_nothing_that_only_reading_data_needs():
    code = (
        "import sys, spacy; print(spacy.blank('en').add_pipe('attn_textcat').name); "
        "unwanted = {'datasets', 'pandas', 'pyarrow', 'captum', 'sklearn', 'sacrebleu'}; "
        "print(sorted(unwanted & set(sys.modules)))"
    )
    assert run(code) == ["attn_textcat", "[]"]


def test_importing_the_package_loads_not_even_spacy_and_its_torch_modules_torch_alone():
    code = (
        "import sys, spacy_attn; print('spacy' in sys.modules, 'torch' in sys.modules); "
        "import spacy_attn.nn.head, spacy_attn.nn.bilstm; "
        "print({'spacy', 'thinc'} & set(sys.modules)); print(spacy_attn.explain.__name__)"
    )
    assert run(code) == ["False False", "set()", "explain"]


def test_public_functions_are_there_at_their_first_use():
    assert set(spacy_attn.__all__) <= set(dir(spacy_attn))
    for name in spacy_attn.__all__:
        assert getattr(spacy_attn, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'explian'"):
        spacy_attn.explian  # noqa: B018


ROOT = Path(spacy_attn.__file__).parent
PATHS = {
    ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted(ROOT.rglob("*.py"))
}
TREES = {module: ast.parse(path.read_text("utf8")) for module, path in PATHS.items()}
# cli -> interpret, tables -> data -> pipeline -> models -> nn: what a package may import. Results,
# and two modules, serve all of them.
ALLOWED = {
    "nn": {"torch"},
    "models": {"nn", "checks", "torch"},
    "pipeline": {"models", "results", "checks"},
    "data": {"pipeline", "results", "checks", "text_files"},
    "interpret": {"pipeline", "models", "nn", "results", "checks", "text_files", "torch"},
    "tables": {"data", "pipeline", "nn", "results", "checks", "text_files", "torch"},
    "distill": {"tables", "data", "pipeline", "checks", "text_files", "torch"},
    "cli": {
        "distill",
        "interpret",
        "tables",
        "data",
        "pipeline",
        "models",
        "results",
        "text_files",
    },
    "results": {"checks"},
    "text_files": set(),
    "checks": set(),
}
# A notebook shows these as pictures, which are imported where that is asked for.
EXCEPTIONS = {
    (f"spacy_attn.results.{module}", "spacy_attn.interpret.show.pictures")
    for module in ("explanation", "alignment")
}


def imports(module: str) -> set[str]:
    """Return what a module imports of ours and of torch, also in functions and for types."""
    package = module.split(".")[: None if PATHS[module].stem == "__init__" else -1]
    found = set()
    for node in ast.walk(TREES[module]):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *filter(None, [node.module])])
            names = [f"{base}.{alias.name}" for alias in node.names]
            found.update(name if name in TREES else base for name in names)
    torch = {"torch" for name in found if name.split(".")[0] == "torch"}
    return {name for name in found & TREES.keys() if (module, name) not in EXCEPTIONS} | torch


# The package's own `__init__` imports nothing before it is used.
IMPORTS = {module: imports(module) for module in TREES if module != "spacy_attn"}


def test_imports_point_in_one_direction():
    wrong = [
        f"{module} imports {other}"
        for module, others in IMPORTS.items()
        for other in others
        if (one := module.split(".")[1]) != (two := other.split(".")[-1 if other == "torch" else 1])
        and two not in ALLOWED.get(one, set())
    ]
    assert not wrong


def test_what_all_components_share_knows_none_of_those_that_write():
    writers = "spacy_attn.pipeline.writers"
    of_pipeline = {module for module in IMPORTS if module.startswith("spacy_attn.pipeline")}
    shared = {module for module in of_pipeline if not module.startswith(writers)}
    assert not [
        f"{module} imports {other}"
        for module in sorted(shared)
        for other in IMPORTS[module]
        if other.startswith(writers)
    ]


def test_no_modules_import_one_another_in_a_circle():
    TopologicalSorter(IMPORTS).prepare()


def test_no_two_modules_share_a_name_and_none_has_that_of_a_library():
    names = Counter(module.split(".")[-1] for module in TREES)
    assert [name for name, count in names.items() if count > 1] == []
    required = {re.split(r"[\s<>=\[;]", line)[0] for line in requires("spacy-attn")}
    libraries = sys.stdlib_module_names | {name.replace("-", "_") for name in required}
    assert names.keys() & libraries == {"spacy_attn"}  # whose extras require one another


def test_every_module_says_what_is_in_it():
    assert [module for module, tree in TREES.items() if not ast.get_docstring(tree)] == []


def test_components_and_explanations_reach_layers_through_the_contract_alone():
    root = Path(spacy_attn.__file__).parent
    for package in ("pipeline", "interpret"):
        for path in (root / package).rglob("*.py"):
            assert "get_ref" not in path.read_text(encoding="utf8"), path


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


def test_the_oldest_tested_versions_are_the_lower_bounds():
    tomllib = pytest.importorskip("tomllib")
    root = Path(spacy_attn.__file__).parents[1]
    project = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf8"))["project"]
    extras = project["optional-dependencies"]
    required = [*project["dependencies"], *extras["captum"], *extras["faithfulness"]]
    required += [*extras["pictures"], *extras["seq2seq"]]
    bounds = dict(re.fullmatch(r"(\w+)>=([\d.]+)(?:,.*)?", line).groups() for line in required)
    lines = (root / "constraints-oldest.txt").read_text(encoding="utf8").splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    assert bounds.items() <= pins.items()
