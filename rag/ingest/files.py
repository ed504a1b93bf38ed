"""Which files to read, and whether one has changed since."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path

from rag.errors import IngestError
from rag.ingest.kinds import KIND_OF_SUFFIX, kind_of
from rag.ingest.opening import open_source, suffix_of
from rag.ingest.records import Rejection
from rag.ingest.sidecar import is_sidecar, readable_sidecar_of, sidecar_of

READER_VERSION = "6"  # raise it when the readers yield something else: every file is read again then

_BLOCK_BYTES = 1 << 20
_OF_A_LIBRARY = "catalog.sqlite3"
_NOT_PAPERS = frozenset("readme license licence copying changelog contributing notice".split())


def find_files(paths: Sequence[Path]) -> tuple[list[Path], list[Rejection]]:
    """Files to read, each once, in the order given, folders sorted; and what is left out, with reasons.

    Hidden names and sidecars in folders are left out silently. Rejections name unusable sidecar
    lines too. Raises IngestError with all paths that do not exist, or one that may not be looked at.
    """
    try:
        missing = [str(path) for path in paths if _status(path) is None]
    except OSError as error:
        raise IngestError(f"{error.filename} cannot be read: {error.strerror or error}") from error
    if missing:
        raise IngestError(f"no such file or folder: {', '.join(missing)}; check the spelling")
    files: list[Path] = []
    rejections: list[Rejection] = []
    seen: set[str] = set()
    for path in paths:
        for found in _walk(path, rejections) if path.is_dir() else [path]:
            real = os.path.realpath(found)
            if real in seen:
                continue
            seen.add(real)
            if path.is_dir() and is_sidecar(found):
                continue
            if reason := _reason_against(found, is_named=not path.is_dir()):
                rejections.append(Rejection(str(found), "", reason))
            else:
                files.append(found)
    return files, [*rejections, *_sidecar_rejections(files)]


def file_digest(path: Path) -> str:
    """sha256 over a file's bytes, its lines in the sidecar, and the version of the readers.

    Raises IngestError when the file cannot be read.
    """
    digest = hashlib.sha256(f"{READER_VERSION}\n".encode())
    try:
        with path.open("rb") as stream:
            while block := stream.read(_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise IngestError(f"{path} cannot be read: {error.strerror or error}") from error
    sidecar = sidecar_of(path)
    for _, line in sorted(sidecar.lines.get(path.name, {}).items()) if sidecar else ():
        digest.update(b"\n" + line.raw.encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _walk(folder: Path, rejections: list[Rejection]) -> Iterator[Path]:
    """The files of a folder, depth first and sorted, without libraries and folders met again through a link."""
    visited: set[str] = set()

    def note(error: OSError) -> None:
        rejections.append(Rejection(str(error.filename), "", f"cannot be opened: {error.strerror}"))

    for parent, folders, names in os.walk(folder, followlinks=True, onerror=note):
        real = os.path.realpath(parent)
        if real in visited or _OF_A_LIBRARY in names:
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        visited.add(real)
        yield from (Path(parent, name) for name in sorted(names) if not name.startswith("."))


def _status(path: Path) -> os.stat_result | None:
    """What the disk says of a file or folder; None where there is none. Raises OSError where it may not be asked."""
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _reason_against(path: Path, *, is_named: bool) -> str:
    """Why a file is not to be read, or an empty string."""
    try:
        status = _status(path)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    if status is None:
        return "a link that leads nowhere"
    if not stat.S_ISREG(status.st_mode):
        return "not a regular file"
    if not os.access(path, os.R_OK):
        return "cannot be read: permission denied"
    if is_sidecar(path):
        return "describes the files beside it; name those files, or the folder"
    if not is_named and path.name.lower().split(".")[0] in _NOT_PAPERS:
        return "left out, because its name is not a paper's; name the file itself to read it"
    if suffix_of(path) in KIND_OF_SUFFIX:
        return ""
    try:
        source = open_source(path)
        kind_of(source.head, source.suffix)
    except IngestError as error:
        return str(error)
    except OSError as error:
        return f"cannot be read: {error.strerror or error}"
    return ""


def _sidecar_rejections(files: Sequence[Path]) -> list[Rejection]:
    """Unusable lines of the sidecars beside the files, and lines about files that are not there."""
    rejections: list[Rejection] = []
    for first in {path.parent: path for path in files}.values():
        try:
            sidecar = readable_sidecar_of(first)
        except IngestError as error:
            rejections.append(Rejection(str(first.parent), "", str(error)))
            continue
        if sidecar:
            rejections.extend(sidecar.rejections)
            absent = [name for name in sidecar.lines if not (first.parent / name).is_file()]
            rejections.extend(
                sidecar.reject(line, f"there is no file {name} beside it")
                for name in absent
                for line in sidecar.lines[name].values()
            )
    return rejections
