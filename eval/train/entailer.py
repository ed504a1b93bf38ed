"""Train the entailer: evidence and claim → supported, contradicted or not enough info.

A low-rank adapter on an encoder that knows a contradiction already, because inference was its last training: few
pairs teach it our three labels and our domain. Plain cross-entropy, with a little smoothing because the pairs are
partly made by rule. Calibrated afterwards by one temperature on held-out pairs.

Source: temperature scaling, Guo et al., ICML 2017.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.train import entailer_data, training
from eval.train.entailer_data import LABELS, Example

if TYPE_CHECKING:
    import torch

HELD_OUT = 1_500  # pairs kept for the scores on the card and for the temperature
MOST = 4_800  # pairs learnt from: from more of those made by rule, it learns the rules
SMOOTHING = 0.05
RATE = 2e-4


def loss(logits: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Cross-entropy; each example is one pair."""
    from torch.nn.functional import cross_entropy

    return cross_entropy(logits, batch["targets"], label_smoothing=SMOOTHING)


def train(
    data: Path, papers: Path, folder: Path, *, leave_out: frozenset[str], seed: int = 0, start: Path | None = None
) -> dict[str, float]:
    """Train, from `start` on where it is given, and save into `folder`; returns the scores on held-out pairs.

    Takes up where it was killed.
    """
    examples = entailer_data.build(data, papers, leave_out=leave_out, seed=seed)
    held, rest = examples[:HELD_OUT], examples[HELD_OUT : HELD_OUT + MOST]
    tokenizer, model = training.adapted(len(LABELS), start)
    training.fit(
        model,
        tokenizer,
        [([(e.evidence, e.claim)], e.label) for e in rest],
        loss,
        folder=folder / "checkpoints",
        batch=32,
        rate=RATE,
        seed=seed,
        start=start,
    )
    logits = training.score(model, tokenizer, [(e.evidence, e.claim) for e in held])
    scale = temperature(logits, [e.label for e in held])
    head = model.base_model.model.classifier.modules_to_save["default"]
    head.weight.data /= scale
    head.bias.data /= scale
    found = {**scores(logits, held), "temperature": scale, "pairs": len(rest), "held_out": len(held)}
    training.keep(model, tokenizer, found, folder)
    return found


def temperature(logits: torch.Tensor, labels: Sequence[int]) -> float:
    """The divisor of the logits at which held-out labels are likeliest, to a twentieth."""
    import torch
    from torch.nn.functional import cross_entropy

    options = [step / 20 for step in range(8, 61)]
    target = torch.tensor(labels)
    return min(options, key=lambda scale: float(cross_entropy(logits / scale, target)))


def scores(logits: torch.Tensor, examples: Sequence[Example]) -> dict[str, float]:
    """Accuracy, and ROC AUC of supported against the rest, in all and for pairs from papers."""
    from sklearn.metrics import roc_auc_score

    shares = logits.softmax(-1)
    right = (shares.argmax(-1).tolist()[i] == e.label for i, e in enumerate(examples))
    supported = shares[:, 0].tolist()
    own = [i for i, e in enumerate(examples) if not e.kind.startswith("nli_")]
    return {
        "accuracy": sum(right) / len(examples),
        "auc": float(roc_auc_score([e.label == 0 for e in examples], supported)),
        "auc_papers": float(roc_auc_score([examples[i].label == 0 for i in own], [supported[i] for i in own])),
    }
