"""Question, texts → how likely the question's tokens are after each text, by a language model.

The model reads a text once: its keys and values are kept, so that the next question over the same papers
costs its own few tokens only. A text is read by itself and questions of one call together, so the figures do
not depend on what was read before.

Source: query likelihood, Ponte and Croft, SIGIR 1998; by a language model, Sachan et al., EMNLP 2022.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import torch

ASKS = "Abstract: {}\nQuestion answered by this abstract:"
KEPT_TOKENS = 16_000  # of texts read before: some 60 abstracts, 0.4 GB
_ASKED_TOKENS = 128
_SHOWN_CHARACTERS = 3_000  # longer than nearly every abstract
_BATCH = 8


@runtime_checkable
class QueryLikelihood(Protocol):
    """A language model that tells how likely a question is after a text."""

    def log_likelihood(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """The log-probability of each of the question's tokens after each text, `(texts, tokens)`."""
        ...


@dataclass(frozen=True, slots=True)
class _Read:
    """What the model made of a text but for its `last` token: keys and values `(layers, heads, tokens, width)`."""

    keys: torch.Tensor
    values: torch.Tensor
    last: int

    @property
    def tokens(self) -> int:
        return int(self.keys.shape[2])


class Asker:
    """A causal language model with its tokenizer, and what it made of the texts that it read last."""

    def __init__(self, model: Any, tokenizer: Any, *, kept_tokens: int = KEPT_TOKENS) -> None:
        self._model, self._tokenizer = model, tokenizer
        self._kept_tokens = kept_tokens
        self._read: dict[str, _Read] = {}  # the one used last comes last
        self._busy = threading.Lock()

    def log_likelihood(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """The log-probability of each of the question's tokens after each text, cut if very long, `(texts, tokens)`."""
        asked = self._tokenizer(f" {question}", add_special_tokens=False)["input_ids"][:_ASKED_TOKENS]
        found = np.zeros((len(texts), len(asked)), np.float32)
        with self._busy:
            read = [self._of(text) for text in texts]
            order = sorted(range(len(texts)), key=lambda place: read[place].tokens)
            for start in range(0, len(order), _BATCH):
                places = order[start : start + _BATCH]
                found[places] = self._after([read[place] for place in places], asked)
            self._forget()
        return found

    def _of(self, text: str) -> _Read:
        """The text as read, now or before."""
        import torch

        read = self._read.pop(text, None)
        if read is None:
            shown = shown_tokens(self._tokenizer, text)
            with torch.inference_mode():
                layers = self._model(
                    input_ids=torch.tensor([shown[:-1]], device=self._model.device), use_cache=True, logits_to_keep=1
                ).past_key_values.layers
            keys, values = (torch.stack([getattr(layer, kind)[0] for layer in layers]) for kind in ("keys", "values"))
            read = _Read(keys, values, shown[-1])
        self._read[text] = read
        return read

    def _after(self, read: Sequence[_Read], asked: Sequence[int]) -> NDArray[np.float32]:
        """The log-probability of the tokens after each of some texts, in one batch."""
        import torch
        from transformers import DynamicCache

        device = self._model.device
        most = max(own.tokens for own in read)
        cache = DynamicCache()
        for layer in range(len(read[0].keys)):
            keys, values = (
                torch.stack([torch.nn.functional.pad(of[layer], (0, 0, most - of.shape[2], 0)) for of in kind])
                for kind in ([own.keys for own in read], [own.values for own in read])
            )
            cache.update(keys, values, layer)
        starts = torch.tensor([own.tokens for own in read], device=device)[:, None]
        places = torch.arange(most + len(asked), device=device)[None]
        with torch.inference_mode():
            logits = self._model(
                input_ids=torch.tensor([[own.last, *asked[:-1]] for own in read], device=device),
                attention_mask=(places >= most - starts).long(),
                position_ids=starts + torch.arange(len(asked), device=device),
                past_key_values=cache,
            ).logits.float()
            target = torch.tensor([asked] * len(read), device=device)
            likely = logits.gather(2, target[:, :, None])[:, :, 0] - logits.logsumexp(-1)
        return np.asarray(likely.cpu().numpy(), np.float32)

    def _forget(self) -> None:
        """Drop the texts that were not asked about for longest, down to what may be kept."""
        tokens = sum(own.tokens for own in self._read.values())
        while tokens > self._kept_tokens:
            tokens -= self._read.pop(next(iter(self._read))).tokens


def shown_tokens(tokenizer: Any, text: str) -> list[int]:
    """The tokens that a question follows: the text, cut if it is very long, and that a question is asked of it."""
    return list(tokenizer(ASKS.format(text[:_SHOWN_CHARACTERS]))["input_ids"])  # begun as the model wants it
