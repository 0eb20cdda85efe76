"""The notebook is kept as it is written; building the site runs it."""

import json

from .pages import ROOT


def test_notebook_has_no_outputs_and_its_cells_compile():
    notebook = json.loads((ROOT / "docs" / "tour.ipynb").read_text(encoding="utf8"))
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(code) > 5
    for cell in code:
        assert not cell["outputs"]
        assert cell["execution_count"] is None
        compile("".join(cell["source"]), cell["id"], "exec")
