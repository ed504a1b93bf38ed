"""Make a library folder, or make it anew: what stands before a `Library` can be opened."""

from __future__ import annotations

import itertools
import json
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from rag.errors import LibraryBusyError, LibraryError
from rag.library.catalog import FILE_NAME, Catalog
from rag.library.indexing import REBUILD
from rag.library.locks import held_alone
from rag.library.schema import FORMAT
from rag.types import JSON

DESCRIPTION = "library.json"


@dataclass(frozen=True, slots=True)
class Founding:
    """What a library is made with: what it has to be opened with, and what it is opened with unless told otherwise."""

    identity: Mapping[str, object]
    store_url: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)

    def to_meta(self) -> dict[str, str]:
        """The facts as the catalog keeps them."""
        return {
            "identity": json.dumps(dict(self.identity), sort_keys=True),
            "store_url": self.store_url,
            "settings": json.dumps(dict(self.settings), sort_keys=True),
        }


def create(folder: Path, founding: Founding, *, lock_timeout_s: float) -> None:
    """Make a library, unless there is one; two processes may do this at once."""
    if (folder / FILE_NAME).is_file():
        return
    _make_folder(folder)
    with held_alone(folder / "write.lock", timeout_s=lock_timeout_s):
        if not (folder / FILE_NAME).is_file():
            _create(folder, founding)


def rebuild(folder: Path, founding: Founding, *, lock_timeout_s: float) -> None:
    """Give a library a new identity, with every file unread and every document not indexed.

    A catalog that cannot be opened is set aside as `catalog.damaged-<n>` and a new one begun.
    """
    if not (folder / FILE_NAME).is_file():
        create(folder, founding, lock_timeout_s=lock_timeout_s)
        return
    with held_alone(folder / "write.lock", timeout_s=lock_timeout_s):
        try:
            catalog = Catalog(folder)
            _begin_again(catalog, founding)
            catalog.close()
        except LibraryBusyError:
            raise
        except LibraryError:
            _set_aside(folder)
            _create(folder, founding)
        else:
            describe(folder, description(folder))


def saved_settings(folder: Path) -> JSON:
    """The settings that a library was made with; none where there is no library, or one that cannot be read."""
    if not (folder / FILE_NAME).is_file():
        return {}
    try:
        catalog = Catalog(folder, writable=is_writable(folder))
    except LibraryBusyError:
        raise
    except LibraryError:
        return {}  # opening it will say why
    try:
        saved: JSON = json.loads(catalog.get("settings", "{}"))
    finally:
        catalog.close()
    return saved


def is_writable(folder: Path) -> bool:
    """Whether this process may write the library."""
    files = [path for path in (folder, folder / FILE_NAME) if path.exists()]
    return all(os.access(path, os.W_OK) for path in files)


def description(folder: Path) -> JSON:
    """What `library.json` should say: the catalog's facts for people and other programs."""
    catalog = Catalog(folder, writable=is_writable(folder))
    try:
        return {
            "format": FORMAT,
            "library_id": catalog.get("library_id"),
            "identity": json.loads(catalog.get("identity", "{}")),
            "store": catalog.get("store_url"),
        }
    finally:
        catalog.close()


def describe(folder: Path, content: JSON) -> None:
    """Write `library.json`, whole or not at all."""
    new = folder / f"{DESCRIPTION}.new"
    new.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    new.replace(folder / DESCRIPTION)


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise LibraryError(f"a library cannot be made in {folder}: {error.strerror}; choose another folder") from error
    if not os.access(folder, os.W_OK):
        raise LibraryError(f"a library cannot be made in {folder}: it is read-only; choose another folder")


def _create(folder: Path, founding: Founding) -> None:
    meta = {
        "library_id": uuid.uuid4().hex[:12],
        **founding.to_meta(),
        "dirty": REBUILD if (folder / "chroma").exists() or (folder / "lexical").exists() else "",
    }
    Catalog.create(folder, meta).close()
    describe(folder, description(folder))


def _begin_again(catalog: Catalog, founding: Founding) -> None:
    with catalog.transaction():
        for name, value in founding.to_meta().items():
            catalog.put(name, value)
        catalog.put("dirty", REBUILD)
        catalog.put("store_files", "")
        catalog.run("UPDATE files SET digest = NULL, reading = ''")
        catalog.run("UPDATE records SET removed = '' WHERE removed IS NOT NULL")
        catalog.run("UPDATE documents SET json = coalesce(staged, json), staged = NULL, indexed = 0")
        catalog.run("DELETE FROM chunks")
        catalog.run("DELETE FROM outbox")
        catalog.run("DELETE FROM stale")


def _set_aside(folder: Path) -> None:
    number = next(n for n in itertools.count(1) if not (folder / f"catalog.damaged-{n}").exists())
    for suffix in ("", "-wal", "-shm"):
        file = folder / (FILE_NAME + suffix)
        if file.exists():
            file.replace(folder / f"catalog.damaged-{number}{suffix}")
