"""Pairs of texts → logits: a sequence classifier with batches by length and a memory.

What the entailer and the reader share. Footnote's own models are stored as what training changed. The entailer
is a low-rank adapter (`rag.models.adapter`) on an encoder that is fetched; the reader is the default embedder's
encoder plus int8 differences with a scale a row, a ninth of the whole in 32 bits. Both load by adding.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.models import adapter, processor, weights
from rag.models.deberta import RelativePositions
from rag.models.embedder import CPU_BATCH_TOKENS, GPU_BATCH_TOKENS, batches
from rag.models.weights import card_of, embedder_folder, encoder_folder

KEPT = 100_000  # pairs remembered
_SCALE = "/scale"
_INSTEAD = "give a hub id or a folder that holds a sequence classifier"

Pair = tuple[str, str]
Logits = NDArray[np.float32]


class CrossEncoder:
    """A sequence classifier over pairs of texts; safe between threads."""

    def __init__(self, model: Any, tokenizer: Any, *, device: str = "", longest: int = 512) -> None:
        self._device = processor.device_of(device)
        dtype = processor.dtype_of(self._device)
        self._model = model.to(device=self._device, dtype=dtype).eval()
        self._positions = RelativePositions(self._model)
        self._tokenizer = tokenizer
        self._longest = longest
        self._budget = CPU_BATCH_TOKENS if self._device == "cpu" else GPU_BATCH_TOKENS
        self._kept: OrderedDict[Pair, Logits] = OrderedDict()
        self._lock = Lock()
        self.labels: dict[int, str] = {int(i): str(label) for i, label in model.config.id2label.items()}

    def logits(self, pairs: Sequence[Pair]) -> Logits:
        """`(pairs, labels)`, in order; pairs seen before are not computed again."""
        with self._lock:
            missing = [pair for pair in dict.fromkeys(pairs) if pair not in self._kept]
            for pair, row in zip(missing, self._computed(missing), strict=True):
                self._kept[pair] = row
            found = [self._kept[pair] for pair in pairs]
            for pair in pairs:
                self._kept.move_to_end(pair)
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return np.stack(found) if found else np.zeros((0, len(self.labels)), np.float32)

    def _computed(self, pairs: Sequence[Pair]) -> list[Logits]:
        import torch

        if not pairs:
            return []
        tokens = self._tokenizer(
            [first for first, _ in pairs],
            [second for _, second in pairs],
            truncation="longest_first",
            max_length=self._longest,
        )
        found: list[Logits] = [np.zeros(0, np.float32)] * len(pairs)
        for batch in batches([len(ids) for ids in tokens["input_ids"]], self._budget):
            model_inputs = self._tokenizer.pad({k: [tokens[k][i] for i in batch] for k in tokens}, return_tensors="pt")
            self._positions.fit(model_inputs["input_ids"].shape[1])
            with torch.inference_mode():
                rows = self._model(**model_inputs.to(self._device)).logits.float().cpu().numpy()
            for index, row in zip(batch, rows, strict=True):
                found[index] = row
        return found


def load(place: Path | str, *, what: str, device: str = "") -> CrossEncoder:
    """A classifier on a hub or in a folder. Raises ModelError, which calls it by `what` it is for."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    processor.quiet()
    local = Path(place).exists()
    with weights.loading(what, str(place), instead=_INSTEAD):
        tokenizer: Any = AutoTokenizer.from_pretrained(str(place), local_files_only=local)
        model, found = AutoModelForSequenceClassification.from_pretrained(
            str(place), local_files_only=local, output_loading_info=True
        )
    head = [key for key in sorted(found["missing_keys"]) if not key.startswith(f"{model.base_model_prefix}.")]
    if head:  # it would be made up of chance
        raise ModelError(f"{what} {str(place)!r} was not trained to judge: {head[0]} is missing; {_INSTEAD}")
    longest = min(int(getattr(model.config, "max_position_embeddings", 512) or 512), 512)
    return CrossEncoder(model, tokenizer, device=device, longest=longest)


def load_trained(name: str, *, device: str = "") -> CrossEncoder:
    """One of Footnote's own models, its file's hash checked. Raises ModelError."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    processor.quiet()
    card, changes = card_of(name), weights.read_packed(name)
    base = str(encoder_folder() if adapter.is_one(changes) else embedder_folder())
    labels = list(card["labels"])
    model: Any = AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(labels), local_files_only=True)
    model.config.id2label = dict(enumerate(labels))
    if adapter.is_one(changes):
        adapter.add(model, changes)
    else:
        _add(model, changes)
    tokenizer: Any = AutoTokenizer.from_pretrained(base, local_files_only=True)
    return CrossEncoder(model, tokenizer, device=device, longest=int(card["longest"]))


def _add(model: Any, changes: Mapping[str, Any]) -> None:
    own = model.state_dict()
    for key, change in changes.items():
        if key.endswith(_SCALE):
            continue
        scale = changes.get(key + _SCALE)
        own[key] = change if scale is None else own[key] + change.float() * scale.float()
    model.load_state_dict(own)


def save_trained(model: Any, name: str, card: dict[str, Any], *, folder: Path) -> Path:
    """Write a model trained on the default embedder's encoder as its differences; returns the file's path.

    `card` must have `labels` and `longest`; the hash is added to it.
    """
    from safetensors.torch import save
    from transformers import AutoModelForSequenceClassification

    base = AutoModelForSequenceClassification.from_pretrained(
        str(embedder_folder()), num_labels=len(card["labels"]), local_files_only=True
    ).state_dict()
    tensors: dict[str, Any] = {}
    for key, value in model.state_dict().items():
        if key.startswith("classifier"):  # made anew: stored whole
            tensors[key] = value.float().contiguous()
        elif value.is_floating_point() and not (change := value.float() - base[key].float()).eq(0).all():
            tensors |= _quantized(key, change)
    return weights.save_packed(save(tensors), name, card, folder)


def _quantized(key: str, change: Any) -> dict[str, Any]:
    import torch

    if change.ndim < 2:
        return {key: change.to(torch.float16), key + _SCALE: torch.ones(1, dtype=torch.float16)}
    scale = (change.abs().amax(1, keepdim=True) / 127).clamp_min(1e-12)
    return {key: (change / scale).round().to(torch.int8).contiguous(), key + _SCALE: scale}
