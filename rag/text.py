"""Sentence spans with exact offsets, whitespace folding, and finding a quote in a text.

Rules rather than a model: scholarly English has few sentence ends that are hard, and offsets must be
exact by construction, which the splitters at hand do not promise. A boundary is terminal punctuation,
closing quotes or brackets, white space, and something that can open a sentence; abbreviations,
initials, decimals, versions and URLs are no boundaries.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

Span = tuple[int, int]

_TERMINAL = re.compile(
    r"""(?<![.?!…])[.?!…]++["'”’»)\]]*(?:\[\d{1,3}(?:[,–-] ?\d{1,3})*\])*(?=\s|$)|[。！？]+["”’」』]*"""
    r"""|[.?!](?=[A-Z][a-z]+[ ,])|\n[ \t\r]*\n"""
)
_OPENER = re.compile(r"""["'“‘«(\[{$\\*_~#]*(?:[^\W_a-z]|[a-z]{1,3}[A-Z0-9])""")  # a capital, or mRNA, pH, p53
_LOST_SPACE = re.compile(r"[a-z]{2,}[)\"”]?$")
_PLAIN_WORD = re.compile(r"(?:^|[\s(-])[a-z]{4,}[)\"”]?$")  # not in `ClinicalTrials.Gov is`
_BLANK = re.compile(r"\s+")
_WORD_BEFORE = re.compile(r"[^\s(\[{\"“]+$")
_STROKES = str.maketrans("łŁøØđĐħĦŧŦı", "lLoOdDhHtTi")  # letters that Unicode takes for letters of their own
_INITIAL = re.compile(r"(?:^|[-.])[A-Z]$")

# Never at the end of a sentence: what they introduce follows.
_OPEN_ABBREVIATIONS = frozenset(
    "e.g eg i.e ie cf viz vs fig figs eq eqs eqn sec secs tab ref refs vol pp p ch dr mr mrs ms prof "
    "st approx ca resp incl esp dept w.r.t s.t a.k.a aka cit op".split()
)
# Only before a number: "Dec. 2020", "No. 5", but "The answer is no. We ...".
_BEFORE_A_NUMBER = frozenset(
    "no nos jan feb mar apr jun jul aug sep sept oct nov dec sect chap thm tbl alg app max min avg".split()
)
_NUMBER = re.compile(r"\s*[#(]?(?:\d|[IVX]+\b)")
# May end a sentence: they do when the next word is one that opens sentences.
_CLOSED_ABBREVIATIONS = frozenset("al etc inc ltd corp co jr sr u.s u.k u.n e.u a.m p.m ph.d d.c".split())
_STARTERS = frozenset(
    "a additionally after all although an and as at based because besides both but by code compared despite "
    "during each empirically existing experiments extensive finally first for from furthermore given here "
    "how however if importantly in instead it its later many moreover most motivated nevertheless next no "
    "notably on one other our overall prior recent recently results second several similarly since some "
    "specifically such surprisingly that the their then there therefore these they third this those though "
    "through thus to together two under unlike using we what when where whereas whether which while why "
    "with within without yet you".split()
)


def sentence_spans(text: str) -> list[Span]:
    """Split into sentences: ordered, disjoint, non-empty, without outer white space.

    Together they cover every character of `text` that is not white space.
    """
    spans = []
    start = 0
    for end in _boundaries(text):
        spans.append(_trim(text, start, end))
        start = end
    spans.append(_trim(text, start, len(text)))
    return [(start, end) for start, end in spans if start < end]


def sentences(text: str) -> list[str]:
    """The sentences themselves."""
    return [text[start:end] for start, end in sentence_spans(text)]


def without_accents(text: str) -> str:
    """Letters without accents and strokes, compatibility forms resolved: `Łódź` is `Lodz`, `ﬁ` is `fi`."""
    plain = unicodedata.normalize("NFKD", text.translate(_STROKES))
    return "".join(character for character in plain if not unicodedata.combining(character))


def whole(text: str) -> str:
    """The text with a `?` for all that is no character: half a surrogate pair, a byte that is not UTF-8."""
    return text.encode("utf-8", "replace").decode()


def json_lines(text: str) -> list[str]:
    """The lines of JSON Lines, cut at line feeds only: the strings in them may hold other separators (U+2028)."""
    return text.split("\n")


def fold(text: str) -> str:
    """Collapse every run of white space (NBSP included) into one space and trim."""
    return " ".join(text.split())


_SAME = str.maketrans({"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "−": "-", "‐": "-"})


def locate(quote: str, text: str) -> Span | None:
    """Find `quote` in `text`, allowing for other white space, quotation marks and dashes.

    Returns the span in `text` itself, the first one if there are several, `None` if there is none or
    the quote is blank. Letter case and every other character must agree.
    """
    words = [re.escape(word) for word in quote.translate(_SAME).split()]
    if not words:
        return None
    found = re.search(r"\s+".join(words), text.translate(_SAME))
    return found.span() if found else None


def _boundaries(text: str) -> Iterator[int]:
    for mark in _TERMINAL.finditer(text):
        if mark.group().startswith("\n"):
            yield mark.start()
        elif _ends_sentence(text, mark):
            yield mark.end()


def _ends_sentence(text: str, mark: re.Match[str]) -> bool:
    blank = _BLANK.match(text, mark.end())
    rest = text[mark.end() : (blank or mark).end() + 60]
    if text[mark.start()] in "。！？":
        return True
    if rest[:1].isspace() and text[mark.start() - 1 : mark.start()].isspace():
        return True  # tokenized text, "levels . the", which is often lower-cased too
    if not rest[:1].isspace():
        before = text[max(0, mark.start() - 30) : mark.start()]
        is_lost = _PLAIN_WORD.search(before) or (_LOST_SPACE.search(before) and _next_word(rest) in _STARTERS)
        return bool(rest and is_lost)
    if not _OPENER.match(rest.lstrip()):
        return False
    if not text.startswith(".", mark.start()) or mark.group().startswith(".."):
        return True
    return not _is_abbreviation(text[max(0, mark.start() - 30) : mark.start()], rest)


def _is_abbreviation(before: str, after: str) -> bool:
    found = _WORD_BEFORE.search(before)
    word = found.group() if found else ""
    if word.lower() in _OPEN_ABBREVIATIONS:
        return True
    if word.lower() in _BEFORE_A_NUMBER:
        return bool(_NUMBER.match(after))
    if word.lower() in _CLOSED_ABBREVIATIONS or _INITIAL.search(word):
        return _next_word(after) not in _STARTERS
    return False


def _next_word(text: str) -> str:
    found = re.search(r"\w+", text)
    return found.group().lower() if found else ""


def _trim(text: str, start: int, end: int) -> Span:
    while start < end and text[start].isspace():
        start += 1
    while start < end and text[end - 1].isspace():
        end -= 1
    return start, end
