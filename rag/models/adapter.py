"""A low-rank adapter: what training changed in the default generator, kept small and added when it is loaded.

The packed file holds, for each matrix `W` that was trained, `A` and `B` in bf16 with the scale already in
`B`; loading adds `B @ A` to `W`, so that what trained it (peft) is not needed to use it.

Source: Hu et al., LoRA, ICLR 2022.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.errors import ModelError
from rag.models import weights

_A, _B = ".A", ".B"
_FIRST, _SECOND = ".lora_A.default.weight", ".lora_B.default.weight"  # peft's names
_WRAPPED = "base_model.model."


def read_trained(name: str) -> Mapping[str, Any]:
    """The packed adapter of one of Footnote's own models, its file's hash checked. Raises ModelError."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    card = weights.card_of(name)
    try:
        content = weights.trained_file(name).read_bytes()
        if hashlib.sha256(content).hexdigest() != card["sha256"]:
            raise ModelError(
                f"the weights of {name!r} are not those of its card; train it again, or reinstall footnote"
            )
        found: Mapping[str, Any] = load(content)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"there are no weights for {name!r}: {error}; make them with: footnote train {name} --install"
        ) from error
    return found


def add(model: Any, adapter: Mapping[str, Any]) -> None:
    """Add the adapter to the model's matrices, in place. Raises ModelError if it is not the model's."""
    own = model.state_dict()
    for key, first in adapter.items():
        if not key.endswith(_A):
            continue
        target = own.get(key.removesuffix(_A) + ".weight")
        change = adapter[key.removesuffix(_A) + _B].float() @ first.float()
        if target is None or target.shape != change.shape:
            raise ModelError(f"the adapter changes {key.removesuffix(_A)!r}, which the generator does not have")
        target.copy_((target.float() + change).to(target.dtype))


def save_trained(model: Any, name: str, card: dict[str, Any], *, folder: Path) -> Path:
    """Write what peft trained in `model` as a packed adapter with its card, which gets the hash; returns its path."""
    import torch
    from safetensors.torch import save

    state = model.state_dict()
    config = model.peft_config["default"]
    tensors = {}
    for key, first in state.items():
        if key.endswith(_FIRST):
            place = key.removesuffix(_FIRST)
            second = state[place + _SECOND].float() * (config.lora_alpha / config.r)
            tensors[place.removeprefix(_WRAPPED) + _A] = first.to(torch.bfloat16).contiguous()
            tensors[place.removeprefix(_WRAPPED) + _B] = second.to(torch.bfloat16).contiguous()
    return weights.save_packed(save(tensors), name, card, folder)
