"""Prompt → text, streamed, from an open-weight model in this process.

`Generator` is what the pipeline needs. A llama-index `LLM` becomes one, and the other way round, in
`rag.llamaindex`.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.models import processor
from rag.models.adapter import add

LOOKUP_TOKENS = 3  # prompt lookup: grounded answers copy their evidence, 35 → 50 tokens/s here
ASKS = "Abstract: {}\nQuestion answered by this abstract:"
_ASKED_TOKENS = 128
_SHOWN_CHARACTERS = 3_000  # longer than nearly every abstract
_WAIT_S = 120.0  # a model that gives no token for so long is taken for dead


class Generator(Protocol):
    """What the pipeline needs of a generator."""

    @property
    def name(self) -> str:
        """What answers say about who wrote."""
        ...

    def stream(self, system: str, prompt: str, *, max_new_tokens: int) -> Iterator[str]:
        """Generate an answer to `prompt` in pieces; closing the iterator stops the model."""
        ...


@runtime_checkable
class QueryLikelihood(Protocol):
    """A language model that tells how likely a question is after a text."""

    def likelihood(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """The mean log-probability of the question's tokens after each text, `(texts,)`."""
        ...


class TransformerGenerator:
    """A causal language model with a chat template, greedy, one generation at a time."""

    def __init__(
        self,
        place: Path | str,
        name: str,
        *,
        gguf: str | None = None,
        adapter: Mapping[str, Any] | None = None,
        device: str = "",
    ) -> None:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer

        processor.quiet()
        self.name = name
        self._torch = torch
        self._busy = threading.Lock()
        self._device = processor.device_of(device)
        options: dict[str, Any] = {"local_files_only": Path(place).exists()}  # nobody is asked about what lies here
        if gguf:
            options["gguf_file"] = gguf
        try:
            self._tokenizer: Any = AutoTokenizer.from_pretrained(str(place), **options)
            dtype = processor.dtype_of(self._device)
            model: Any = AutoModelForCausalLM.from_pretrained(str(place), dtype=dtype, **options)
        except (OSError, ValueError, ImportError) as error:
            raise ModelError(
                f"generator {name!r} cannot be loaded: {str(error).splitlines()[0]}; give a hub id, a folder "
                "or a GGUF file, or a server with --llm-url"
            ) from error
        if adapter:
            add(model, adapter)
        self._model = model.to(self._device).eval()
        self.context_window = int(getattr(model.config, "max_position_embeddings", 2048))

    def stream(self, system: str, prompt: str, *, max_new_tokens: int) -> Iterator[str]:
        """Generate in pieces; the prompt is cut from its front when it exceeds the context."""
        from transformers import StoppingCriteriaList, TextIteratorStreamer

        inputs = self._inputs(system, prompt, max_new_tokens)
        streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, timeout=_WAIT_S, skip_special_tokens=True)
        stop = threading.Event()
        failures: list[BaseException] = []

        def generate() -> None:
            try:
                with self._torch.inference_mode():
                    self._model.generate(
                        **inputs,
                        max_new_tokens=max_new_tokens,
                        do_sample=False,
                        prompt_lookup_num_tokens=LOOKUP_TOKENS,
                        streamer=streamer,
                        stopping_criteria=StoppingCriteriaList([_stopper(stop)]),
                    )
            except Exception as error:  # handed over to the consumer, which is in another thread
                failures.append(error)
                streamer.end()

        with self._busy:
            worker = threading.Thread(target=generate, name="generator", daemon=True)
            worker.start()
            try:
                for piece in streamer:
                    if piece:
                        yield piece
            finally:
                stop.set()
                worker.join()
        if failures:
            raise ModelError(f"generator {self.name!r} failed: {failures[0]}") from failures[0]

    def likelihood(self, question: str, texts: Sequence[str]) -> NDArray[np.float32]:
        """The mean log-probability of the question's tokens after each text, in one batch; texts are cut to fit."""
        with self._busy:
            return log_likelihood(self._model, self._tokenizer, question, texts, longest=self.context_window)

    def rendered(self, system: str, prompt: str) -> str:
        """The text that the model goes on from: the messages in its chat template, if it has one."""
        if not self._tokenizer.chat_template:
            return f"{system}\n\n{prompt}\n"
        messages = [{"role": "system", "content": system}, {"role": "user", "content": prompt}]
        return str(self._tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=False))

    @contextmanager
    def undisturbed(self) -> Iterator[tuple[Any, Any]]:
        """The model and its tokenizer, with no generation going on meanwhile."""
        with self._busy:
            yield self._model, self._tokenizer

    def _inputs(self, system: str, prompt: str, max_new_tokens: int) -> Any:
        text = self.rendered(system, prompt)
        inputs = self._tokenizer(text, return_tensors="pt", add_special_tokens=not self._tokenizer.chat_template)
        room = max(1, self.context_window - max_new_tokens)
        return {
            key: value[:, -room:].to(self._device)
            for key, value in inputs.items()
            if key in {"input_ids", "attention_mask"}
        }


def log_likelihood(
    model: Any, tokenizer: Any, question: str, texts: Sequence[str], *, longest: int = 2048
) -> NDArray[np.float32]:
    """The mean log-probability of the question's tokens after each text, `(texts,)`; texts are cut to `longest`."""
    import torch

    asked = tokenizer(f" {question}", add_special_tokens=False)["input_ids"][:_ASKED_TOKENS]
    shown = [tokenizer(ASKS.format(text[:_SHOWN_CHARACTERS]), add_special_tokens=False)["input_ids"] for text in texts]
    if not asked or not shown:
        return np.zeros(len(texts), np.float32)
    shown = [own[-(longest - len(asked)) :] for own in shown]
    most = max(map(len, shown))
    ids = [[0] * (most - len(own)) + own + asked for own in shown]  # so that questions end together
    mask = [[0] * (most - len(own)) + [1] * (len(own) + len(asked)) for own in shown]
    attended = torch.tensor(mask, device=model.device)
    with torch.inference_mode():
        logits = model(
            input_ids=torch.tensor(ids, device=model.device),
            attention_mask=attended,
            position_ids=(attended.cumsum(-1) - 1).clamp(min=0),
            logits_to_keep=len(asked) + 1,
            use_cache=False,
        ).logits
    likely = logits[:, :-1].float().log_softmax(-1)
    found = likely.gather(2, torch.tensor([asked] * len(shown), device=model.device)[:, :, None])
    return np.asarray(found[:, :, 0].mean(1).cpu().numpy(), np.float32)


def _stopper(stop: threading.Event) -> Any:
    """A stopping criterion that ends generation when the event is set."""
    import torch
    from transformers import StoppingCriteria

    class _Stop(StoppingCriteria):  # type: ignore[misc]
        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((input_ids.shape[0],), stop.is_set(), device=input_ids.device, dtype=torch.bool)

    return _Stop()
