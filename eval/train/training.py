"""The training loop of all models, under transformers' Trainer, and what reader and entailer, cross-encoders, share.

The reader is the default embedder's encoder with other weights, word embeddings apart; the entailer an encoder
of its own with a low-rank adapter. So both are a base plus small changes. A killed run goes on from its last
checkpoint.
"""

from __future__ import annotations

import hashlib
import json
import logging
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from rag.errors import BadInputError
from rag.models import weights
from rag.models.fetching import sha256
from rag.models.weights import embedder_folder, encoder_folder

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

log = logging.getLogger(__name__)

LONGEST = 144  # word pieces of a question and text; longer texts are cut
RANK = 16  # of an adapter, with twice that as its scale
SAVE_STEPS = 50
_MATRICES = ("query_proj", "key_proj", "value_proj", "dense")
Loss = Callable[["torch.Tensor", dict[str, "torch.Tensor"]], "torch.Tensor"]
Pair = tuple[str, str]
Example = tuple[Sequence[Pair], Any]  # pairs of texts, and the target that the loss understands
Row = TypeVar("Row")


def base(labels: int, start: Path | None = None) -> tuple[Any, PreTrainedModel]:
    """Tokenizer and classifier with `labels` outputs on the default embedder's encoder, embeddings frozen.

    `start` is a folder with a model of an earlier round, to go on from. Raises ModelError if it has none.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    place = str(embedder_folder())
    tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
    place = str(start or place)
    with weights.loading("model", place, instead="name the model folder of an earlier round"):
        model = AutoModelForSequenceClassification.from_pretrained(place, num_labels=labels, local_files_only=True)
    for parameter in model.bert.embeddings.parameters():
        parameter.requires_grad_(False)
    return tokenizer, model


def adapted(labels: int, start: Path | None = None) -> tuple[Any, Any]:
    """Tokenizer and classifier with `labels` outputs on the fetched encoder, all but an adapter and the head frozen.

    `start` is a folder with the adapter of an earlier round, to go on from. Raises BadInputError if it has none.
    """
    if start and not (start / "adapter_config.json").is_file():  # peft would ask a hub for it
        raise BadInputError(f"{start} holds no adapter of an earlier round: name its model folder")
    tokenizer, model = _encoder(labels)
    from peft import LoraConfig, PeftModel, get_peft_model

    if start:
        return tokenizer, PeftModel.from_pretrained(model, str(start), is_trainable=True)
    config = LoraConfig(
        task_type="SEQ_CLS",
        r=RANK,
        lora_alpha=2 * RANK,
        lora_dropout=0.05,
        target_modules=list(_MATRICES),
        modules_to_save=["classifier"],
    )
    return tokenizer, get_peft_model(model, config)


def trained(folder: Path, labels: int) -> Any:
    """The fetched encoder with the adapter in `folder`, for packing it."""
    from peft import PeftModel

    return PeftModel.from_pretrained(_encoder(labels)[1], str(folder))


def _encoder(labels: int) -> tuple[Any, Any]:
    import torch
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    place = str(encoder_folder())
    tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(
        place, num_labels=labels, dtype=torch.bfloat16, local_files_only=True
    )
    model.classifier.float()  # new, so trained in full
    return tokenizer, model


def fit(
    model: PreTrainedModel,
    tokenizer: Any,
    examples: Sequence[Example],
    loss: Loss,
    *,
    folder: Path,
    batch: int,
    rate: float,
    seed: int = 0,
    start: Path | None = None,
) -> PreTrainedModel:
    """Train on examples of (text pairs, target) with `loss(logits, batch)`; the model is changed in place.

    All pairs of a batch go through the encoder together, `(pairs, labels)` logits; `batch["sizes"]`
    says how many pairs each example has and `batch["targets"]` holds the targets.
    """
    import torch

    def collate(chosen: list[Example]) -> dict[str, Any]:
        firsts = [first for pairs, _ in chosen for first, _ in pairs]
        seconds = [second for pairs, _ in chosen for _, second in pairs]
        inputs = tokenizer(
            firsts, seconds, truncation="longest_first", max_length=LONGEST, padding=True, return_tensors="pt"
        )
        return {
            **inputs,
            "sizes": torch.tensor([len(pairs) for pairs, _ in chosen]),
            "targets": torch.tensor([target for _, target in chosen]),
        }

    def loss_of(model: Any, inputs: dict[str, Any]) -> torch.Tensor:
        rest = {key: inputs.pop(key) for key in ("sizes", "targets")}
        return loss(model(**inputs).logits.float(), rest)

    ordered = by_length(examples, lambda e: max(len(a) + len(b) for a, b in e[0]), batch=batch, seed=seed)
    learn(
        model,
        ordered,
        collate,
        loss_of,
        folder=folder,
        seed=seed,
        start=start,
        per_device_train_batch_size=batch,
        learning_rate=rate,
        warmup_steps=0.06,
        weight_decay=0.01,
    )
    return model


def learn(
    model: Any,
    rows: Sequence[Row],
    collate: Callable[[list[Row]], dict[str, Any]],
    loss_of: Callable[[Any, dict[str, Any]], torch.Tensor],
    *,
    folder: Path,
    seed: int,
    start: Path | None,
    **arguments: Any,
) -> None:
    """Train once over the rows in the order given, from the last checkpoint in `folder` on.

    `loss_of(model, batch)` is the loss of what `collate` made of some rows; `arguments` are those of transformers'
    TrainingArguments in which models differ. Uses a GPU where there is one, else the processor with bf16.
    """
    import torch
    from transformers import Trainer, TrainingArguments

    class OrderedTrainer(Trainer):  # type: ignore[misc]
        """A Trainer with a loss of its own, over rows in the order given."""

        def _get_train_sampler(self, train_dataset: Any = None) -> Any:
            return torch.utils.data.SequentialSampler(train_dataset)

        def compute_loss(self, model: Any, inputs: dict[str, Any], **_: Any) -> Any:
            return loss_of(model, inputs)

    told = TrainingArguments(
        output_dir=str(folder),
        num_train_epochs=1.0,
        lr_scheduler_type="linear",
        bf16=True,
        use_cpu=not torch.cuda.is_available(),
        logging_steps=10,
        save_steps=SAVE_STEPS,
        save_total_limit=2,
        seed=seed,
        report_to=[],
        remove_unused_columns=False,
        disable_tqdm=True,
        dataloader_num_workers=0,
        **arguments,
    )
    dataset: Any = rows
    trainer = OrderedTrainer(model=model, args=told, train_dataset=dataset, data_collator=collate)
    trainer.train(resume_from_checkpoint=last_checkpoint(folder, rows, start))


def last_checkpoint(folder: Path, examples: Sequence[Any], start: Path | None) -> str | None:
    """Where a run that was killed goes on: the last checkpoint in the folder that was written to its end.

    The folder remembers what it is a run of. Raises BadInputError if that is another, or if there is nothing to learn.
    """
    if not examples:
        raise BadInputError("there is nothing left to learn from beside what is kept for the scores: give more data")
    begun_with = [sha256(path) for path in sorted(start.glob("*.safetensors"))] if start else []
    told = hashlib.sha256(repr((examples, begun_with)).encode()).hexdigest()
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / "run.sha256"
    if kept.exists() and kept.read_text(encoding="ascii") != told:
        raise BadInputError(f"{folder} is of a run with other data, seed or start: name another --out, or delete it")
    kept.write_text(told, encoding="ascii")
    whole = [path for path in folder.glob("checkpoint-*") if (path / "trainer_state.json").exists()]  # written last
    last = max(whole, key=lambda path: int(path.name.removeprefix("checkpoint-")), default=None)
    return str(last) if last else None


def by_length(rows: Sequence[Row], length: Callable[[Row], int], *, batch: int, seed: int) -> list[Row]:
    """The rows in an order in which those of a batch are of like length: little is spent on padding."""
    chance = random.Random(seed)
    batches = []
    for start in range(0, len(rows), 50 * batch):
        part = sorted(rows[start : start + 50 * batch], key=length)
        own = [part[i : i + batch] for i in range(0, len(part), batch)]
        chance.shuffle(own)
        batches += own
    return [row for own in batches for row in own]


def keep(model: PreTrainedModel, tokenizer: Any, scores: dict[str, float], folder: Path) -> None:
    """Write a trained model with its tokenizer into `folder/model`, and its scores beside it."""
    model.save_pretrained(folder / "model")
    tokenizer.save_pretrained(folder / "model")
    (folder / "scores.json").write_text(json.dumps(scores, indent=1), encoding="utf-8")


def score(model: PreTrainedModel, tokenizer: Any, pairs: Sequence[Pair], *, batch: int = 64) -> torch.Tensor:
    """Logits of pairs, `(pairs, labels)` in float32, in order."""
    import torch

    model.eval()
    order = sorted(range(len(pairs)), key=lambda i: len(pairs[i][0]) + len(pairs[i][1]))
    found: list[torch.Tensor] = [torch.empty(0)] * len(pairs)
    for start in range(0, len(order), batch):
        part = order[start : start + batch]
        inputs = tokenizer(
            [pairs[i][0] for i in part],
            [pairs[i][1] for i in part],
            truncation="longest_first",
            max_length=LONGEST,
            padding=True,
            return_tensors="pt",
        ).to(model.device)
        with torch.inference_mode(), torch.autocast(model.device.type, torch.bfloat16):
            logits = model(**inputs).logits.float().cpu()
        for i, row in zip(part, logits, strict=True):
            found[i] = row
    return torch.stack(found)
