"""Questions that a language model asks of sentences of papers, for the reader to learn from.

Half are asked as a researcher would, half as a newcomer who knows none of the paper's words: those are
kept from the model while it writes. Every question goes with the sentence that it was asked of.
"""

from __future__ import annotations

import copy
import json
import random
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from eval.train import corpora
from eval.train.corpora import Row
from rag.errors import BadInputError, ModelError
from rag.library.lexical import terms
from rag.models.generator import TransformerGenerator
from rag.text import json_lines

if TYPE_CHECKING:
    import torch

BATCH = 32
_TOKENS = 34
_POOL = 40_000  # papers drawn from
_SAID_OFTEN = 0.04  # a word in more of the papers belongs to nobody
_TELLING = 5  # words of a sentence that few papers have; one with fewer says little
_EMPTY = re.compile(r"http|github|state-of-the-art|propose")
_WORD = re.compile(r"[A-Za-z][A-Za-z'-]+")
SHOWN = (
    (
        "Low-Rank Adapters Remember",
        "We find that models fine-tuned with low-rank adapters forget less of their pretraining knowledge than fully "
        "fine-tuned ones.",
        "Do models tuned with low-rank adapters forget less than fully fine-tuned ones?",
        "If you train just a few small extra pieces of a network, does it keep more of what it knew before?",
    ),
    (
        "Dialect and Toxicity",
        "Human annotators disagree with the automatic toxicity classifier on 38% of posts written in dialect.",
        "On what share of dialect posts do annotators disagree with the toxicity classifier?",
        "How often do people and the machine judge nasty messages differently when folks write as they speak at home?",
    ),
    (
        "Sparse Retrieval for the Tail",
        "A sparse retriever combined with query expansion outperforms dense models on long-tail entities.",
        "What beats dense retrieval on long-tail entities?",
        "For things hardly anybody looks up, does old-fashioned word lookup win once it gets some hints?",
    ),
    (
        "Batch Size Warmup",
        "Increasing the batch size over the course of training reduces wall-clock time without loss of accuracy.",
        "How does a growing batch size affect training time and accuracy?",
        "Can you finish sooner and still be as good by feeding it bigger and bigger helpings as you go?",
    ),
    (
        "OpenGauge",
        "We release the benchmark, all model outputs and the evaluation code to foster reproducible research.",
        "What is released with OpenGauge?",
        "Can anyone get hold of what they made and check it for themselves?",
    ),
)
_ASKS = {
    "plain": "You turn a sentence of a research paper into a short question that the sentence answers, as a researcher "
    "would ask it. Ask for the very thing that the sentence says, and name what you ask about.",
    "other_words": "You turn a sentence of a research paper into a question that the sentence answers, as a newcomer "
    "would ask it in plain everyday words. Ask for the very thing that the sentence says. Use no technical terms and "
    "no names.",
}
KINDS = tuple(_ASKS)


