"""Single bibliographic values: years, identifiers, and people's names in their many spellings.

Each function takes whatever a file holds and returns the value in one form, or nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

ET_AL = "et al."

_YEAR = re.compile(r"(?<!\d)(1[5-9]\d\d|20\d\d)(?!\d)")
_COMPACT_DATE = re.compile(r"(1[5-9]\d\d|20\d\d)[01]\d[0-3]\d")
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_ARXIV_DOI = re.compile(r"10\.48550/arxiv\.(\S+)", re.I)
_ARXIV_NEW = r"\d{2}(?:0[1-9]|1[0-2])\.\d{4,5}"
_ARXIV_OLD = (  # https://arxiv.org/archive; those begun since 2007 have no ids of this form
    r"(?:acc-phys|adap-org|alg-geom|ao-sci|astro-ph|atom-ph|bayes-an|chao-dyn|chem-ph|cmp-lg|comp-gas|cond-mat|cs|dg-ga|"
    r"funct-an|gr-qc|hep-(?:ex|lat|ph|th)|math(?:-ph)?|mtrl-th|nlin|nucl-(?:ex|th)|patt-sol|physics|plasm-ph|q-alg|q-bio|"
    r"quant-ph|solv-int|supr-con)(?:\.[a-z]{2})?/\d{7}"
)
_ARXIV = re.compile(
    rf"(?:(?:https?://)?(?:www\.|export\.)?arxiv\.org/(?:abs|pdf|html)/|arxiv:\s*)?"
    rf"({_ARXIV_NEW}|{_ARXIV_OLD})(v\d+)?(?:\.pdf)?(?:\s*\[[\w.-]+\])?/?",
    re.I,
)
_PMID = re.compile(  # pandas makes 123.0 of it
    r"(?:(?:https?://)?(?:www\.)?pubmed\.ncbi\.nlm\.nih\.gov/|pmid:?\s*)?(\d{1,9})(?:\.0)?/?",
    re.I,
)
_SCOPUS_ID = re.compile(r" *\(\d{6,}\)")
_TRAILING_ET_AL = re.compile(r"(?:(?:\band|&) )?\b(?:et\.? al\b\.?|others)$", re.I)
_NAMES_LIMIT = 200_000  # characters: the longest author lists, of some 5,000 people, have half of that
_AND = re.compile(r" (?:and|&) |;")
_SUFFIX = re.compile(r"(?:jr|sr|ii|iii|iv|2nd|3rd|ph\.?d|m\.?d)\.?", re.I)
_INITIALS = re.compile(r"(?:[^\W\d_a-z]\.[\s-]*){1,4}|[^\W\d_a-z]{1,2}|[^\W\d_a-z](?:[\s-][^\W\d_a-z]){1,2}")
_FAMILY = r"(?:(?i:van|von|der|den|de|da|di|dos|du|la|le|el|al|bin|ter|ten)\s+)*[^\W\d_a-z][\w'’-]*"
_GIVEN = r"[^\W\d_a-z](?:[\w'’-]*|(?:\.[\s-]?[A-Z])*)\.?"
_INVERTED = re.compile(
    rf"{_FAMILY},\s*{_GIVEN}(?:\s+{_GIVEN}){{0,2}}|[^\W\d_a-z][\w'’-]+ [^\W\d_a-z][\w'’-]*[a-zß-ÿ][\w'’-]*,\s*{_GIVEN}"
)
_FAMILY_FIRST = re.compile(  # "Smith JA", "van der Berg J.-P., Jr", as PubMed and Scopus have it
    r"(?P<family>(?=\S*[a-zß-ÿ])[^\W\d_][^\s,.\d]+(?: [^\W\d_][^\s,.\d]+)*) "
    r"(?P<given>[^\W\d_a-z]{1,3}\.?|[^\W\d_a-z]\.(?:[ -]?[^\W\d_a-z]\.){0,3})(?: (?P<suffix>Jr\.?|Sr\.?|2nd|3rd))?"
)
_NO_INITIALS = frozenset(("II", "III", "IV", "AI"))
_NAME_KEYS = (
    "name",
    "display_name",
    "full_name",
    "fullName",
    "literal",
    "author",
    "value",
    "raw_author_name",
)
_FAMILY_KEYS = ("family", "last", "lastName", "last_name", "surname", "lastname", "keyname")
_GIVEN_KEYS = ("given", "first", "firstName", "first_name", "forename", "firstname", "forenames")


def year(value: object) -> int | None:
    """The first plausible year (1500-2099) in a number, a date or a `date-parts` structure."""
    if isinstance(value, bool):
        return None
    if isinstance(value, dict):
        return next((found for part in value.values() if (found := year(part))), None)
    if isinstance(value, list | tuple):
        return next((found for part in value[:5] if (found := year(part))), None)
    text = str(value)[:200] if isinstance(value, str | int | float) else ""
    match = _COMPACT_DATE.fullmatch(text.strip()) or _YEAR.search(text)
    return int(match[1]) if match else None


def doi(value: object) -> str:
    """`10.1000/xyz` in lower case out of any of its spellings, or an empty string."""
    if not isinstance(value, str):
        return ""
    found = _DOI.search(unquote(value[:2000]) if "://" in value else value[:2000])
    if not found:
        return ""
    text = found[0].rstrip(".,;\"'>]}").lower()
    return text.rstrip(")") if text.count(")") > text.count("(") else text


def arxiv_id(value: object) -> str:
    """`2403.19851v2` or `hep-th/9901001` out of an id, prefix or address, or an empty string."""
    if not isinstance(value, str) or len(value) > 200:
        return ""
    found = _ARXIV.fullmatch(value.strip())
    return found[1] + (found[2] or "").lower() if found else arxiv_id_of_doi(value)


def arxiv_id_of_doi(value: str) -> str:
    """The arXiv id in a DOI that arXiv itself has given, or an empty string."""
    found = _ARXIV_DOI.search(value)
    return arxiv_id(found[1]) if found else ""


def pmid(value: object) -> str:
    """A PubMed number as digits, or an empty string."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    found = _PMID.fullmatch(str(value).strip()) if not isinstance(value, int) or value >= 0 else None
    return found[1] if found else ""


