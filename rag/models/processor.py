"""What the processor is good at, and how torch should run on it."""

from __future__ import annotations

import ctypes
import os
import time
from functools import cache, partial
from pathlib import Path
from typing import Any

from rag.errors import ModelError, told_by


@cache
def fast_bf16() -> bool:
    """Whether the processor multiplies bf16 in hardware (AMX or avx512_bf16); elsewhere fp32 is faster."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    return "amx_bf16" in flags or "avx512_bf16" in flags


def device_of(setting: str) -> str:
    """The device to use: the one asked for, else a GPU where there is one. Raises ModelError."""
    import torch

    if setting:
        try:
            torch.zeros(1, device=setting)
        except (RuntimeError, AssertionError) as error:
            raise ModelError(f"device {setting!r} cannot be used: {told_by(error)}") from error
        return setting
    return "cuda" if torch.cuda.is_available() else "cpu"


def dtype_of(device: str) -> Any:
    """The torch dtype that is fastest there at no loss that matters."""
    import torch

    return torch.bfloat16 if device != "cpu" or fast_bf16() else torch.float32


def rest() -> None:
    """Give back the threads that torch keeps for the calling one; they are there again when it computes next.

    GNU's OpenMP keeps some for each thread that has ever computed. Where all of them together outnumber the
    cores it lets them sleep at every step, and an answer generated in a thread of its own takes half as long
    again. While another program wants the cores that is as well, for threads that stay awake to wait for one
    that cannot run take twice as long: nothing is given back then.
    """
    if (library := _gnu_openmp()) and _has_cores_to_itself():
        library.omp_pause_resource_all(_SOFTLY)


_SOFTLY = 1  # OpenMP 5.0, omp_pause_soft
_ASLEEP_S = 0.005  # after so long torch's own threads have ceased to wait awake


def _has_cores_to_itself() -> bool:
    import torch

    time.sleep(_ASLEEP_S)
    try:
        running = int(Path("/proc/loadavg").read_text(encoding="ascii").split()[3].partition("/")[0])
    except (OSError, ValueError, IndexError):
        return True
    return running - 1 <= (os.cpu_count() or 1) - torch.get_num_threads()


@cache
def _gnu_openmp() -> Any:
    """The OpenMP that torch came with, where that is GNU's, else None."""
    import torch

    place = next((Path(torch.__file__).parent / "lib").glob("libgomp.so*"), None)
    library = ctypes.CDLL(str(place)) if place else None
    return library if hasattr(library, "omp_pause_resource_all") else None


def quiet() -> None:
    """Take transformers' progress bars and advice off stderr, which is ours.

    The bar of a GGUF file that is read, which heeds no setting, is left to a terminal, where it goes when it is done.
    """
    import transformers
    from tqdm import tqdm
    from transformers import modeling_gguf_pytorch_utils

    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    modeling_gguf_pytorch_utils.tqdm = partial(tqdm, disable=None, leave=False)
