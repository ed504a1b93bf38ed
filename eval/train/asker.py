"""Train the asker: abstract → how likely a question is about it, also one in other words than its own.

LoRA on the default generator, as for the answerer; the loss is over the words of the question only, so
that the trained model's likelihood of a question ranks abstracts (`rag.retrieve.by_likelihood`).

Source: query generation as a ranker, Sachan et al., EMNLP 2022.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval.train import answerer
from eval.train.corpora import Row
from eval.train.reader_data import neighbours_of, written
from rag.errors import BadInputError
from rag.models.asker import Asker, shown_tokens
from rag.models.reader import titled

HELD_OUT = 40  # questions kept for the scores on the card
FROM_LAYER = 10  # of 30
RATE = 3e-4
_NEAR = 3  # abstracts that a held-out question's own has to be told from


def train(
    questions: Path, folder: Path, *, leave_out: frozenset[str], seed: int = 0, start: Path | None = None
) -> dict[str, float]:
    """Train on a file of `eval.train.questions` and save into `folder/model`; returns the scores on held-out ones.

    No paper of a held-out question is trained on. `start` is a folder with a generator to train instead of the
    default one. Takes up where it was killed.
    """
    rows = written(questions, leave_out)
    random.Random(seed).shuffle(rows)
    held = [row for row in rows if row["kind"] == "other_words"][:HELD_OUT]
    apart = {row["title"] for row in held}
    if len(apart) < 2:
        raise BadInputError(
            f"{questions} has no questions in other words about two papers, which the scores are made of: write more"
        )
    tokenizer, model = answerer.base(start, from_layer=FROM_LAYER)
    examples = [encoded(row, tokenizer) for row in rows if row["title"] not in apart]
    before = scores(model, tokenizer, held)
    answerer.fit(model, tokenizer, examples, folder=folder / "checkpoints", seed=seed, rate=RATE, start=start)
    model.save_pretrained(folder / "model")
    found = scores(model, tokenizer, held) | {f"untrained_{name}": value for name, value in before.items()}
    found |= {"questions": len(examples), "held_out": len(held)}
    (folder / "scores.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def encoded(row: Row, tokenizer: Any) -> dict[str, list[int]]:
    """`input_ids`, and `labels` that leave the abstract out, which is cut to fit."""
    question = tokenizer(f" {row['question']}", add_special_tokens=False)["input_ids"]
    shown = shown_tokens(tokenizer, _abstract(row))[-(answerer.LONGEST - len(question)) :]
    return {"input_ids": shown + question, "labels": [answerer.IGNORED] * len(shown) + question}


def scores(model: Any, tokenizer: Any, held: Sequence[Row]) -> dict[str, float]:
    """`first`: share of questions most likely after their own abstract, of `1 + _NEAR` alike; `log_likelihood`."""
    model.eval()
    texts = [_abstract(row) for row in held]
    first, likely = [], []
    asker = Asker(model, tokenizer)
    for row, text, near in zip(held, texts, neighbours_of(texts, _NEAR), strict=True):
        found = asker.log_likelihood(row["question"], [text, *(texts[other] for other in near)]).mean(axis=1)
        first.append(bool(found[0] > found[1:].max()))
        likely.append(float(found[0]))
    return {"first": sum(first) / len(held), "log_likelihood": sum(likely) / len(held)}


def _abstract(row: Row) -> str:
    return titled(row["title"], " ".join(row["sentences"]))
