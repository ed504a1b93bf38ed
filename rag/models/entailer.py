"""The judge: anything that says how far a text carries a claim, and NLI models that do.

A cross-encoder of the hub or a local folder is told by its labels: three (entailment, neutral,
contradiction, in whatever order and spelling), two (supported or not, as MiniCheck has them) or one, the
log odds of support.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.models.cross_encoder import CrossEncoder, load, load_trained
from rag.models.weights import calibrated

OWN = "footnote-entailer"
_TINY = 1e-3

_KINDS = {
    "supported": ("entail", "support", "consistent", "true"),
    "contradicted": ("contradict", "refute", "false"),
    "not_enough_info": ("neutral", "nei", "enough"),
}
_NEGATED = re.compile(r"(?:^|_)(?:no[nt]?|un|in|dis)_?(?:entail|support|consist|true|contradict|refut)")


@dataclass(frozen=True, slots=True)
class Entailment:
    """Probabilities that a premise supports, contradicts or does not settle a hypothesis; they sum to 1."""

    supported: float
    contradicted: float
    not_enough_info: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """Logistic weights that make a model's three probabilities fit claims that were kept from it.

    A model of this size tells a contradiction more surely than a paraphrase, so both count: the log odds of
    support are `bias + support * log odds(supported) + contradiction * log(contradicted)`. They are fitted by
    `eval.train.calibration` on claims about papers and, at a quarter of the weight, on the faithful ones among
    them beside sentences that do not say them; without these, text about something else, which contradicts
    nothing, would pass.
    """

    bias: float
    support: float
    contradiction: float

    def of(self, raw: Entailment) -> Entailment:
        """The calibrated probabilities; what is not support is shared out as the model did."""
        support, contradiction = signs(raw)
        log_odds = self.bias + self.support * support + self.contradiction * contradiction
        supported = 1 / (1 + math.exp(-log_odds))
        contradicted = (1 - supported) * raw.contradicted / max(_TINY, raw.contradicted + raw.not_enough_info)
        return Entailment(supported, contradicted, 1 - supported - contradicted)


def signs(raw: Entailment) -> tuple[float, float]:
    """What a calibration weighs: the log odds of support, and the log of contradiction."""
    odds = (raw.supported + _TINY) / (1 - raw.supported + _TINY)
    return math.log(odds), math.log(raw.contradicted + _TINY)


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
    """A sequence classifier over (premise, hypothesis) pairs."""

    def __init__(self, encoder: CrossEncoder, name: str, *, calibration: Calibration | None = None) -> None:
        self.name = name
        self._encoder = encoder
        self._calibration = calibration
        self._roles = roles_of(self._encoder.labels, name)

    def entail(self, pairs: Sequence[tuple[str, str]]) -> list[Entailment]:
        """Judge pairs in one batch; those judged before are remembered."""
        found = self.uncalibrated(pairs)
        return [self._calibration.of(raw) for raw in found] if self._calibration else found

    def uncalibrated(self, pairs: Sequence[tuple[str, str]]) -> list[Entailment]:
        """The same as the model was trained: what constants are fitted on."""
        return [self._entailment(row) for row in self._encoder.logits(pairs)]

    def _entailment(self, logits: NDArray[np.float32]) -> Entailment:
        if len(logits) == 1:
            logits = np.append(logits, np.float32(0))  # the other side of its odds
        shares = np.exp(logits - logits.max())
        parts = dict.fromkeys(_KINDS, 0.0)
        for index, share in enumerate((shares / shares.sum()).tolist()):
            parts[self._roles.get(index, "not_enough_info")] += share
        return Entailment(**parts)


def roles_of(labels: Mapping[int, str], name: str) -> dict[int, str]:
    """Which label says what; two labels without names are (unsupported, supported). Raises ModelError."""
    if len(labels) == 2 and all(label.startswith("LABEL_") for label in labels.values()):
        return {0: "not_enough_info", 1: "supported"}
    roles = {}
    for index, label in labels.items():
        text = label.lower().replace(" ", "_").replace("-", "_")
        found = [kind for kind, words in _KINDS.items() if any(word in text for word in words)]
        if _NEGATED.search(text):
            found = ["not_enough_info"]
        if not found:
            raise ModelError(f"entailer {name!r} has a label {label!r} that does not say what it means")
        roles[index] = found[0]
    if "supported" not in roles.values() or len({*roles.values()}) < min(2, len(labels)):
        raise ModelError(f"entailer {name!r} does not tell what is supported from what is not: {[*labels.values()]}")
    return roles


def load_entailer(setting: str, *, device: str = "") -> NliEntailer:
    """Footnote's own entailer, or the NLI model of that hub id or folder. Raises ModelError."""
    if setting == OWN:
        fitted = calibrated("entailer")
        calibration = Calibration(fitted["bias"], fitted["support"], fitted["contradiction"])
        return NliEntailer(load_trained("entailer", device=device), OWN, calibration=calibration)
    return NliEntailer(load(setting, what="entailer", device=device), setting)