def given_family(name: str) -> str:
    """Turn "Family, Given" and "Family, Jr., Given" round; other names stay as they are."""
    parts = [part.strip() for part in name.split(",")]
    if len(parts) == 2 and all(parts) and not _SUFFIX.fullmatch(parts[1]):
        return f"{parts[1]} {parts[0]}"
    if len(parts) == 3 and all(parts):
        family, suffix, given = parts if _SUFFIX.fullmatch(parts[1]) else (parts[0], parts[2], parts[1])
        return f"{given} {family} {suffix}"
    return name.strip(" ,")  # EndNote ends the name of a group with a comma


def family(name: str) -> str:
    """The family name in "Family, Given", or that of a group with EndNote's comma; of any other name, nothing."""
    before, comma, _ = name.partition(",")
    return before.strip() if comma else ""


def is_inverted(text: str) -> bool:
    """Whether this is one "Family, Given": two family names look the same, but are rarely all there is."""
    family, *suffix, given = [part.strip() for part in text.split(",")][:4] if "," in text else ("", "")
    is_name = _INVERTED.fullmatch(f"{family}, {given}") is not None and not _SUFFIX.fullmatch(given)
    return is_name and all(map(_SUFFIX.fullmatch, suffix))


def names(value: object) -> list[str]:
    """The people in a list of names or of `{family, given}` objects, or in one string.

    Of Zotero's creators, which name editors and translators too, the authors if there are any.
    """
    if isinstance(value, str):
        return names_in(value)
    if isinstance(value, dict):
        value = value.get("value", [value])
    if not isinstance(value, list | tuple):
        return []
    authors = [one for one in value if not isinstance(one, dict) or one.get("creatorType", "author") == "author"]
    return [found for one in family_first(authors or value) if (found := _name(one))]


def names_in(text: str) -> list[str]:
    """Split "A, B and C", "Family, Given; Family, Given (7004212771)" or "A et al." into people."""
    parts, inverted, et_al = _split(text)
    return [*(given_family(part) if inverted else part for part in parts), *et_al]


