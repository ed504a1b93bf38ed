"""Words, numbers and names of a text, normalized so that two texts can be compared.

The analyzer of the lexical index gives stems elsewhere; here lie the parts that must stay exact:
figures with their units, and names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.text import without_accents

_SCALES = {
    "hundred": 1e2, "thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "billion": 1e9, "b": 1e9,
    "bn": 1e9, "trillion": 1e12, "t": 1e12,
}  # fmt: skip
_UNITS = {"%": "percent", "percent": "percent", "per cent": "percent", "percentage": "percent", "x": "times",
          "×": "times", "times": "times", "fold": "times", "-fold": "times"}  # fmt: skip
# A measure is set off from four digits, because the 1990s are no seconds.
_MEASURES = "ns µs μs ms s min h mg µg μg kg g nm µm μm mm cm km m kB KB MB GB TB K °C °F Hz kHz MHz GHz".split()
_SPELLINGS = {"kB": "KB", "μs": "µs", "μg": "µg", "μm": "µm", "nanosecond": "ns", "microsecond": "µs",
              "millisecond": "ms", "second": "s", "minute": "min", "hour": "h"}  # fmt: skip
_TIMES = r"(?:nano|micro|milli)?second|minute|hour|day|week|month|year"
_DIGITS = "one two three four five six seven eight nine".split()
_TEENS = "ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_MULTIPLES = {
    "twice": 2, "double": 2, "doubles": 2, "doubled": 2, "doubling": 2, "triple": 3, "tripled": 3, "tripling": 3,
}  # fmt: skip
_NUMBER_WORDS = {
    **{word: value for value, word in enumerate(["zero", *_DIGITS, *_TEENS])},
    **{word: 10 * tens for tens, word in enumerate(_TENS, start=2)},
    "hundred": 100,
    "dozen": 12,
    "a": 1,
    **_MULTIPLES,
}
_SUPERSCRIPTS = str.maketrans("⁺⁻−⁰¹²³⁴⁵⁶⁷⁸⁹", "+--0123456789", "^{}")
_MOST_RAISED = 1000  # 2020¹² is a year with a note; with its inverse, what no power takes beyond a float
_SILENT = frozenset(("zero", "one", "a"))  # "one of", "zero-shot": words rather than figures

_FIGURE = re.compile(
    rf"""(?<![\w.])(?P<sign>(?<![^\s(\[{{=<>≤≥≈~$:,;|])(?<!\d\s)[-−–])?(?:[$€£]\s?)?
        (?P<digits>\d{{1,3}}(?:,\d{{3}})++(?!\d)(?:\.\d++)?|\d++(?:\.\d++)?|\.\d++)
        (?:(?P<power>[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{{1,2}}|\^\{{?[-+−]?\d{{1,2}}\}}?)|e(?P<exponent>[-+−]?\d{{1,2}})(?![a-z\d]))?
        (?:(?P<scale>[\s-]?(?:hundred|thousand|million|billion|trillion|bn)|[kmbt]|\s(?-i:B))(?![a-z]))?
        (?P<plus>\+)?
        (?:\s?-?(?P<unit>%|per\ ?cent(?:age)?|x(?![a-z])|×|times\b|-?fold\b)
          |\s?(?P<measure>(?<!\d{{4}})(?-i:{"|".join(_MEASURES)}))(?!\w)
          |[\s-]?(?P<time>{_TIMES})s?\b)?
        (?!\w*[a-z]{{2}}\d)""",
    re.IGNORECASE | re.VERBOSE,
)
_BELOW_HUNDRED = rf"(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_DIGITS)}))?|{'|'.join((*_TEENS, *_DIGITS))}"
_IN_WORDS = re.compile(
    rf"(?P<word>(?:{'|'.join(_TENS)})[ -](?:{'|'.join(_DIGITS)})\b|(?:{'|'.join(_NUMBER_WORDS)})(?=fold\b)|[A-Za-z]+)"
    r"(?:[ -](?P<scale>hundred|thousand|million|billion|trillion)\b)?"
    rf"(?:(?<=hundred)(?: and)?[ -](?P<rest>{_BELOW_HUNDRED})\b(?!-| hundred\b))?"
    r"(?:[ -](?P<over>thousand|million|billion|trillion)\b)?"
    r"(?:[ -]?(?P<unit>per ?cent|times|fold)\b)?",
    re.IGNORECASE,
)
_RANGE = re.compile(
    r"(?<![\w.,-])(\d++(?:\.\d++)?)\s?(?:-|–|to)\s?(\d++(?:\.\d++)?)"
    r"(\s?(?:(?:k|m|b|bn|million|billion|thousand)(?![^\W\d_])|%))",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W_]+(?:['’.+@/-][^\W_]+)*", re.UNICODE)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in a text: its value with scale and sign, and `percent`, `times`, a measure (`ms`, `GB`) or no unit."""

    value: float
    unit: str
    text: str


def figures(text: str) -> list[Figure]:
    """All figures in order: `1,398`, `2 billion`, `128K`, `24x`, `6.22 %`, `eight-billion`, `2-27B` (both ends)."""
    spread = _RANGE.sub(lambda m: f"{m[1]}{m[3]} to {m[2]}{m[3]}", text)
    found = [(match.start(), _figure(match)) for match in _FIGURE.finditer(spread)]
    found += [(match.start(), figure) for match in _IN_WORDS.finditer(spread) if (figure := _spelled(match))]
    return [figure for _, figure in sorted(found, key=lambda pair: pair[0])]


def _figure(match: re.Match[str]) -> Figure:
    scale = (match["scale"] or "").strip(" -").lower()
    value = float(match["digits"].replace(",", "")) * _SCALES.get(scale, 1.0)
    if match["power"] and 1 / _MOST_RAISED <= value < _MOST_RAISED:
        value **= int(match["power"].translate(_SUPERSCRIPTS))
    if match["exponent"]:
        value *= 10.0 ** int(match["exponent"].replace("−", "-"))
    measure = match["measure"] or (match["time"] or "").lower()
    unit = _UNITS.get((match["unit"] or "").lower(), _SPELLINGS.get(measure, measure))
    return Figure(-value if match["sign"] else value, unit, match.group().strip())


def _spelled(match: re.Match[str]) -> Figure | None:
    """The figure of a number in words, if it is one: `twofold`, `a thousand`, `one hundred and twenty`."""
    parts, scale = re.split("[ -]", match["word"].lower()), (match["scale"] or "").lower()
    if not set(parts) <= _NUMBER_WORDS.keys() or (parts[0] in _SILENT and not scale):
        return None
    if parts[0] == "a" and re.search(r"\bhalf $", match.string[: match.start()], re.IGNORECASE):
        return None
    value = sum(_NUMBER_WORDS[part] for part in parts) * _SCALES.get(scale, 1.0)
    value += sum(_NUMBER_WORDS[part] for part in re.split("[ -]", (match["rest"] or "").lower()) if part)
    value *= _SCALES.get((match["over"] or "").lower(), 1.0)
    unit = "times" if parts[0] in _MULTIPLES else _UNITS.get((match["unit"] or "").lower(), "")
    return Figure(value, unit, match.group())


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


def name_key(name: str) -> str:
    """Form in which names are compared: lower case, no accents, no punctuation, no plural s."""
    key = "".join(char for char in without_accents(name).lower() if char.isalnum())
    return key[:-1] if key.endswith("s") and len(key) > 3 else key
