"""Text → vectors, on bare transformers (sentence_transformers alone takes 4 s to import).

A vector is pooled from the last layer as the model's sentence-transformers files say (the mean of the
tokens where they say nothing) and normalized. With mean pooling `encode_spans` gives the vectors of
parts of a text out of the same pass ("late chunking": a window's vector knows the abstract around it),
which makes windows as good as free; other models embed the parts as texts of their own.

Source: late chunking, Günther et al. 2024, arXiv:2409.04701.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.models import processor, weights
from rag.text import Span

Vectors = NDArray[np.float32]
CPU_BATCH_TOKENS = 1_024  # padded tokens a pass: more fall out of a processor's cache
GPU_BATCH_TOKENS = 32_768
_POOLINGS = {"mean": "mean", "mean_sqrt_len": "mean", "cls": "cls", "lasttoken": "last"}  # a length is not kept

_MODULES = frozenset(("Transformer", "Pooling", "Normalize", "Dropout"))  # all that is done to a text, or nothing


@dataclass(frozen=True, slots=True)
class Tokens:
    """A text's vector `(d,)`, and those of its tokens `(n, d)`, of length 1, with their character spans."""

    vector: Vectors
    tokens: Vectors
    spans: tuple[Span, ...]


class Embedder(Protocol):
    """What the pipeline needs of an embedder; vectors have length 1."""

    @property
    def name(self) -> str:
        """Identifies the model: a library made with another cannot be searched with this one."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a vector."""
        ...

    @property
    def max_tokens(self) -> int:
        """Tokens read of a text, special ones included; the rest is cut."""
        ...

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special ones included, without cutting."""
        ...

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts: `(n, d)`."""
        ...

    def encode_query(self, text: str) -> Vectors:
        """Embed a query: `(d,)`."""
        ...

    def encode_spans(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[Vectors]:
        """Embed parts of each text, given as character spans: one `(len(spans[i]), d)` a text."""
        ...

    def encode_tokens(self, texts: Sequence[str], *, query: bool = False) -> list[Tokens]:
        """Embed texts with their tokens; a model that shows none gives the text as its only one."""
        ...


class TransformerEmbedder:
    """An encoder in a local folder or on the hub."""

    def __init__(self, place: Path | str, name: str, *, device: str = "") -> None:
        import torch
        from transformers import AutoModel, AutoTokenizer

        processor.quiet()
        self.name = name
        self._torch = torch
        self._device = processor.device_of(device)
        local = Path(place).exists()  # nobody is asked about what lies here
        with weights.loading("embedder", name, instead="give a hub id or a folder that holds a transformers encoder"):
            self._tokenizer: Any = AutoTokenizer.from_pretrained(str(place), local_files_only=local)
            dtype = processor.dtype_of(self._device)
            model: Any = AutoModel.from_pretrained(str(place), dtype=dtype, local_files_only=local)
        self._tokenizer.padding_side = "right"  # `_states` takes each text's tokens from the left
        self._tokenizer.pad_token = self._tokenizer.pad_token or self._tokenizer.eos_token
        if self._device == "cpu":
            model.set_attn_implementation("eager")  # a sixth faster than sdpa with padded batches
        self._batch_tokens = CPU_BATCH_TOKENS if self._device == "cpu" else GPU_BATCH_TOKENS
        self._model = model.to(self._device).eval()
        self.dimension = int(self._model.config.hidden_size)
        _check_modules(_read(place, "modules.json", local), name)
        self._pooling = _pooling(_setting(place, "1_Pooling/config.json", local), name)
        prompts = _setting(place, "config_sentence_transformers.json", local).get("prompts") or {}
        self._query_prompt = str(prompts.get("query") or "")
        setting = _setting(place, "sentence_bert_config.json", local)
        self.max_tokens = _max_tokens(setting, self._model.config, self._tokenizer)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text, special ones included, without cutting."""
        if not texts:
            return []
        ids = self._tokenizer(list(texts), return_attention_mask=False, return_token_type_ids=False, verbose=False)
        return [len(row) for row in ids["input_ids"]]

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Embed texts: `(n, d)`."""
        vectors = np.zeros((len(texts), self.dimension), np.float32)
        for index, states, _ in self._states(texts):
            vectors[index] = self._pooled(states)
        return vectors

    def encode_query(self, text: str) -> Vectors:
        """Embed a query: `(d,)`."""
        return np.asarray(self.encode([self._query_prompt + text])[0], np.float32)

    def _pooled(self, states: Vectors) -> Vectors:
        if self._pooling == "mean":
            return _unit(states.mean(0))
        return _unit(states[0 if self._pooling == "cls" else -1])

    def encode_spans(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> list[Vectors]:
        """One pass a text; a span's vector is the mean of its tokens', or the text's if it has none."""
        if self._pooling != "mean":
            return spans_as_texts(self.encode, texts, spans)
        found: list[Vectors] = [np.zeros((len(own), self.dimension), np.float32) for own in spans]
        for index, states, offsets in self._states(texts):
            whole = _unit(states.mean(0))
            real = offsets[:, 1] > offsets[:, 0]
            for row, (start, end) in enumerate(spans[index]):
                if start == 0 and end == len(texts[index]):
                    found[index][row] = whole
                    continue
                inside = real & (offsets[:, 1] > start) & (offsets[:, 0] < end)
                found[index][row] = _unit(states[inside].mean(0)) if inside.any() else whole
        return found

    def encode_tokens(self, texts: Sequence[str], *, query: bool = False) -> list[Tokens]:
        """One pass a text; special tokens and those of a prompt are left out."""
        prompt = self._query_prompt if query else ""
        if self._pooling != "mean":  # only there the states of tokens are made to be compared
            return texts_as_tokens(self.encode([prompt + text for text in texts]), texts)
        found: dict[int, Tokens] = {}
        for index, states, offsets in self._states([prompt + text for text in texts]):
            real = (offsets[:, 1] > offsets[:, 0]) & (offsets[:, 0] >= len(prompt))
            spans = tuple((int(a) - len(prompt), int(b) - len(prompt)) for a, b in offsets[real])
            whole = _unit(states.mean(0))
            found[index] = Tokens(whole, unit_rows(states[real]), spans) if spans else _as_token(whole, texts[index])
        return [found[index] for index in range(len(texts))]

    def _states(self, texts: Sequence[str]) -> Iterator[tuple[int, Vectors, NDArray[np.int64]]]:
        """Each text's index, token states `(tokens, d)` and their offsets `(tokens, 2)`."""
        if not texts:
            return
        tokens = self._tokenizer(list(texts), truncation=True, max_length=self.max_tokens, return_offsets_mapping=True)
        lengths = [len(ids) for ids in tokens["input_ids"]]
        for batch in batches(lengths, self._batch_tokens):
            model_inputs = self._tokenizer.pad(
                {key: [tokens[key][i] for i in batch] for key in tokens if key != "offset_mapping"},
                return_tensors="pt",
            )
            with self._torch.inference_mode():
                states = self._model(**model_inputs.to(self._device)).last_hidden_state.float().cpu().numpy()
            for row, index in enumerate(batch):
                count = lengths[index]
                yield index, states[row, :count], np.asarray(tokens["offset_mapping"][index])


def spans_as_texts(
    encode: Callable[[Sequence[str]], Vectors], texts: Sequence[str], spans: Sequence[Sequence[Span]]
) -> list[Vectors]:
    """`Embedder.encode_spans` for models that give no token states: each part embedded as a text of its own."""
    flat = [text[start:end] for text, own in zip(texts, spans, strict=True) for start, end in own]
    vectors = encode(flat)
    ends = np.cumsum([len(own) for own in spans], dtype=int)
    return [vectors[end - len(own) : end] for end, own in zip(ends, spans, strict=True)]


def texts_as_tokens(vectors: Iterable[Vectors], texts: Sequence[str]) -> list[Tokens]:
    """`Embedder.encode_tokens` for models that show no tokens: a text, `vectors[i]`, is its own only one."""
    return [_as_token(vector, text) for vector, text in zip(vectors, texts, strict=True)]


def _as_token(vector: Vectors, text: str) -> Tokens:
    return Tokens(vector, vector[None], ((0, len(text)),))


def unit_rows(vectors: Vectors) -> Vectors:
    """Rows `(n, d)` of length 1; a row of zeros stays one."""
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12), np.float32)


def batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indexes by falling length, as many as fit the budget of padded tokens."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        if batch and (len(batch) + 1) * lengths[batch[0]] > budget:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _unit(vector: Vectors) -> Vectors:
    norm = float(np.linalg.norm(vector))
    return np.asarray(vector / norm, np.float32) if norm else vector


def _setting(place: Path | str, name: str, local: bool) -> dict[str, Any]:
    """The object in a JSON file of the model, empty where there is none. Raises ModelError."""
    content = _read(place, name, local)
    return content if isinstance(content, dict) else {}


def _read(place: Path | str, name: str, local: bool) -> Any:
    """What a JSON file of the model holds, `None` where it has none. Raises ModelError."""
    from transformers.utils.hub import cached_file

    found = cached_file(
        str(place),
        name,
        local_files_only=local,
        _raise_exceptions_for_missing_entries=False,
        _raise_exceptions_for_connection_errors=False,
    )
    with weights.loading("setting", f"{place}/{name}", instead="mend that file, or name another embedder"):
        return json.loads(Path(found).read_text(encoding="utf-8")) if found else None


def _check_modules(modules: Any, name: str) -> None:
    """Refuse a model whose vectors are made by more than what is done here. Raises ModelError."""
    types = [str(module.get("type", "")) for module in modules or [] if isinstance(module, dict)]
    kinds = [kind.rpartition(".")[2] for kind in types]
    if others := [kind for kind in kinds if kind and kind not in _MODULES]:
        raise ModelError(
            f"embedder {name!r} has a module {others[0]!r}, which is not applied here: "
            "name one without, or a server that has it with --embed-url"
        )


def _pooling(setting: dict[str, Any], name: str) -> str:
    """`mean`, `cls` or `last`; files of older versions have a flag for each mode. Raises ModelError for another."""
    flags = [key.removeprefix("pooling_mode_") for key, is_on in setting.items() if "pooling_mode_" in key and is_on]
    told = setting.get("pooling_mode") or flags or "mean"
    modes = "+".join([told] if isinstance(told, str) else told)
    pooling = _POOLINGS.get(modes.removesuffix("_tokens").removesuffix("_token"))
    if pooling is None:
        raise ModelError(f"embedder {name!r} pools by {modes}: name one that pools by mean, cls or lasttoken")
    return pooling


def _max_tokens(setting: dict[str, Any], config: Any, tokenizer: Any) -> int:
    """What the model was trained to read: its sentence-transformers setting, else its positions."""
    if value := setting.get("max_seq_length"):
        return int(value)
    positions = int(getattr(config, "max_position_embeddings", 512) or 512)
    return min(positions, int(tokenizer.model_max_length), 8192)
