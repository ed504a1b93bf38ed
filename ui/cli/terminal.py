"""Answers, hits and papers as text for a terminal or a pipe.

Text of the corpus is data: control and direction-changing characters never reach the terminal. Colour
only where stdout is a terminal that wants it (click strips it elsewhere; `NO_COLOR` is heeded).
"""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Mapping, Sequence

import click

from rag.checking import Check
from rag.export import about
from rag.text import fold
from rag.types import Abstention, Answer, Citation, Document, Hit, Verdict

MAX_WIDTH = 100
NEAREST = 3  # papers that are shown where they don't say
_REASONS = {
    Abstention.NO_HITS: "no paper to search: the library holds none, or none that passes the filters",
    Abstention.WEAK_EVIDENCE: "no sentence of the papers fits the question well enough",
    Abstention.NO_CITATION: "nothing that was written could be tied to a paper",
    Abstention.UNSUPPORTED: "nothing that was written is supported by the papers",
}
_MARKS = {
    Verdict.SUPPORTED: ("✓", "green"),
    Verdict.CONTRADICTED: ("✕", "red"),
    Verdict.NOT_ENOUGH_INFO: ("?", "yellow"),
    Verdict.UNCHECKED: ("·", "white"),
}


def clean(text: str) -> str:
    """Text without anything that steers a terminal: control, format and surrogate characters."""
    return "".join(
        " " if char in "\n\t" else "" if unicodedata.category(char) in {"Cc", "Cf", "Cs"} else char for char in text
    )


def style(text: str, **styles: object) -> str:
    """Styled text where colour is wanted."""
    return text if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else click.style(text, **styles)  # type: ignore[arg-type]


def wrapped(text: str, *, indent: str = "", first: str | None = None) -> str:
    """Fold and wrap to the terminal's width (unwrapped in a pipe, where width means nothing)."""
    text = fold(clean(text))
    lead = indent if first is None else first
    if not sys.stdout.isatty():
        return lead + text
    width = max(24, min(MAX_WIDTH, shutil.get_terminal_size().columns))
    return textwrap.fill(text, width, initial_indent=lead, subsequent_indent=indent, break_on_hyphens=False)


def answer_text(answer: Answer, documents: Mapping[str, Document]) -> str:
    """The answer, its footnotes and what was withdrawn, as paragraphs."""
    parts = []
    if answer.standalone_question != answer.question:
        parts.append(style(wrapped(f"Understood as: {answer.standalone_question}"), dim=True))
    if answer.abstained:
        parts.append(_abstention(answer, documents))
        parts.append(style(wrapped(answer.notice), dim=True) if answer.notice else "")
    else:
        parts.append(wrapped(answer.notice))
        parts.append(wrapped(answer.text))
        parts.append("\n".join(_footnote(n, cs, documents) for n, cs in _by_number(answer).items()))
        parts.append(_summary(answer))
    return "\n\n".join(part for part in parts if part)


def _by_number(answer: Answer) -> dict[int, list[Citation]]:
    grouped: dict[int, list[Citation]] = {}
    for citation in answer.citations:
        grouped.setdefault(citation.number, []).append(citation)
    return grouped


def _footnote(number: int, citations: Sequence[Citation], documents: Mapping[str, Document]) -> str:
    first = citations[0]
    document = documents.get(first.doc_id)
    pad = " " * (len(str(number)) + 3)
    lines = [wrapped(first.title or first.source, indent=pad, first=f"[{number}] ")]
    if document:
        lines.append(style(wrapped(about(document), indent=pad), dim=True))
    lines += [wrapped(f"“{citation.quote}”", indent=pad) for citation in citations]
    return "\n".join(lines)


def _summary(answer: Answer) -> str:
    claims = answer.claims
    judges = sorted({claim.judge for claim in claims if claim.judge})
    supported = sum(claim.verdict is Verdict.SUPPORTED for claim in claims)
    text = f"{supported} of {len(claims)} sentences supported (judge: {'; '.join(judges) or 'none'})"
    if answer.withdrawn:
        what = "it" if len(answer.withdrawn) == 1 else "them"
        text += f" · {len(answer.withdrawn)} withdrawn because the papers do not support {what}"
    if answer.fabricated_markers:
        text += f" · {answer.fabricated_markers} made-up footnote numbers dropped"
    return style(wrapped(text, first="✓ ", indent="  "), dim=True)


