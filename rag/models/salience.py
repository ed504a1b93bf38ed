"""How much each token of a text did for the likelihood of the text's end, by gradients of the model.

One forward pass gives the log-likelihood of the target's tokens, one backward pass its gradient at the
input embeddings; a token's salience is the L2 norm of its gradient. Tokens with their places in the
text come out; words and sentences are left to `rag.salience`.

Source: Grad L2 as in Li et al. 2016, arXiv:1506.01066; over a whole generated sequence as in Sequence
Salience, Tenney et al. 2024, arXiv:2404.07498. On claims of eval/data/claims-dev.jsonl that hold (80, drawn at
random), the most salient sentence of the abstract was a marked one in 79 % with Grad L2 summed over tokens,
78 % with absolute and 14 % with signed gradient x input, whose signs cancel out.
"""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rag.errors import BadInputError, ModelError
from rag.models.generator import Generator, TransformerGenerator


@dataclass(frozen=True, slots=True)
class TokenSalience:
    """A token of the text, `text[start:end]`, which may begin with white space; 0 or more is its salience."""

    start: int
    end: int
    score: float


@dataclass(frozen=True, slots=True)
class Trace:
    """What a model made of a prompt and the target behind it.

    `tokens` covers `text`, the rendered prompt and the target; it is empty where no gradient was asked
    for. `log_likelihoods` has a natural logarithm for each token of the target.
    """

    text: str
    target_start: int
    tokens: tuple[TokenSalience, ...]
    log_likelihoods: tuple[float, ...]


def trace(generator: Generator, system: str, prompt: str, target: str) -> Trace:
    """The likelihood of `target` as the answer to `prompt`, and the salience of every token for it.

    Raises ModelError for a model without gradients or whose tokenizer does not tell where its tokens are,
    BadInputError for a text that exceeds its context.
    """
    return _traced(generator, system, prompt, target, gradients=True)


def log_likelihoods(generator: Generator, system: str, prompt: str, target: str) -> tuple[float, ...]:
    """The log-likelihood of each token of `target` as the answer to `prompt`; raises as `trace` does."""
    return _traced(generator, system, prompt, target, gradients=False).log_likelihoods


def _traced(generator: Generator, system: str, prompt: str, target: str, *, gradients: bool) -> Trace:
    import torch

    if not isinstance(generator, TransformerGenerator):
        raise ModelError(
            f"generator {generator.name!r} gives no gradients, which salience is made of; "
            "name a model that runs here with --llm, and leave out --llm-url"
        )
    before = generator.rendered(system, prompt)
    text = before + target
    with generator.undisturbed() as (model, tokenizer):
        ids, offsets = _tokens(tokenizer, text, generator.name)
        if len(ids) > generator.context_window:
            raise BadInputError(
                f"claim and evidence have {len(ids):,} tokens, but {generator.name!r} reads "
                f"{generator.context_window:,}: give fewer sentences"
            )
        first = next((i for i, (_, end) in enumerate(offsets) if end > len(before)), len(ids))
        row = torch.tensor([ids], device=model.device)
        with torch.set_grad_enabled(gradients):
            likelihoods, embeddings = _forward(model, row, first)
            scores = _norms(likelihoods.sum(), embeddings, generator.name) if gradients else []
    placed = [(a, b, score) for (a, b), score in zip(offsets, scores, strict=False) if a < b]
    return Trace(text, len(before), tuple(TokenSalience(*token) for token in placed), tuple(likelihoods.tolist()))


def _tokens(tokenizer: Any, text: str, name: str) -> tuple[list[int], list[tuple[int, int]]]:
    """Ids and character spans, special tokens at the end left out: the target ends the text."""
    if not tokenizer.is_fast:
        raise ModelError(
            f"the tokenizer of {name!r} does not tell where its tokens are in the text; "
            "use a model with a fast tokenizer (tokenizer.json)"
        )
    found = tokenizer(text, return_offsets_mapping=True, add_special_tokens=not tokenizer.chat_template, verbose=False)
    offsets = [(int(a), int(b)) for a, b in found["offset_mapping"]]
    last = max((i for i, (_, end) in enumerate(offsets) if end == len(text)), default=len(offsets) - 1)
    return list(found["input_ids"][: last + 1]), offsets[: last + 1]


def _forward(model: Any, row: Any, first: int) -> tuple[Any, Any]:
    """Log-likelihoods `(n,)` of the tokens from `first` on, and the embeddings that they came from.

    A hook takes the embeddings rather than handing them in: some models scale them, or look up more by id.
    """
    caught: list[Any] = []

    def catch(_module: Any, _inputs: Any, output: Any) -> Any:
        caught.append(output.detach().requires_grad_())
        return caught[-1]

    count = row.shape[1] - first
    options = {"logits_to_keep": count + 1} if "logits_to_keep" in inspect.signature(model.forward).parameters else {}
    hook = model.get_input_embeddings().register_forward_hook(catch)
    try:
        logits = model(input_ids=row, use_cache=False, **options).logits[0, -count - 1 : -1].float()
    finally:
        hook.remove()
    return logits.log_softmax(-1).gather(1, row[0, first:, None])[:, 0], caught[0]


def _norms(log_likelihood: Any, embeddings: Any, name: str) -> Sequence[float]:
    import torch

    (gradient,) = torch.autograd.grad(log_likelihood, [embeddings], allow_unused=True)
    if gradient is None:
        raise ModelError(f"generator {name!r} gives no gradients at its embeddings; name another with --llm")
    return [float(norm) for norm in gradient[0].float().norm(dim=-1)]
