"""Models of transformers that are tiny and that nobody has trained."""

import pytest
import torch

PIECES = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "good", "bad", "##ly", "go", "un", "##good"]
PIECES += [",", "[unused1]"]
#: Of the model below. 0 is its embeddings.
N_LAYERS = 3


@pytest.fixture(scope="session")
def encoder(tmp_path_factory):
    """The folder of an encoder without a head."""
    transformers = pytest.importorskip("transformers")
    path = tmp_path_factory.mktemp("encoder") / "model"
    path.mkdir()
    (path / "vocab.txt").write_text("\n".join(PIECES))
    transformers.BertTokenizer(str(path / "vocab.txt"), model_max_length=16).save_pretrained(path)
    config = transformers.BertConfig(
        vocab_size=len(PIECES),
        hidden_size=16,
        num_hidden_layers=N_LAYERS,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=16,
        initializer_range=1.0,
    )
    torch.manual_seed(0)
    transformers.BertModel(config).save_pretrained(path)
    return path


@pytest.fixture(scope="session")
def classifier(tmp_path_factory):
    """The folder of a classifier, whose texts may have 32 pieces."""
    transformers = pytest.importorskip("transformers")
    path = tmp_path_factory.mktemp("hf") / "model"
    path.mkdir()
    (path / "vocab.txt").write_text("\n".join(PIECES[:7]))
    transformers.BertTokenizer(str(path / "vocab.txt"), model_max_length=32).save_pretrained(path)
    config = transformers.BertConfig(
        vocab_size=len(PIECES[:7]),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=32,
        initializer_range=1.0,
        id2label={0: "LABEL_0", 1: "LABEL_1"},
        label2id={"LABEL_0": 0, "LABEL_1": 1},
    )
    torch.manual_seed(0)
    transformers.BertForSequenceClassification(config).save_pretrained(path)
    return path
