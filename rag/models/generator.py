"""Prompt → text, streamed, from an open-weight model in this process.

`Generator` is what the pipeline needs. A llama-index `LLM` becomes one, and the other way round, in
`rag.llamaindex`.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from queue import Empty
from typing import Any, Protocol

from rag.errors import ModelError
from rag.models import processor, weights
from rag.models.adapter import add

LOOKUP_TOKENS = 3  # prompt lookup: grounded answers copy their evidence, 35 → 50 tokens/s here
INSTEAD = "give a hub id, a folder or a GGUF file, or a server with --llm-url"
_WAIT_S = 120.0  # a model that gives no token for so long is taken for dead
_THOUGHTS = ("<think>", "</think>")
_ON_HUB = re.compile(r"\w[\w.-]*(/\w[\w.-]*)?(/[^/]+\.gguf)?")  # what can be an id, or a file in its repository


class Generator(Protocol):
    """What the pipeline needs of a generator."""

    @property
    def name(self) -> str:
        """What answers say about who wrote."""
        ...

    def stream(self, system: str, prompt: str, *, max_new_tokens: int) -> Iterator[str]:
        """Generate an answer to `prompt` in pieces; closing the iterator stops the model."""
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

        self.name = name
        self._torch = torch
        self._busy = threading.Lock()
        self._model, self._tokenizer = load_causal(place, name, gguf=gguf, adapter=adapter, device=device)
        self._device = self._model.device
        self.context_window = int(getattr(self._model.config, "max_position_embeddings", None) or 2048)
        # What keeps one state for all that it has read cannot take back tokens that were guessed.
        self._lookup_tokens = None if getattr(self._model, "_is_stateful", False) else LOOKUP_TOKENS

    def stream(self, system: str, prompt: str, *, max_new_tokens: int) -> Iterator[str]:
        """Generate in pieces, half a context at most; a prompt that exceeds the rest of it is cut from its front."""
        from transformers import StoppingCriteriaList, TextIteratorStreamer

        longest = max(1, min(max_new_tokens, self.context_window // 2))
        inputs = self._inputs(system, prompt, self.context_window - longest)
        streamer = TextIteratorStreamer(self._tokenizer, skip_prompt=True, timeout=_WAIT_S, skip_special_tokens=True)
        stop = threading.Event()
        failures: list[BaseException] = []

        def generate() -> None:
            try:
                with self._torch.inference_mode():
                    self._model.generate(
                        **inputs,
                        max_new_tokens=longest,
                        do_sample=False,
                        prompt_lookup_num_tokens=self._lookup_tokens,
                        streamer=streamer,
                        stopping_criteria=StoppingCriteriaList([_stopper(stop)]),
                    )
            except Exception as error:  # handed over to the consumer, which is in another thread
                failures.append(error)
                streamer.end()

        with self._busy:
            processor.rest()
            worker = threading.Thread(target=generate, name="generator", daemon=True)
            worker.start()
            try:
                for piece in streamer:
                    if piece:
                        yield piece
            except Empty as error:
                raise ModelError(
                    f"generator {self.name!r} gave nothing for {_WAIT_S:.0f} s: try a smaller one"
                ) from error
            finally:
                stop.set()
                worker.join()
        if failures:
            raise ModelError(f"generator {self.name!r} failed: {failures[0]}") from failures[0]

    def rendered(self, system: str, prompt: str) -> str:
        """The text that the model goes on from: the messages in its chat template, if it has one."""
        if not self._tokenizer.chat_template:
            return f"{system}\n\n{prompt}\n"
        try:
            return self._templated({"role": "system", "content": system}, {"role": "user", "content": prompt})
        except Exception:  # the template's own: some know no system role, as Gemma 2's
            return self._templated({"role": "user", "content": f"{system}\n\n{prompt}"})

    def _templated(self, *messages: dict[str, str]) -> str:
        """The messages in the chat template; one that would begin with thoughts is told to leave them out."""
        return str(
            self._tokenizer.apply_chat_template(
                list(messages), add_generation_prompt=True, tokenize=False, enable_thinking=False
            )
        )

    @contextmanager
    def undisturbed(self) -> Iterator[tuple[Any, Any]]:
        """The model and its tokenizer, with no generation going on meanwhile."""
        with self._busy:
            yield self._model, self._tokenizer

    def _inputs(self, system: str, prompt: str, room: int) -> Any:
        text = self.rendered(system, prompt)
        inputs = self._tokenizer(text, return_tensors="pt", add_special_tokens=not self._tokenizer.chat_template)
        return {
            key: value[:, -room:].to(self._device)
            for key, value in inputs.items()
            if key in {"input_ids", "attention_mask"}
        }


def without_thoughts(written: str) -> str:
    """What was written after the thoughts that some models begin with, where nobody has parted them; none yet, if open.

    The mark that opens them may be missing, because the chat template has it.
    """
    _, closed, after = written.rpartition(_THOUGHTS[1])
    return after if closed else "" if written.lstrip().startswith(_THOUGHTS[0]) else written


def check_place(name: str) -> None:
    """Refuse a file or folder in which there is no model; what a hub has is not asked. Raises ModelError."""
    place = Path(name)
    folder = place.parent if place.suffix == ".gguf" else place
    if folder.is_dir():
        wanted = place if folder != place else place / "config.json"
        missing = "" if wanted.is_file() else f"no such file: {wanted}"
    else:
        missing = "" if _ON_HUB.fullmatch(name) else f"no such folder: {folder}"
    if missing:
        raise ModelError(f"generator {name!r} cannot be loaded: {missing}; {INSTEAD}")


def load_causal(
    place: Path | str,
    name: str,
    *,
    gguf: str | None = None,
    adapter: Mapping[str, Any] | None = None,
    device: str = "",
) -> tuple[Any, Any]:
    """A causal language model, ready to run, and its tokenizer. Raises ModelError."""
    from transformers import AutoModelForCausalLM, AutoTokenizer

    processor.quiet()
    where = processor.device_of(device)
    options: dict[str, Any] = {"local_files_only": Path(place).exists()}  # nobody is asked about what lies here
    if gguf:
        options["gguf_file"] = gguf
    with weights.loading("generator", name, instead=INSTEAD):
        tokenizer = AutoTokenizer.from_pretrained(str(place), **options)
        model: Any = AutoModelForCausalLM.from_pretrained(str(place), dtype=processor.dtype_of(where), **options)
    if adapter:
        add(model, adapter)
    return model.to(where).eval(), tokenizer


def _stopper(stop: threading.Event) -> Any:
    """A stopping criterion that ends generation when the event is set."""
    import torch
    from transformers import StoppingCriteria

    class _Stop(StoppingCriteria):  # type: ignore[misc]
        def __call__(self, input_ids: Any, scores: Any, **_: Any) -> Any:
            return torch.full((input_ids.shape[0],), stop.is_set(), device=input_ids.device, dtype=torch.bool)

    return _Stop()
