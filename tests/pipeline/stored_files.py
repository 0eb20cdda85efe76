"""Changes of stored components, as damage and other versions make them."""

import json

import pytest
import spacy
import srsly


def edit_cfg(folder, **values):
    """Change the `cfg` in the folder of a component as one without checksums would be."""
    path = folder / "cfg"
    cfg = {**json.loads(path.read_text()), **values}
    cfg.pop("checksums", None)
    path.write_text(json.dumps({key: value for key, value in cfg.items() if value is not ...}))


def edit_model(folder, change):
    """Change what Thinc stored of the model, as one without checksums would be."""
    path = folder / "model"
    message = srsly.msgpack_loads(path.read_bytes())
    change(message, {node["name"]: node["index"] for node in message["nodes"]})
    path.write_bytes(srsly.msgpack_dumps(message))
    edit_cfg(folder)


def refuses(folder, message, **overrides):
    """Check the error with which a pipeline is not loaded, and return it."""
    with pytest.raises(ValueError, match=message) as error:
        spacy.load(folder, config=overrides)
    return str(error.value)
