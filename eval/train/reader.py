"""Train the reader: question and text → a logit, high when the text answers the question.

The loss is over a question's texts together with "none of them", whose logit is 0 by definition. So
one number ranks texts and, put through `1 / (1 + sum of exp)`, says how likely it is that nothing
answers.

Source: the no-answer option of question answering, Clark and Gardner, ACL 2018.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from eval.train import reader_data, training
from eval.train.reader_data import NONE, Group

if TYPE_CHECKING:
    import torch

HELD_OUT = 300  # groups kept for the scores on the card


def loss(logits: torch.Tensor, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    """Cross-entropy over each group's texts with the fixed logit of "none" in front."""
    import torch

    found = []
    none = torch.zeros(1, device=logits.device)
    for own, target in zip(torch.split(logits[:, 0], batch["sizes"].tolist()), batch["targets"].tolist(), strict=True):
        options = torch.cat([none, own])
        found.append(options.logsumexp(0) - options[target + 1])
    return torch.stack(found).mean()


def train(
    data: Path,
    papers: Path,
    folder: Path,
    *,
    leave_out: frozenset[str],
    seed: int = 0,
    start: Path | None = None,
    questions: Path | None = None,
) -> dict[str, float]:
    """Train, from `start` on where it is given, and save into `folder`; returns the scores on held-out groups.

    `questions` is a file of `eval.train.questions`, then half of what is learnt from. Takes up where it was killed.
    """
    groups = reader_data.build(data, papers, leave_out=leave_out, seed=seed, questions=questions)
    held, rest = groups[:HELD_OUT], groups[HELD_OUT:]
    tokenizer, model = training.base(1, start)
    before = scores(training.score(model, tokenizer, _pairs(held))[:, 0].tolist(), held)
    training.fit(
        model,
        tokenizer,
        [([(g.question, text) for text in g.texts], g.answer) for g in rest],
        loss,
        folder=folder / "checkpoints",
        batch=8,
        rate=5e-5 if start else 8e-5,
        seed=seed,
        start=start,
    )
    found = scores(training.score(model, tokenizer, _pairs(held))[:, 0].tolist(), held)
    found |= {"groups": len(rest), "held_out": len(held)} | {f"untrained_{k}": v for k, v in before.items()}
    training.keep(model, tokenizer, found, folder)
    return found


def scores(logits: Sequence[float], groups: Sequence[Group]) -> dict[str, float]:
    """`first`: share of answerable groups whose answering text ranks first; `auc`: answerable or not by the best."""
    from sklearn.metrics import roc_auc_score

    start = 0
    first: list[bool] = []
    best: list[float] = []
    for group in groups:
        own = logits[start : start + len(group.texts)]
        start += len(group.texts)
        best.append(max(own))
        if group.answer != NONE:
            first.append(own.index(max(own)) == group.answer)
    answerable = [group.answer != NONE for group in groups]
    return {"first": sum(first) / len(first), "auc": float(roc_auc_score(answerable, best))}


def _pairs(groups: Sequence[Group]) -> list[tuple[str, str]]:
    return [(group.question, text) for group in groups for text in group.texts]
