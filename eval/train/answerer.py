"""Train the answerer: question and numbered evidence → a short cited answer, or that there is none.

LoRA on the default generator; the loss is over the words of the answer
only. What is kept is the adapter. A killed run goes on from its last checkpoint.

Source: Hu et al., LoRA, ICLR 2022.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eval.train import answerer_data, training
from eval.train.answerer_data import Example
from rag.answer import DECLINES, SYSTEM_TRAINED
from rag.cite import read_draft
from rag.models import weights
from rag.models.weights import generator_folder

HELD_OUT = 100  # examples kept for the scores on the card
RANK = 16
FROM_LAYER = 15  # of 30: half the time of a backward pass, and 5 MB in bf16
SCALE = 2.0  # alpha / rank
LAYERS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
BATCH = 8
RATE = 8e-4
LONGEST = 384  # tokens of prompt and answer; longer examples are left out
IGNORED = -100  # label of a token that no loss is taken of


def train(
    data: Path,
    papers: Path,
    folder: Path,
    *,
    leave_out: frozenset[str],
    seed: int = 0,
    start: Path | None = None,
    steps: int = -1,
) -> dict[str, float]:
    """Train and save into `folder/model`; returns the scores on held-out examples.

    `start` is a folder with a generator to train instead of the default one; `steps` ends the training
    early. Takes up where it was killed.
    """
    examples = answerer_data.build(data, papers, leave_out=leave_out, seed=seed)
    held, rest = examples[:HELD_OUT], examples[HELD_OUT:]
    tokenizer, model = base(start)
    rows = [row for example in rest if len((row := encoded(example, tokenizer))["input_ids"]) <= LONGEST]
    fit(model, tokenizer, rows, folder=folder / "checkpoints", seed=seed, steps=steps, start=start)
    model.save_pretrained(folder / "model")
    found = scores([written(model, tokenizer, example) for example in held], held)
    found |= {"examples": len(rows), "held_out": len(held)}
    (folder / "scores.json").write_text(json.dumps(found, indent=1), encoding="utf-8")
    return found


def base(start: Path | None = None, *, from_layer: int = FROM_LAYER) -> tuple[Any, Any]:
    """Tokenizer and generator with a fresh adapter on its upper layers, all else frozen.

    Raises ModelError if `start` holds no generator.
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    place = str(start or generator_folder())
    with weights.loading("generator", place, instead="name the folder of a whole one; what training left is none"):
        tokenizer = AutoTokenizer.from_pretrained(place, local_files_only=True)
        model = AutoModelForCausalLM.from_pretrained(
            place,
            dtype=torch.bfloat16,
            attn_implementation="eager",  # the fused one is slower backwards on a processor
            local_files_only=True,
        )
    layers = int(model.config.num_hidden_layers)
    config = LoraConfig(
        r=RANK,
        lora_alpha=int(SCALE * RANK),
        lora_dropout=0.0,
        target_modules=list(LAYERS),
        layers_to_transform=list(range(min(from_layer, layers // 2), layers)),
        task_type="CAUSAL_LM",
    )
    return tokenizer, get_peft_model(model, config)


def trained(adapter: Path, start: Path | None = None) -> Any:
    """The generator with the adapter that `train` saved."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model = AutoModelForCausalLM.from_pretrained(str(start or generator_folder()), local_files_only=True)
    return PeftModel.from_pretrained(model, str(adapter))


def encoded(example: Example, tokenizer: Any) -> dict[str, list[int]]:
    """`input_ids`, and `labels` that leave the prompt out."""
    asked = tokenizer(rendered(example, tokenizer), add_special_tokens=False)["input_ids"]
    answer = tokenizer(example.answer, add_special_tokens=False)["input_ids"] + [tokenizer.eos_token_id]
    return {"input_ids": asked + answer, "labels": [IGNORED] * len(asked) + answer}


def rendered(example: Example, tokenizer: Any) -> str:
    """The text that the model goes on from, as the product renders it."""
    messages = [{"role": "system", "content": SYSTEM_TRAINED}, {"role": "user", "content": example.prompt}]
    if not tokenizer.chat_template:
        return f"{SYSTEM_TRAINED}\n\n{example.prompt}\n"
    return str(tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))


def fit(
    model: Any,
    tokenizer: Any,
    rows: Sequence[dict[str, list[int]]],
    *,
    folder: Path,
    seed: int,
    steps: int = -1,
    rate: float = RATE,
    start: Path | None = None,
) -> None:
    """Train in place; the loss looks at the vocabulary only where an answer is."""
    import torch

    def collate(chosen: list[dict[str, list[int]]]) -> dict[str, Any]:
        longest = max(len(row["input_ids"]) for row in chosen)

        def padded(name: str, filler: int) -> Any:
            return torch.tensor([row[name] + [filler] * (longest - len(row[name])) for row in chosen])

        mask = [[1] * len(row["input_ids"]) + [0] * (longest - len(row["input_ids"])) for row in chosen]
        return {
            "input_ids": padded("input_ids", tokenizer.eos_token_id),
            "labels": padded("labels", IGNORED),
            "attention_mask": torch.tensor(mask),
        }

    def loss_of(_: Any, inputs: dict[str, Any]) -> torch.Tensor:
        whole = model.get_base_model()
        hidden = whole.model(input_ids=inputs["input_ids"], attention_mask=inputs["attention_mask"])[0]
        labels = inputs["labels"][:, 1:]
        logits = whole.lm_head(hidden[:, :-1][labels != IGNORED])
        return torch.nn.functional.cross_entropy(logits.float(), labels[labels != IGNORED])

    training.learn(
        model,
        training.by_length(rows, lambda row: len(row["input_ids"]), batch=BATCH, seed=seed),
        collate,
        loss_of,
        folder=folder,
        seed=seed,
        start=start,
        per_device_train_batch_size=BATCH,
        learning_rate=rate,
        warmup_steps=0.05,
        weight_decay=0.0,
        max_steps=steps,
    )


def written(model: Any, tokenizer: Any, example: Example, *, most: int = 96) -> str:
    """What the model writes, greedily."""
    import torch

    model.eval()
    inputs = tokenizer(rendered(example, tokenizer), add_special_tokens=False, return_tensors="pt").to(model.device)
    with torch.inference_mode(), torch.autocast(model.device.type, torch.bfloat16):
        out = model.generate(**inputs, max_new_tokens=most, do_sample=False, pad_token_id=tokenizer.eos_token_id)
    return str(tokenizer.decode(out[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)).strip()


def scores(drafts: Sequence[str], examples: Sequence[Example]) -> dict[str, float]:
    """Shares of drafts: `declined` of those to be declined, `answered` of the rest.

    Of those that should be and were answered: `exact`, and with the right first `marker`.
    """
    found: dict[str, list[bool]] = {"declined": [], "answered": [], "exact": [], "marker": []}
    for draft, example in zip(drafts, examples, strict=True):
        declines = draft.startswith(DECLINES)
        if example.answer == DECLINES:
            found["declined"].append(declines)
            continue
        found["answered"].append(not declines)
        if not declines:
            found["exact"].append(draft == example.answer)
            found["marker"].append(_first(draft, example) == _first(example.answer, example))
    return {name: sum(own) / len(own) for name, own in found.items() if own}


def _first(text: str, example: Example) -> tuple[int, ...]:
    sentences = read_draft(text, shown=len(example.evidence))
    return sentences[0].cited if sentences else ()
