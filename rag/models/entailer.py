"""The judge: anything that says how far a text carries a claim, and NLI models that do.

A cross-encoder of the hub or a local folder is told by its labels: three (entailment, neutral,
contradiction, in whatever order and spelling) or two (supported or not, as MiniCheck has them).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from rag.errors import ModelError
from rag.models import processor

_KINDS = {
    "supported": ("entail", "support", "consistent", "true"),
    "contradicted": ("contradict", "refute", "false"),
    "not_enough_info": ("neutral", "nei", "enough", "unsupported", "not_entail", "inconsistent"),
}


@dataclass(frozen=True, slots=True)
class Entailment:
    """Probabilities that a premise supports, contradicts or does not settle a hypothesis; they sum to 1."""

    supported: float
    contradicted: float
    not_enough_info: float


class Entailer(Protocol):
    """A judge of (premise, hypothesis) pairs."""

    @property
    def name(self) -> str:
        """What answers say about who judged."""
        ...

    def entail(self, pairs: Sequence[tuple[str, str]]) -> list[Entailment]:
        """Judge pairs in one batch, in order."""
        ...


class NliEntailer:
    """A sequence classifier over (premise, hypothesis) pairs, with a cache."""

    def __init__(self, place: Path | str, name: str, *, device: str = "") -> None:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        processor.quiet()
        self.name = name
        self._device = processor.device_of(device)
        local = Path(place).exists()
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(str(place), local_files_only=local)
            model: Any = AutoModelForSequenceClassification.from_pretrained(str(place), local_files_only=local)
        except (OSError, ValueError) as error:
            raise ModelError(
                f"entailer {name!r} cannot be loaded: {str(error).splitlines()[0]}; give a hub id or a folder "
                "that holds an NLI classifier"
            ) from error
        self._model = model.to(self._device).eval()
        self._roles = roles_of({int(i): str(label) for i, label in model.config.id2label.items()}, name)
        self._judge = lru_cache(maxsize=50_000)(self._judge_one)

    def entail(self, pairs: Sequence[tuple[str, str]]) -> list[Entailment]:
        """Judge pairs; those judged before are remembered."""
        return [self._judge(premise, hypothesis) for premise, hypothesis in pairs]

    def _judge_one(self, premise: str, hypothesis: str) -> Entailment:
        import torch

        inputs = self._tokenizer(premise, hypothesis, truncation="only_first", max_length=512, return_tensors="pt")
        with torch.inference_mode():
            shares = self._model(**inputs.to(self._device)).logits.float().softmax(-1)[0].tolist()
        parts = dict.fromkeys(_KINDS, 0.0)
        for index, share in enumerate(shares):
            parts[self._roles[index]] += share
        return Entailment(**parts)


def roles_of(labels: Mapping[int, str], name: str) -> dict[int, str]:
    """Which label says what; two labels without names are (unsupported, supported). Raises ModelError."""
    if len(labels) == 2 and all(label.startswith("LABEL_") for label in labels.values()):
        return {0: "not_enough_info", 1: "supported"}
    roles = {}
    for index, label in labels.items():
        text = label.lower().replace(" ", "_").replace("-", "_")
        negated = text.startswith(("not_entail", "unsupport", "inconsist", "not_support", "non_"))
        found = [kind for kind, words in _KINDS.items() if any(word in text for word in words)]
        if negated:
            found = ["not_enough_info"]
        if not found:
            raise ModelError(f"entailer {name!r} has a label {label!r} that does not say what it means")
        roles[index] = found[0]
    return roles
