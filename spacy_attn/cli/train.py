"""`python -m spacy attn train`: training in one process, or in several that `torchrun` starts."""

from __future__ import annotations

import contextlib
import io
import logging
import os
from pathlib import Path
from typing import Annotated, Any

import typer
from spacy import util
from spacy.cli._util import Arg, Opt, setup_gpu, show_validation_error
from spacy.cli.train import train
from wasabi import msg

from ..models.processes import own_rank, together
from ..pipeline.parallel import train_together
from .console import failing, load_code, read_overrides
from .options import CodePath


def train_cli(
    ctx: typer.Context,  # This is only used to read the overrides
    config_path: Annotated[Path, Arg(help="Path to config file", exists=True, dir_okay=False)],
    output_path: Annotated[
        Path | None,
        Opt("--output", "--output-path", "-o", help="Output directory for the trained pipeline"),
    ] = None,
    code_path: CodePath = None,
    verbose: Annotated[bool, Opt("--verbose", "-V", "-VV", help="Print more")] = False,
    gpu_id: Annotated[
        int, Opt("--gpu-id", "-g", help="GPU ID or -1 for CPU; that of the first of the processes")
    ] = -1,
) -> None:
    """
    Train a pipeline, as 'spacy train' does. Start it with torchrun to train in
    several processes, each of which learns from a part of each batch:

    torchrun --nproc-per-node 2 -m spacy attn train CONFIG --output DIR

    With --gpu-id 0, each process takes a GPU of its own.
    """
    if verbose:
        util.logger.setLevel(logging.DEBUG)
    overrides = read_overrides(ctx)
    load_code(code_path)
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        _train_together(config_path, output_path, gpu_id, overrides)
    else:
        train(config_path, output_path, use_gpu=gpu_id, overrides=overrides)


def _train_together(
    config_path: Path, output_path: Path | None, gpu_id: int, overrides: dict[str, Any]
) -> None:
    """Train together with the processes that a launcher has started beside this one."""
    with contextlib.ExitStack() as stack:
        if os.environ.get("RANK") != "0":
            # The first process prints it.
            stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(failing(f"Can't train in {os.environ['WORLD_SIZE']} processes"))
        gpu = _own_gpu(gpu_id)
        stack.enter_context(together(gpu))
        setup_gpu(gpu)
        if own_rank() == 0 and output_path is not None:
            output_path.mkdir(parents=True, exist_ok=True)
            msg.info(f"Saving to output directory: {output_path}")
        stack.enter_context(show_validation_error(config_path))
        config = util.load_config(config_path, overrides=overrides, interpolate=False)
        train_together(config, output_path, use_gpu=gpu)


def _own_gpu(gpu_id: int) -> int:
    """Return the GPU of this process, of those from the first one on; -1 for none."""
    return gpu_id if gpu_id < 0 else gpu_id + int(os.environ.get("LOCAL_RANK", "0"))
