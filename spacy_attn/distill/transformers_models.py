"""Models of `transformers`: how they are loaded, and how texts are batched for them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, TypeVar

import torch

#: How a model is written that is one of `transformers`.
PREFIX = "hf:"
Precision = Literal["float32", "bfloat16"]
Item = TypeVar("Item")
_WEIGHTS = ".safetensors"
_OTHER_WEIGHTS = (".bin", ".h5", ".msgpack", ".onnx", ".ot", ".pt", ".pth")


def load(where: str, model: str, loader: Callable[[Any], Item]) -> Item:
    """Load something of `transformers`, without what that prints of weights that are left out.

    Args:
        where: What needs it, for errors.
        model: The name of the model or its folder, for errors.
        loader: Gets the module `transformers`.

    Raises:
        ImportError: If `transformers` is missing.
        ValueError: If the model cannot be loaded.
    """
    try:
        import transformers
    except ImportError as error:
        raise ImportError(
            f"{where} needs transformers ({error}): pip install transformers."
        ) from error
    with _silent(transformers):
        try:
            return loader(transformers)
        except ImportError:
            raise
        # Of a damaged file, its libraries raise errors of their own, some a plain `Exception`.
        except Exception as error:
            reason = str(error).strip().partition("\n")[0].rstrip(".")
            raise ValueError(
                f"{where}: transformers cannot load '{model}' ({reason}). Give the name of a "
                f"model on the Hugging Face hub, or a folder whose files are whole."
            ) from error


@contextmanager
def _silent(transformers: Any) -> Iterator[None]:
    logging = transformers.utils.logging
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()


def ensure_padding(tokenizer: Any, model: Any) -> None:
    """Have a tokenizer without a token for padding, as of a decoder, pad with its last token."""
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad_token_id


def fastest_precision(device: str) -> Precision:
    """Return the type that a device multiplies matrices of fastest.

    Args:
        device: As torch writes it.
    """
    if torch.device(device).type == "cuda":
        return "bfloat16" if torch.cuda.is_bf16_supported(including_emulation=False) else "float32"
    return "bfloat16" if _has_tiles() else "float32"


def _has_tiles() -> bool:
    """Return whether the processor has AMX. Without it, bfloat16 takes longer than float32."""
    if hasattr(torch.cpu, "get_capabilities"):
        return bool(torch.cpu.get_capabilities().get("amx_bf16"))
    check = getattr(torch.cpu, "_is_amx_tile_supported", None)
    return check is not None and bool(check())


def size_of_model(folder: Path) -> int:
    """Return the bytes of the files of a folder that a model is loaded from.

    States of its training and copies of its weights in other formats are not among them.
    """
    files = [path for path in folder.iterdir() if path.is_file() and path.name[0] != "."]
    if any(path.suffix == _WEIGHTS for path in files):
        files = [path for path in files if path.suffix not in _OTHER_WEIGHTS]
    return sum(path.stat().st_size for path in files)


def n_positions(model: Any) -> int:
    """Return how many tokens a model can read; next to any number where it sets no bound.

    Many tokenizers do not know it.

    Args:
        model: A model of `transformers`.
    """
    longest = getattr(model.config, "max_position_embeddings", None) or sys.maxsize
    for name, module in model.named_modules():
        # RoBERTa and its kin count positions from behind that of the padding.
        if (
            name.endswith("position_embeddings")
            and getattr(module, "padding_idx", None) is not None
        ):
            return int(min(longest, module.num_embeddings) - module.padding_idx - 1)
    return int(longest)


def batches_of_like_length(lengths: Sequence[int], batch_tokens: int) -> Iterator[list[int]]:
    """Yield the numbers of texts of like length that fit together, the shortest first.

    Args:
        lengths: Of the texts, in tokens of the model.
        batch_tokens: At most so many tokens of a batch, padding included. A longer text is alone.
    """
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        # It is the longest by now.
        if batch and (len(batch) + 1) * lengths[row] > batch_tokens:
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
