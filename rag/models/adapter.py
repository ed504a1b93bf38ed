"""A low-rank adapter: what training changed in a model, kept small and added when it is loaded.

The packed file holds, for each matrix `W` that was trained, `A` and `B` in bf16 with the scale already in
`B`; loading adds `B @ A` to `W`, so that what trained it (peft) is not needed to use it. What the base lacks,
as a classifier's head, is there as a whole.

Source: Hu et al., LoRA, ICLR 2022.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rag.errors import ModelError
from rag.models import weights

_A, _B = ".A", ".B"
_FIRST, _SECOND = ".lora_A.default.weight", ".lora_B.default.weight"  # peft's names
_WHOLE = ".modules_to_save.default"
_WRAPPED = "base_model.model."


def is_one(tensors: Mapping[str, Any]) -> bool:
    """Whether packed tensors are an adapter's."""
    return any(key.endswith(_A) for key in tensors)


def add(model: Any, adapter: Mapping[str, Any]) -> None:
    """Add the adapter to the model's matrices, in place. Raises ModelError if it is not the model's."""
    own = model.state_dict()
    for key, tensor in adapter.items():
        if key.endswith(_B):
            continue
        changes = key.endswith(_A)
        target = own.get(key.removesuffix(_A) + ".weight" if changes else key)
        change = adapter[key.removesuffix(_A) + _B].float() @ tensor.float() if changes else tensor
        if target is None or target.shape != change.shape:
            raise ModelError(f"the adapter changes {key.removesuffix(_A)!r}, which the model does not have")
        target.copy_((target.float() + change if changes else change).to(target.dtype))


def save_trained(model: Any, name: str, card: dict[str, Any], *, folder: Path) -> Path:
    """Write what peft trained in `model` as a packed adapter with its card, which gets the hash; returns its path."""
    import torch
    from safetensors.torch import save

    state = model.state_dict()
    config = model.peft_config["default"]
    tensors = {}
    for key, tensor in state.items():
        if key.endswith(_FIRST):
            place = key.removesuffix(_FIRST)
            second = state[place + _SECOND].float() * (config.lora_alpha / config.r)
            tensors[place.removeprefix(_WRAPPED) + _A] = tensor.to(torch.bfloat16).contiguous()
            tensors[place.removeprefix(_WRAPPED) + _B] = second.to(torch.bfloat16).contiguous()
        elif _WHOLE in key:
            tensors[key.removeprefix(_WRAPPED).replace(_WHOLE, "")] = tensor.to(torch.bfloat16).contiguous()
    return weights.save_packed(save(tensors), name, card, folder)
