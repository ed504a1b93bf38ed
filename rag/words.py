"""Words and names of a text, normalized so that two texts can be compared.

The analyzer of the lexical index gives stems elsewhere; here lie the parts that must stay exact.
"""

from __future__ import annotations

import re
from functools import lru_cache

from rag.text import without_accents

_WORD = re.compile(r"[^\W_]+(?:['’.+@/-][^\W_]+)*", re.UNICODE)


def words(text: str) -> list[str]:
    """Words in lower case, inner hyphens, dots and apostrophes kept: `state-of-the-art`, `gpt-4o`."""
    return [match.group().lower() for match in _WORD.finditer(text)]


def names(text: str) -> list[str]:
    """Names as written: `BASED`, `DeRa`, `GPT-4o`, `Wikipedia`; no ordinary word that opens a sentence."""
    found = []
    opens = True
    last = 0
    for match in _WORD.finditer(text):
        between = text[last : match.start()]
        opens = opens or bool(re.search(r"[.?!:;\n\"“(]", between))
        word = re.sub(r"['’]s$", "", match.group())
        if _is_name(word, opens):
            found.append(word)
        opens = False
        last = match.end()
    return found


def _is_name(word: str, opens: bool) -> bool:
    letters = [char for char in word if char.isalpha()]
    if not letters or len(word) < 2:
        return False
    capitals = sum(char.isupper() for char in letters)
    inner = sum(char.isupper() for char in letters[1:])
    if re.fullmatch(r"[A-Z][a-z]+(?:-[a-z]+)+", word):  # "Side-by-side" opening a heading
        return not opens
    if re.fullmatch(r"\d+(?:\.\d+)?[A-Za-z]{1,3}\+?", word):  # a figure with its unit
        return False
    return inner >= 1 or (capitals >= 1 and any(char.isdigit() for char in word)) or (capitals == 1 and not opens)


@lru_cache(maxsize=20_000)
def name_key(name: str) -> str:
    """Form in which names are compared: lower case, no accents, no punctuation, no plural s."""
    key = "".join(char for char in without_accents(name).lower() if char.isalnum())
    return key[:-1] if key.endswith("s") and len(key) > 3 else key
