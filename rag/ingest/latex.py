r"""LaTeX markup as the characters that it stands for: `{\"o}` as `ö`, `{\textless}` as `<`.

Only what certainly is markup is read; the rest, formulas above all, stays as it is. A full LaTeX-to-text
pass will not do: most fields hold no clean LaTeX, and it takes an unescaped `%` for a comment and loses
the rest of the line. The symbols are pylatexenc's. The accents are not, since it has neither comma below
nor hook, and makes nothing of `\~{}`.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_MARKS = {
    "'": "\u0301",
    "`": "\u0300",
    '"': "\u0308",
    "^": "\u0302",
    "~": "\u0303",
    "=": "\u0304",
    ".": "\u0307",
    "u": "\u0306",
    "v": "\u030c",
    "H": "\u030b",
    "c": "\u0327",
    "k": "\u0328",
    "r": "\u030a",
    "d": "\u0323",
    "b": "\u0331",
    "h": "\u0309",
    "t": "\u0361",
    "textcommabelow": "\u0326",
}
_ESCAPED = {**{sign: sign for sign in "%&$#_{}~^"}, " ": " ", ",": " ", "-": ""}
_MORE_SYMBOLS = {
    "P": "¶",
    "S": "§",
    "copyright": "©",
    "pounds": "£",
    "slash": "/",
    "textasciicircum": "^",  # pylatexenc has the modifier letter
    "textbar": "|",
    "textbraceleft": "{",
    "textbraceright": "}",
    "textgreater": ">",
    "textless": "<",
    "textquotedbl": '"',
    "textunderscore": "_",
}
_MATH = (
    r"\$\$[^$]+\$\$|\$(?:[^$\\]|\\.)*\$|\\\((?:[^\\]|\\[^()])*\\\)|\\\[(?:[^\\]|\\[^\[\]])*\\\]"
    r"|\\begin\{\w+\*?\}(?:(?!\\begin\{|\\end\{).)*\\end\{\w+\*?\}"
)
_ACCENT = (
    r"""\\(?P<mark>['"`^~=.]|(?:[uvHckrdbht]|textcommabelow)(?![a-zA-Z]))\s*"""
    r"(?P<under>\{(?:[^{}]|\{[^{}]{0,20}\}){0,20}\}|\\[ij](?![a-zA-Z])\s?|[^\W\d_])"
)
_MARKUP = re.compile(
    rf"(?P<open>\{{\s*)?(?:(?P<math>{_MATH})|{_ACCENT}|\\(?P<name>[a-zA-Z]+)(?P<after>\{{\}}|\s?)"
    r"|\\(?P<sign>[^a-zA-Z])|(?<=\{)(?P<alone>[^\w\s\\{}$]|_))(?(open)\s*\})|[{}~]",
    re.DOTALL,
)
_DOTLESS = str.maketrans("ıȷ", "ij")


def decoded(text: str) -> str:
    r"""A text with accents, symbols and escaped signs as characters; other braces and macros stay."""
    if "\\" not in text and "{" not in text:
        return text
    return _MARKUP.sub(lambda found: found[0] if (plain := _plain(found)) is None else plain, text)


def unbraced(text: str) -> str:
    r"""The same without braces, ties and formatting: `{\it in} \emph{vivo}~{DNA}` is `in vivo DNA`.

    A macro without a character of its own is formatting if it opens or precedes braces.
    """
    return _MARKUP.sub(lambda found: _stripped(found) if (plain := _plain(found)) is None else plain, text)


def identifier(text: str) -> str:
    r"""A DOI, address or number without its markup; `\~` is no accent here."""
    tildes = text.replace(r"\~{}", "~").replace(r"\~", "~")
    return re.sub(r"\\url\b|[{}]", "", decoded(tildes))


def _plain(found: re.Match[str]) -> str | None:
    if found["mark"]:
        return _accented(found["mark"], found["under"])
    if found["name"]:
        return _symbol(found["name"], found["after"])
    if found["sign"]:
        return _ESCAPED.get(found["sign"])
    return found["math"] or found["alone"]


def _stripped(found: re.Match[str]) -> str:
    if found[0] == "~" or found["sign"] == "\\":
        return " "
    start, end = found.span()
    if found["name"] and (found.string.endswith("{", 0, start) or found.string.startswith("{", end)):
        return ""
    return re.sub(r"[{}]", "", found[0])


def _accented(mark: str, under: str) -> str | None:
    letter = decoded(under[1:-1] if under.startswith("{") else under).strip().translate(_DOTLESS)
    if not letter:
        return mark if mark in _ESCAPED else None
    if len(letter) > 2 or not letter[0].isalpha():
        return None
    return unicodedata.normalize("NFC", letter[0] + _MARKS[mark] + letter[1:])


def _symbol(name: str, after: str) -> str | None:
    symbols = _symbols()
    symbol = symbols.get(name) or symbols.get(name.removeprefix("text"))
    if symbol is None or after == "{}":
        return symbol
    is_inside_word = symbol.isalpha() and symbol < "\u0250"  # as in `stra\ss e`; elsewhere the space is meant
    return symbol if is_inside_word else symbol + after


@lru_cache(maxsize=1)
def _symbols() -> dict[str, str]:
    from pylatexenc.latex2text import get_default_latex_context_db

    specs = get_default_latex_context_db().iter_macro_specs(["advanced-symbols", "latex-base"])
    found = {spec.macroname: spec.simplify_repl for spec in specs if isinstance(spec.simplify_repl, str)}
    return {name: text for name, text in found.items() if len(text) == 1 and name.isalpha()} | _MORE_SYMBOLS
