"""Bytes to text: gzip, damaged gzip, encodings, and files that hold no text. Home of charset-normalizer.

UTF-8 unless the bytes say otherwise: a byte order mark, an XML declaration, or bytes that are no
UTF-8. A file that is UTF-8 but for a few damaged bytes stays UTF-8, with U+FFFD in their place.
"""

from __future__ import annotations

import codecs
import gzip
import io
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from rag.errors import IngestError

WHOLE_LIMIT = 512_000_000  # characters held in memory at once, in the formats that need it
HEAD_BYTES = 1 << 16
_BLOCK_BYTES = 1 << 20
_MAGIC = {
    b"%PDF": "a PDF; PDFs are not read, abstracts are: give a text file or a bibliography export",
    b"PK\x03\x04": "a zip archive or an Office document; unpack it, or save it as text",
    b"BZh": "compressed with bzip2; unpack it, or use gzip",
    b"\xfd7zXZ": "compressed with xz; unpack it, or use gzip",
    b"\x28\xb5\x2f\xfd": "compressed with zstd; unpack it, or use gzip",
    b"\x1f\x8b": "compressed twice with gzip; unpack it once",
    b"{\\rtf": "an RTF document; save it as plain text",
}
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_RARE = 0.05  # so few bytes beyond ASCII: English with some Western names, too little to tell more
_DECLARED = re.compile(rb"""\s*<\?xml[^>]{0,100}?encoding\s*=\s*["']([A-Za-z0-9._-]+)""")
_CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")


@dataclass(slots=True)
class Source:
    """A file whose text can be read: `head` is its beginning, decoded."""

    path: Path
    encoding: str
    head: str
    damage: str = field(default="", init=False)

    @property
    def suffix(self) -> str:
        """The lower-case extension, `.gz` left out."""
        return suffix_of(self.path)

    @contextmanager
    def text(self) -> Iterator[TextIO]:
        """The text from its beginning; `damage` is set when a broken archive ended it early."""
        raw = _Bytes(self.path)
        buffered = io.BufferedReader(raw, _BLOCK_BYTES)
        with io.TextIOWrapper(buffered, encoding=self.encoding, errors="replace") as stream:
            yield stream
            self.damage = raw.damage

    def whole(self) -> str:
        """The whole text. Raises IngestError when that is too large to hold."""
        with self.text() as stream:
            found = stream.read(WHOLE_LIMIT + 1)
        if len(found) > WHOLE_LIMIT:
            raise IngestError(
                f"more than {WHOLE_LIMIT:,} characters; only JSON Lines, CSV and XML are read in any size"
            )
        return found


def open_source(path: Path) -> Source:
    """Look into a file. Raises IngestError with the reason when it holds no text that can be read, OSError."""
    with _Bytes(path) as raw:
        head = io.BufferedReader(raw).read(HEAD_BYTES)
        damage = raw.damage
    if not head.strip():
        raise IngestError(f"nothing in it can be read: {damage}" if damage else "file is empty")
    encoding = _encoding(path, head)
    decoder = codecs.getincrementaldecoder(encoding)("replace")
    text = decoder.decode(head)
    if not text.strip():
        raise IngestError("file is empty")
    return Source(path, encoding, text)


def suffix_of(path: Path) -> str:
    """The lower-case extension, `.gz` left out."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


class _Bytes(io.RawIOBase):
    """The bytes of a file, unpacked if they are gzip's; a broken archive ends where it breaks."""

    def __init__(self, path: Path) -> None:
        self.damage = ""
        self._file = path.open("rb")
        packed = self._file.peek(2)[:2] == b"\x1f\x8b"
        self._inner = gzip.GzipFile(fileobj=self._file) if packed else self._file

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:  # type: ignore[no-untyped-def]  # Buffer has no name in 3.11
        try:
            found = self._inner.read1(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            self.damage = f"the gzip archive is cut off or damaged ({error})"
            return 0
        buffer[: len(found)] = found
        return len(found)

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
            self._file.close()
        super().close()


def _encoding(path: Path, head: bytes) -> str:
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    for magic, reason in _MAGIC.items():
        if head.startswith(magic):
            raise IngestError(reason)
    if len(_CONTROL.findall(head)) > len(head) // 50 or b"\x00" in head:
        raise IngestError("a binary file, not text")
    wrong = _first_wrong_block(path)
    if wrong is None:
        return "utf-8"
    declared = _DECLARED.match(head)
    return (_known(declared[1].decode()) if declared else "") or _guessed(wrong)


def _first_wrong_block(path: Path) -> bytes | None:
    """The first block of a file that is not UTF-8, or None: then all of it is."""
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    with _Bytes(path) as raw, io.BufferedReader(raw, _BLOCK_BYTES) as stream:
        while block := stream.read(_BLOCK_BYTES):
            try:
                decoder.decode(block)
            except UnicodeDecodeError as error:
                start = max(0, error.start - HEAD_BYTES // 2)
                return block[start : start + HEAD_BYTES]
    return None


def _known(encoding: str) -> str:
    try:
        return codecs.lookup(encoding).name if "a".encode(encoding) == b"a" else ""
    except (LookupError, UnicodeError, TypeError):
        return ""


def _guessed(sample: bytes) -> str:
    text = sample.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    if sum(not character.isascii() for character in text) - wrong > wrong:
        return "utf-8"
    import charset_normalizer

    best = charset_normalizer.from_bytes(sample).best()
    if best is None:
        raise IngestError("neither UTF-8 nor any other text encoding that can be told; save it as UTF-8")
    rare = sum(byte > 127 for byte in sample) < len(sample) * _RARE
    return "cp1252" if rare or "cp1252" in best.could_be_from_charset else best.encoding
