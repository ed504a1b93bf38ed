"""Figures of a text, with scale, sign, unit and bound, and whether one says what another says.

What must stay exact where stems and vectors see no difference: `128K`, `24x`, `over 90%`, `two thirds of`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_SCALES = {
    "dozen": 12, "hundred": 1e2, "thousand": 1e3, "k": 1e3, "million": 1e6, "m": 1e6, "billion": 1e9, "b": 1e9,
    "bn": 1e9, "trillion": 1e12, "t": 1e12,
}  # fmt: skip
_UNITS = {"%": "percent", "percent": "percent", "per cent": "percent", "percentage": "percent", "x": "times",
          "×": "times", "times": "times", "fold": "times", "-fold": "times"}  # fmt: skip
# A measure is set off from four digits, because the 1990s are no seconds.
_MEASURES = "ns µs μs ms s min h mg µg μg kg g nm µm μm mm cm km m kB KB MB GB TB K °C °F Hz kHz MHz GHz".split()
_SPELLINGS = {"kB": "KB", "μs": "µs", "μg": "µg", "μm": "µm", "nanosecond": "ns", "microsecond": "µs",
              "millisecond": "ms", "second": "s", "minute": "min", "hour": "h", "kilobyte": "KB", "megabyte": "MB",
              "gigabyte": "GB", "terabyte": "TB", "microgram": "µg", "milligram": "mg", "gram": "g", "kilogram": "kg",
              "nanometer": "nm", "micrometer": "µm", "millimeter": "mm", "centimeter": "cm", "meter": "m",
              "kilometer": "km", "hertz": "Hz", "kilohertz": "kHz", "megahertz": "MHz", "gigahertz": "GHz",
              "$": "dollar", "us$": "dollar", "usd": "dollar", "€": "euro", "eur": "euro"}  # fmt: skip
_SPELT = (
    r"(?:nano|micro|milli)?second|minute|hour|day|week|month|year|decade|(?:kilo|mega|giga|tera)byte"
    r"|(?:micro|milli|kilo)?gram|(?:nano|micro|milli|centi|kilo)?met(?:er|re)|mile|(?:kilo|mega|giga)?hertz"
    r"|dollar|euro|usd|eur"
)
_MONEY = r"(?:US)?\$(?!\S{0,20}\s?[$\\^_])|[€£]"  # no mark of LaTeX: `$5$`
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
_SUPERSCRIPTS = str.maketrans("⁺⁻−–⁰¹²³⁴⁵⁶⁷⁸⁹", "+---0123456789", "$^{}()")
_MOST_RAISED = 1000  # 2020¹² is a year with a note; with its inverse, what no power takes beyond a float
# Thin blanks part thousands, a plain one only where nothing else can be meant: not in `Llama 3 405B`.
_SPACED = r"\d{1,3}(?:[\u00a0\u2009\u202f]\d{3})++(?!\d)(?:\.\d++)?|\d{1,3}(?:\ \d{3})++(?![\w-]|[.,]\d)"
_POWER = r"[⁺⁻]?[⁰¹²³⁴⁵⁶⁷⁸⁹]{1,2}|\$?\^\{?[-+−]?\d{1,2}\}?"
_SILENT = frozenset(("zero", "one", "a"))  # "one of", "zero-shot": words rather than figures
_IN_PASSING = {"zero": 0, "one": 1, "single": 1, "both": 2, "²": 2, "³": 3}

_FIGURE = re.compile(
    rf"""(?<![\w.])(?P<sign>(?<![^\s(\[{{=<>≤≥≈~$:,;|])(?<!\d\s)[-−–])?(?:(?P<money>{_MONEY})\s?|\$)?
        (?P<digits>\d{{1,3}}(?:,\d{{3}})++(?!\d)(?:\.\d++)?|{_SPACED}|\d++(?:\.\d++)?|\.\d++)
        (?:\s?(?:[×·x*]|\\(?:times|cdot))\s?10(?:(?P<of_ten>{_POWER})|(?P<flat>\(?[-−–]\d{{1,2}}\)?)(?!\d))
          |(?P<power>{_POWER})|e(?P<exponent>[-+−]?\d{{1,2}})(?![a-z\d]))?
        (?:(?P<scale>[\s-]?(?:dozen|hundred|thousand|million|billion|trillion|bn)|[kmbt]|\s(?-i:B))(?![a-z]))?
        (?P<plus>\+)?
        (?:\s?-?(?P<unit>%|per\ ?cent(?:age)?|x(?![a-z])|×|times\b|-?fold\b)
          |\s?(?P<measure>(?<!\d{{4}})(?-i:{"|".join(_MEASURES)}))(?!\w)
          |[\s-]?(?P<spelt>{_SPELT})s?\b)?
        (?!\w*[a-z]{{2}}\d)""",
    re.IGNORECASE | re.VERBOSE,
)
_BELOW_HUNDRED = rf"(?:{'|'.join(_TENS)})(?:[ -](?:{'|'.join(_DIGITS)}))?|{'|'.join((*_TEENS, *_DIGITS))}"
_IN_WORDS = re.compile(
    rf"(?P<word>(?:{'|'.join(_TENS)})[ -](?:{'|'.join(_DIGITS)})\b|(?:{'|'.join(_NUMBER_WORDS)})(?=fold\b)|[A-Za-z]+)"
    r"(?P<half> and a half\b)?(?:[ -](?P<scale>dozen|hundred|thousand|million|billion|trillion)\b)?"
    rf"(?:(?<=hundred)(?: and)?[ -](?P<rest>{_BELOW_HUNDRED})\b(?!-| hundred\b))?"
    r"(?:[ -](?P<over>thousand|million|billion|trillion)\b)?"
    rf"(?:[ -]?(?P<unit>per ?cent|times|fold)\b|[ -](?P<spelt>{_SPELT})s?\b)?"
    r"(?![ -](?:thirds?|quarters?|fifths?|tenths?|hal(?:f|ves))\b)",
    re.IGNORECASE,
)
_DIVISORS = {"half": 2, "third": 3, "quarter": 4, "fifth": 5, "tenth": 10}
_SHARE = re.compile(
    r"(?P<by>\bby )?(?<!first )(?<!second )(?<!latter )\b"
    r"(?:half|(?P<count>an?|one|two|three|four)[ -](?P<part>third|quarter|fifth|tenth)s?)\b"
    r"(?(by)|(?= (?:of|the|its|their|our)\b))",
    re.IGNORECASE,
)
_ODDS = re.compile(
    rf"(?<!no )\b(?:(?P<one>one|1)|(?P<some>{'|'.join(_DIGITS[1:])}|[2-9]))\s(?:in|out\sof)\s(?:every\s)?"
    rf"(?P<of>(?(one)(?:{'|'.join((*_DIGITS[1:], *_TEENS, *_TENS))}|[2-9]|[1-9]\d{{1,2}})|(?:ten|10)))\b"
    rf"(?![-.\w]|[,\s]\d|\s(?:{_SPELT})s?\b)",
    re.IGNORECASE,
)
_FROM = (
    r"(?:more|greater|higher|larger|longer|older) than|no (?:less|fewer) than|at least|exceed(?:s|ed|ing)?|upwards of"
    r"|>=?|[≥⩾]"
)
_TO = r"(?:less|fewer|lower|smaller|shorter|younger) than|(?:no|not) (?:more|greater) than|at most|<=?|[≤⩽]"
_ABOUT = r"about|around|approximately|approx\.?|roughly|nearly|almost|circa|ca\.|close to|[~≈∼]"
_BEFORE = re.compile(
    rf"(?:\b|(?=\W))(?:(?P<over>{_FROM})|(?P<under>{_TO})|(?P<about>{_ABOUT})"
    r"|(?P<loosely_over>over|above|beyond)|(?P<loosely_under>under|below|up to))\s?(?:an? )?$",
    re.IGNORECASE,
)
_BEHIND = re.compile(
    r"\s?(?:(?P<over>\+|or (?:more|above|higher|greater|longer|older)\b)"
    r"|(?P<under>or (?:less|fewer|below|lower|shorter|younger)\b))",
    re.IGNORECASE,
)
_LONGEST_BOUND = 24  # characters
_MANY = 100
_P_VALUE = re.compile(
    r"(?<![\w-])p(?:[ -]?values?(?: of| was| is| were)?|(?=\s?[=<>≤≥⩽⩾]))\s?"
    rf"(?:[=:]|{_FROM}|{_TO}|below|under|above|over)?\s?$",
    re.IGNORECASE,
)
_RAISED_POINT = re.compile(rf"(?<=\d)·(?=\d)(?!10(?:{_POWER}|[-−–]\d))")
_FRACTIONS = {"¼": ".25", "½": ".5", "¾": ".75"}
_FRACTION = re.compile(r"(?<=\d)\s?([¼½¾])")
_PASSED = re.compile(r"\b(?:zero|one|single|both)\b|(?<=[^\W\d_)])[²³]", re.IGNORECASE)
_RANGE = re.compile(
    r"(?<![\w.,-])(\d++(?:\.\d++)?)\s?(?:-|–|to)\s?(\d++(?:\.\d++)?)"
    r"(\s?(?:(?:k|m|b|bn|million|billion|thousand)(?![^\W\d_])|%))",
    re.IGNORECASE,
)
_BASES = {
    "ns": ("s", 1e-9), "µs": ("s", 1e-6), "ms": ("s", 1e-3), "min": ("s", 60.0), "h": ("s", 3600.0),
    "day": ("s", 86400.0), "week": ("s", 604800.0), "year": ("month", 12.0), "decade": ("month", 120.0),
    "KB": ("B", 1e3), "MB": ("B", 1e6), "GB": ("B", 1e9), "TB": ("B", 1e12),
    "µg": ("g", 1e-6), "mg": ("g", 1e-3), "kg": ("g", 1e3),
    "nm": ("m", 1e-9), "µm": ("m", 1e-6), "mm": ("m", 1e-3), "cm": ("m", 1e-2), "km": ("m", 1e3),
    "kHz": ("Hz", 1e3), "MHz": ("Hz", 1e6), "GHz": ("Hz", 1e9),
}  # fmt: skip
# "Over 40" of 60 is true, but rather said of another figure.
_FARTHEST = 1.25
_ROUGHLY = 0.05
_LEAST_SCORE = 10  # out of a hundred, for what may be out of one elsewhere: `.05` is no 5

P = "p"  # the unit of a p value


@dataclass(frozen=True, slots=True)
class Figure:
    """A number in a text: its value with scale and sign, and `percent`, `times`, `p`, a measure (`ms`) or no unit.

    `bound` is `over`, `under` or `about` where the text gives it so, else empty.
    """

    value: float
    unit: str
    text: str
    bound: str = ""

    def says(self, other: Figure) -> bool:
        """Whether it is the other's value, in any unit of the same kind; a missing unit agrees with any.

        A number below one is also that many percent, or a score of as many: `0.92` is `92%`, and `92`.
        """
        if self.unit and other.unit:
            one, given = _in_base(self), _in_base(other)
            return one.unit == given.unit and _equal(one.value, given.value)
        share, whole = sorted((self, other), key=lambda figure: abs(figure.value))
        is_score = not (share.unit or whole.unit) and whole.value >= _LEAST_SCORE
        is_share = (is_score or whole.unit == "percent") and abs(share.value) < 1
        return _equal(self.value, other.value) or (is_share and _equal(whole.value, 100 * share.value))

    def opposes(self, other: Figure) -> bool:
        """Whether one is `over` and the other `under`."""
        return {self.bound, other.bound} == {"over", "under"}

    def follows_from(self, exact: Figure) -> bool:
        """Whether it is a looser way to give an exact figure: `over 90%`, `about 90%`, `91%` of `91.3%`.

        Of p values the one that is bound farther out: `p < .05` of `p = .003`.
        """
        one, given = _in_base(self), _in_base(exact)
        if self.unit == exact.unit == P and self.bound in ("over", "under"):
            is_farther = given.value <= one.value if self.bound == "under" else given.value >= one.value
            return is_farther and exact.bound in ("", self.bound)
        if exact.bound or one.unit != given.unit or one.value * given.value <= 0:
            return False
        if not self.bound:
            return _is_rounded(self, exact)
        ratio = given.value / one.value
        in_bounds = {
            "over": 1 <= ratio <= _FARTHEST or given.value == one.value + 1,
            "under": 1 / _FARTHEST <= ratio <= 1 or given.value == one.value - 1,
            "about": abs(ratio - 1) <= _ROUGHLY,
        }
        finer = _digits(exact) - _digits(self)
        return in_bounds[self.bound] and finer >= (self.bound == "about")


def figures(text: str) -> list[Figure]:
    """All figures in order: `1,398`, `2 billion`, `128K`, `24x`, `6.22 %`, `eight-billion`, `2-27B` (both ends)."""
    pointed = _FRACTION.sub(lambda m: _FRACTIONS[m[1]], _RAISED_POINT.sub(".", text))
    spread = _RANGE.sub(lambda m: f"{m[1]}{m[3]} to {m[2]}{m[3]}", pointed)
    found = [(match, _figure(match)) for match in _FIGURE.finditer(spread)]
    found += [(match, figure) for match in _IN_WORDS.finditer(spread) if (figure := _spelled(match))]
    found += [(match, _share(match)) for match in _SHARE.finditer(spread)]
    odds = list(_ODDS.finditer(spread))
    found = [pair for pair in found if not any(one.start() <= pair[0].start() < one.end() for one in odds)]
    found += [(match, _odds(match)) for match in odds]
    return [_bounded(figure, match) for match, figure in sorted(found, key=lambda pair: pair[0].start())]


def in_passing(text: str) -> list[Figure]:
    """What a text says without giving a figure, `one`, `single`, `both`, `n²`: enough to say it again as one."""
    return [Figure(_IN_PASSING[match.group().lower()], "", match.group()) for match in _PASSED.finditer(text)]


def _bounded(figure: Figure, match: re.Match[str]) -> Figure:
    start, end = match.span()
    context = match.string[max(0, start - _LONGEST_BOUND) : start]
    figure = replace(figure, unit=P) if not figure.unit and _P_VALUE.search(context) else figure
    before = _BEFORE.search(context)
    kind = before.lastgroup if before else None
    if kind and kind.startswith("loosely_"):  # "over five tasks" is also across them, and "under" subject to
        is_many = figure.unit in ("percent", "times") or abs(figure.value) >= _MANY
        is_amount = is_many or (kind == "loosely_under" and bool(figure.unit))
        kind = kind.removeprefix("loosely_") if is_amount else None
    behind = _BEHIND.match(match.string, end - figure.text.endswith("+"))
    return replace(figure, bound=kind or (behind and behind.lastgroup) or "")


def _share(match: re.Match[str]) -> Figure:
    """`half of`, `by two thirds`, in percent."""
    count = _NUMBER_WORDS.get((match["count"] or "a").lower(), 1)
    return Figure(100 * count / _DIVISORS[(match["part"] or "half").lower()], "percent", match.group().strip())


def _odds(match: re.Match[str]) -> Figure:
    """`one in five`, `9 out of 10`, in percent."""
    few, all_of = (
        float(_NUMBER_WORDS.get(number.lower(), number)) for number in (match["one"] or match["some"], match["of"])
    )
    return Figure(100 * few / all_of, "percent", match.group())


def _equal(value: float, given: float) -> bool:
    return abs(value - given) <= 1e-9 * abs(given)


def _in_base(figure: Figure) -> Figure:
    unit, factor = _BASES.get(figure.unit, (figure.unit, 1.0))
    return replace(figure, value=figure.value * factor, unit=unit)


def _digits(figure: Figure) -> int:
    """How many digits count: 1 of `90%`, 3 of `89.6%`, 1 of `half of`."""
    digits = "".join(char for char in figure.text if char.isdigit() or char == ".").lstrip("0.")
    return max(1, len(digits.replace(".", "") if "." in digits else digits.rstrip("0")))


def _is_rounded(figure: Figure, exact: Figure) -> bool:
    """Whether it is the exact figure with fewer decimals, or a share such as a third."""
    if figure.unit != exact.unit:
        return False
    digits, others = (re.search(r"\d[\d,]*(?:\.(\d+))?", one.text) for one in (figure, exact))
    if not (digits and others):
        return figure.unit == "percent" and abs(figure.value - exact.value) < 0.5
    places, more = len(digits[1] or ""), len(others[1] or "")
    shown = float(digits[0].replace(",", ""))
    scale = figure.value / shown if shown else 1.0
    return more > places and (places > 0 or shown >= 10) and round(exact.value / scale, places) == abs(shown)


def _figure(match: re.Match[str]) -> Figure:
    scale = (match["scale"] or "").strip(" -").lower()
    tens = _whole(match["of_ten"] or match["flat"] or match["exponent"] or "0")
    digits = re.sub(r"[,\s]", "", match["digits"])
    value = float(f"{digits}e{tens}") * _SCALES.get(scale, 1.0)
    if match["power"] and 1 / _MOST_RAISED <= value < _MOST_RAISED:
        value **= _whole(match["power"])
    unit = _unit(match, match["measure"] or match["spelt"] or match["money"] or "")
    return Figure(-value if match["sign"] else value, unit, match.group().strip())


def _whole(exponent: str) -> int:
    return int(exponent.translate(_SUPERSCRIPTS))


def _spelled(match: re.Match[str]) -> Figure | None:
    """The figure of a number in words, if it is one: `twofold`, `a thousand`, `one hundred and twenty`."""
    parts, scale = re.split("[ -]", match["word"].lower()), (match["scale"] or "").lower()
    if not set(parts) <= _NUMBER_WORDS.keys() or (parts[0] in _SILENT and not scale and not match["half"]):
        return None
    value = (sum(_NUMBER_WORDS[part] for part in parts) + (0.5 if match["half"] else 0)) * _SCALES.get(scale, 1.0)
    if parts[0] == "a" and match.string[: match.start()].lower().endswith("half "):
        value /= 2
    value += sum(_NUMBER_WORDS[part] for part in re.split("[ -]", (match["rest"] or "").lower()) if part)
    value *= _SCALES.get((match["over"] or "").lower(), 1.0)
    if parts[0] in _MULTIPLES:
        return Figure(value, "times", match.group())
    return Figure(value, _unit(match, match["spelt"] or ""), match.group())


def _unit(match: re.Match[str], measure: str) -> str:
    known = measure if measure in _MEASURES else measure.lower().replace("metre", "meter")
    return _UNITS.get((match["unit"] or "").lower(), _SPELLINGS.get(known, known))