def write(
    model: TransformerGenerator, papers: Path, out: Path, *, most: int, leave_out: frozenset[str], seed: int = 0
) -> int:
    """Write at least `most` questions to `out`, JSON Lines; returns how many it holds.

    A row has title, sentences, sentence, kind, writer and question. A killed run goes on after the last whole
    batch. The file holds sentences of the papers: mind their licence before passing it on. Raises BadInputError.
    """
    pool = corpora.papers(papers, most=_POOL, seed=seed, leave_out=leave_out)
    common = _common(pool)
    jobs = list(_jobs(pool, common, -(-most // BATCH), random.Random(seed)))
    kept = json_lines(out.read_text(encoding="utf-8"))[:-1] if out.exists() else []
    if any(json.loads(line)["writer"] != model.name for line in kept):
        raise BadInputError(f"{out} has questions that another model wrote: name another --out, or delete it")
    done = len(kept) // BATCH
    out.write_text("".join(f"{line}\n" for line in kept[: done * BATCH]), encoding="utf-8")
    with model.undisturbed() as (language_model, tokenizer), out.open("a", encoding="utf-8") as file:
        writers = [_Writer(language_model, tokenizer, kind, common) for kind in KINDS]
        for number in tqdm(range(done, len(jobs)), desc="questions", unit="batch", initial=done, total=len(jobs)):
            writer = writers[number % len(writers)]
            for row, question in zip(jobs[number], writer(jobs[number], seed + number), strict=True):
                file.write(json.dumps({**row, "kind": writer.kind, "writer": model.name, "question": question}) + "\n")
            file.flush()
    return len(jobs) * BATCH


def _common(pool: Sequence[Row]) -> frozenset[str]:
    """The stems that so many papers use that they give none away."""
    sample = pool[:10_000]
    found = Counter(stem for row in sample for stem in set(terms(" ".join(row["sentences"]))))
    return frozenset(stem for stem, papers in found.items() if papers >= _SAID_OFTEN * len(sample))


def _jobs(pool: Sequence[Row], common: frozenset[str], batches: int, chance: random.Random) -> Iterator[list[Row]]:
    """Batches of papers, each with a sentence that says something, of like length within a batch."""
    told = [row for row in pool if _telling(row, common)]
    if not told:
        raise BadInputError("no sentence to ask of: give abstracts of papers, some thousands")
    while batches > 0:
        part = [
            {**row, "sentence": chance.choice(_telling(row, common))}
            for row in chance.choices(told, k=BATCH * min(8, batches))
        ]
        part.sort(key=lambda row: len(row["sentence"]) + len(row["title"]))
        yield from (part[start : start + BATCH] for start in range(0, len(part), BATCH))
        batches -= 8


def _telling(row: Row, common: frozenset[str]) -> list[str]:
    return [
        sentence
        for sentence in row["sentences"]
        if 80 <= len(sentence) <= 260 and not _EMPTY.search(sentence) and len(set(terms(sentence)) - common) >= _TELLING
    ]


class _Writer:
    """Asks one kind of question; what all prompts begin with is read once."""

    def __init__(self, model: Any, tokenizer: Any, kind: str, common: frozenset[str]) -> None:
        import torch

        self.kind = kind
        self._model, self._tokenizer, self._common = model, tokenizer, common
        if not tokenizer.chat_template:
            raise ModelError(
                "what writes questions has to be a chat model, with a chat template: name another with --llm"
            )
        messages = [{"role": "system", "content": _ASKS[kind]}]
        for title, sentence, *questions in SHOWN:
            messages.append({"role": "user", "content": _prompt(title, sentence)})
            messages.append({"role": "assistant", "content": questions[KINDS.index(kind)]})
        messages.append({"role": "user", "content": "\0"})
        chat = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, tokenize=False, enable_thinking=False
        )
        head, self._tail = chat.split("\0")
        self._head = tokenizer(head, return_tensors="pt", add_special_tokens=False).input_ids.to(model.device)
        with torch.inference_mode():
            self._read = model(self._head, use_cache=True, logits_to_keep=1).past_key_values
        ends = {tokenizer.eos_token_id, *(i for i in range(len(tokenizer)) if "\n" in tokenizer.decode([i]))}
        self._ends = sorted(ends)
        self._pieces = _by_stem(tokenizer) if kind == "other_words" else {}

    def __call__(self, rows: Sequence[Row], seed: int) -> list[str]:
        """A question for each row."""
        import torch

        torch.manual_seed(seed)
        tokenizer = self._tokenizer
        tokenizer.padding_side = "left"
        tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
        prompts = [_prompt(row["title"], row["sentence"]) + self._tail for row in rows]
        own = tokenizer(prompts, return_tensors="pt", padding=True, add_special_tokens=False).to(self._model.device)
        head = self._head.expand(len(rows), -1)
        ids = torch.cat([head, own.input_ids], 1)
        read = copy.deepcopy(self._read)
        read.batch_repeat_interleave(len(rows))
        with torch.inference_mode():
            written = self._model.generate(
                input_ids=ids,
                attention_mask=torch.cat([torch.ones_like(head), own.attention_mask], 1),
                past_key_values=read,
                max_new_tokens=_TOKENS,
                do_sample=True,
                temperature=0.8,
                top_p=0.95,
                pad_token_id=tokenizer.pad_token_id,
                eos_token_id=self._ends,
                logits_processor=[_kept_from([self._kept(row) for row in rows])] if self._pieces else [],
            )
        return [text.strip() for text in tokenizer.batch_decode(written[:, ids.shape[1] :], skip_special_tokens=True)]

    def _kept(self, row: Row) -> list[int]:
        """The tokens with which the paper's own words are written or begin."""
        found: set[int] = set()
        for word in _WORD.findall(f"{row['title']} {row['sentence']}"):
            stems = terms(word)
            if not stems or (stems[0] in self._common and word[1:].islower()):
                continue
            found.update(self._pieces.get(stems[0], ()))
            for form in (word, word.lower(), word.capitalize()):
                for first in (
                    self._tokenizer(lead + form, add_special_tokens=False).input_ids[0] for lead in (" ", "")
                ):
                    if len(self._tokenizer.decode([first]).strip()) > 2:
                        found.add(first)
        return sorted(found)


def _prompt(title: str, sentence: str) -> str:
    return f"Title: {title[:150]}\nSentence: {sentence}"


def _by_stem(tokenizer: Any) -> Mapping[str, list[int]]:
    """The tokens that are a whole word, or may be, by its stem."""
    found: dict[str, list[int]] = {}
    for token in range(len(tokenizer)):
        text = tokenizer.decode([token]).strip()
        if len(text) > 1 and text.isascii() and text.isalpha() and (stems := terms(text)):
            found.setdefault(stems[0], []).append(token)
    return found


def _kept_from(rows: Sequence[Sequence[int]]) -> Any:
    """A logits processor that gives each row's tokens no chance."""
    import torch
    from transformers import LogitsProcessor

    kept = [torch.tensor(row, dtype=torch.long) for row in rows]

    class _Kept(LogitsProcessor):  # type: ignore[misc]
        def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
            for place, tokens in enumerate(kept):
                scores[place, tokens.to(scores.device)] = -torch.inf
            return scores

    return _Kept()