def families(value: object) -> list[str]:
    """The family names in what `names` takes, of those that it tells them of."""
    if isinstance(value, str):
        parts, inverted, _ = _split(value)
        return [found for part in parts if (found := family(part))] if inverted else []
    if isinstance(value, dict):
        value = value.get("value", [value])
    return [found for one in family_first(value) if (found := _family(one))] if isinstance(value, list | tuple) else []


def _split(text: str) -> tuple[list[str], bool, list[str]]:
    """The parts of a string of names, whether each is "Family, Given", and "et al." if it ends so."""
    text = " ".join(_SCOPUS_ID.sub("", text[:_NAMES_LIMIT]).split()).rstrip(" ,;")
    shortened = _TRAILING_ET_AL.sub("", text).rstrip(" ,;")
    parts = [part.strip() for part in _AND.split(shortened) if part.strip()]
    inverted = ";" in shortened or is_inverted(text) or (len(parts) > 1 and all(part.count(",") == 1 for part in parts))
    if not inverted or not any("," in part for part in parts):
        people = parts if inverted else _comma_separated(parts)
        parts = family_first(people)
        inverted = parts != people
    return parts, inverted, [ET_AL] if shortened != text else []


def family_first(people: Sequence[Any]) -> list[Any]:
    """People with the family name first, "Smith JA", as "Smith, JA", where every one of them is given so."""
    rest = [one for one in people[-1:] if one in (ET_AL, "others")]
    named = people[: len(people) - len(rest)]
    found = [match for one in named if isinstance(one, str) and (match := _FAMILY_FIRST.fullmatch(one.strip()))]
    if len(found) < len(named) or {match["given"] for match in found} <= _NO_INITIALS:
        return list(people)
    return [", ".join(filter(None, match.group("family", "suffix", "given"))) for match in found] + rest


def parsed_names(value: object) -> list[str]:
    """The people in arXiv's `authors_parsed`: lists of family name, given names, suffix."""
    if not isinstance(value, list):
        return []
    rows = [[str(part).strip() for part in row[:3]] for row in value if isinstance(row, list) and row]
    return [" ".join(part for part in (*row[1:2], row[0], *row[2:3]) if part) for row in rows]


def _comma_separated(parts: list[str]) -> list[str]:
    names = [name.strip() for part in parts for name in part.split(",") if name.strip()]
    if list(map(_is_initials, names)) == [False, True] * (len(names) // 2):  # "Family, G., Family, G."
        return [f"{given} {family}" for family, given in zip(names[::2], names[1::2], strict=True)]
    people: list[str] = []
    for name in names:
        if people and _SUFFIX.fullmatch(name):
            people[-1] = f"{people[-1]} {name}"
        else:
            people.append(name)
    return people


def _is_initials(name: str) -> bool:
    return name.isupper() and bool(_INITIALS.fullmatch(name)) and not _SUFFIX.fullmatch(name)


def _name(value: Any) -> str:
    name = value.strip() if isinstance(value, str) else _name_in(value) if isinstance(value, dict) else ""
    return given_family(name) if is_inverted(name) else name


def _family(value: Any) -> str:
    if isinstance(value, dict):
        return _first_string(value, ("literal", *_FAMILY_KEYS))
    return family(value.strip()) if isinstance(value, str) and is_inverted(value.strip()) else ""


def _name_in(value: dict[str, Any]) -> str:
    family, given = (_first_string(value, keys) for keys in (_FAMILY_KEYS, _GIVEN_KEYS))
    if family:
        parts = (given, _first_string(value, ("non-dropping-particle", "dropping-particle")), family)
        return " ".join(part for part in parts if part)
    nested = next((value[key] for key in _NAME_KEYS if value.get(key)), "")
    return _name_in(nested) if isinstance(nested, dict) else str(nested).strip()


def _first_string(value: dict[str, Any], keys: tuple[str, ...]) -> str:
    return next((value[key].strip() for key in keys if isinstance(value.get(key), str)), "")
