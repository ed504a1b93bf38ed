"""What is taken away as a file: a conversation as Markdown, LaTeX with its BibTeX, CSL-JSON or JSON, or a report."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import mkdtemp

from rag import export
from rag.types import Answer, Document

# what the button says: the name of the file
FORMATS = {
    "Markdown": "footnote.md",
    "LaTeX + BibTeX": "footnote.tex",
    "CSL-JSON": "footnote.csl.json",
    "JSON": "footnote.json",
}


def copied(file: Path, folder: Path) -> Path:
    """A copy of the file in a fresh folder below `folder`: gradio gives nothing away from where a library may lie."""
    return Path(shutil.copy(file, mkdtemp(dir=folder)))


def write(answers: Sequence[Answer], documents: Mapping[str, Document], label: str, folder: Path) -> Path:
    """Write the answers in a fresh folder below `folder`; LaTeX and its bibliography come in one zip file."""
    place = Path(mkdtemp(dir=folder))
    files = export.write(answers, documents, place / FORMATS[label])
    if len(files) == 1:
        return files[0]
    packed = place / "footnote-latex.zip"
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in files:
            archive.write(file, file.name)
    return packed