def _abstention(answer: Answer, documents: Mapping[str, Document]) -> str:
    assert answer.abstention is not None
    lines = [style(wrapped(f"The papers don't say: {_REASONS[answer.abstention]}."), fg="yellow")]
    if answer.hits:
        lines += ["", "Nearest papers:"]
    for hit in answer.hits[:NEAREST]:
        lines.append(wrapped(hit.title or hit.chunk.text, first="  - ", indent="    "))
        document = documents.get(hit.chunk.doc_id)
        lines.append(style(wrapped(about(document) if document else hit.source, indent="    "), dim=True))
    return "\n".join(lines)


def hits_text(hits: Sequence[Hit]) -> str:
    """One paragraph a hit: rank, title, score, and the passage that fits; why there is none, without any."""
    if not hits:
        return _REASONS[Abstention.NO_HITS]
    return "\n\n".join(
        "\n".join(
            [
                wrapped(hit.title or "(no title)", first=f"{hit.rank:>2}. ", indent="    "),
                style(wrapped(f"{hit.source} · score {hit.score:.3f}", indent="    "), dim=True),
                wrapped(hit.chunk.text, indent="    "),
            ]
        )
        for hit in hits
    )


def verdict_text(verdict: Verdict) -> str:
    """Icon and word, never colour alone."""
    mark, colour = _MARKS[verdict]
    return style(f"{mark} {verdict.value.replace('_', ' ')}", fg=colour)


def progress_bar(label: str) -> Callable[[int, int], None]:
    """A callback (done, total) that draws a bar with rate and time left on a terminal's stderr."""
    from tqdm import tqdm

    bar = tqdm(desc=label, unit=" papers", file=sys.stderr, disable=not sys.stderr.isatty(), leave=False)

    def update(done: int, total: int) -> None:
        bar.total = total
        bar.update(done - bar.n)
        if done >= total:
            bar.close()

    return update


def check_text(check: Check) -> str:
    """A verdict with its reason and the sentences it was judged by."""
    judged = check.judgement
    lines = [f"{verdict_text(judged.verdict)}  (support {judged.support:.2f}, judge: {judged.judge})"]
    if judged.reason:
        lines.append(wrapped(judged.reason, indent="  "))
    for item in check.evidence:
        lines += ["", wrapped(f"“{item.text}”", indent="  ")]
        lines.append(style(wrapped(f"{item.document.title} · {item.document.source}", indent="  "), dim=True))
    return "\n".join(lines)


class LiveDraft:
    """The stages and the unchecked draft on a terminal's stderr, wiped when the answer is there.

    Does nothing where stderr is no terminal, so that pipes and logs stay clean.
    """

    def __init__(self) -> None:
        self._on = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        self._width = max(24, shutil.get_terminal_size().columns)
        self._shown = ""

    def stage(self, name: str) -> None:
        """Show the stage that begins, in place of the one before."""
        if self._on and not self._shown:
            sys.stderr.write(f"\r\x1b[K{style(name + ' …', dim=True)}")
            sys.stderr.flush()

    def write(self, piece: str) -> None:
        """Show a piece of the draft."""
        if not self._on:
            return
        if not self._shown:
            self._shown = "draft, not checked yet: "
            sys.stderr.write(f"\r\x1b[K{style(self._shown, dim=True)}")
        piece = clean(piece)
        self._shown += piece
        sys.stderr.write(style(piece, dim=True))
        sys.stderr.flush()

    def close(self) -> None:
        """Wipe everything shown."""
        if self._on:
            rows = max(0, len(self._shown) - 1) // self._width
            sys.stderr.write("\r" + (f"\x1b[{rows}A" if rows else "") + "\x1b[J")
            sys.stderr.flush()
