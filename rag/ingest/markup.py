"""HTML, JATS and MathML to plain text: tags go, entities become letters, exponents stay exponents.

Bibliographic exports carry such markup in titles and abstracts, as a string (`plain`) or as an
element of an XML file (`element_text`). Of a string only known tags are markup, and only where they
are closed too, or a paragraph begins: `a<b and c>d`, `p<0.05`, `<mask>` and `the <b> tag` are text.
"""

from __future__ import annotations

import html
import re
from html.entities import html5
from xml.etree.ElementTree import Element, ParseError, fromstring

_SPACED = frozenset(
    "abstract blockquote br break dd disp-formula div dl dt h1 h2 h3 h4 h5 h6 hr li list list-item ol p sec section "
    "table td th title tr ul".split()
)
_INLINE = frozenset("b bold em font i inf italic sc scp small span strong sub tt u underline".split())
_VOID = frozenset(("br", "hr"))
_TAG = re.compile(
    r"<(?P<end>/?)(?P<jats>jats:)?(?P<name>[a-z][a-z0-9-]*)"
    r"""(?:\s+[\w:.-]+\s*=\s*(?:"[^"<>]*"|'[^'<>]*'|[^\s"'<>]+))*\s*/?>""",
    re.I,
)
_OWN_HEADING = re.compile(r"\s*(?:<(?:jats:)?sec>\s*)?<(?:jats:)?title>\s*abstract[\s:.]*</(?:jats:)?title>", re.I)
_HEADING = re.compile(r"<(?:jats:)?title>\s*([^<>]{1,200}?)[\s:.]*</(?:jats:)?title>", re.I)
_SUP = re.compile(r"<(?:jats:)?sup>([^<>]{0,200})</(?:jats:)?sup>", re.I)
_FORMULA = re.compile(r"(</jats:tex-math>\s*)?<mml:math\b.{0,9000}?</mml:math>", re.S)
_ENTITY = re.compile(r"&(#\d{1,7};|#[xX][0-9a-fA-F]{1,6};|[a-zA-Z][a-zA-Z0-9]{1,31};)")
_ESCAPED_AT_MOST = 4  # layers
_RAISED = dict(zip("0123456789+-−–=()", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁻⁼⁽⁾", strict=True))
_ORDINALS = frozenset(("st", "nd", "rd", "th"))


def plain(text: str) -> str:
    """The text without markup; one without any stays as it is, white space and all.

    Markup that was escaped, as Crossref and OpenAlex pass it on, once or twice, is markup.
    """
    for _ in range(_ESCAPED_AT_MOST):
        found = text
        if "<" in text:
            text = _without_tags(text)
        text = _decoded(text) if "&" in text else text
        if text == found:
            break
    return text


def element_text(element: Element) -> str:
    """The text in an element, formulas as one line: `10⁻³`, `1/2`. Raises RecursionError if nested too deeply."""
    parts = [element_text(child) for child in element]
    tails = (child.tail or "" for child in element)
    whole = (element.text or "") + "".join(part + tail for part, tail in zip(parts, tails, strict=True))
    match str(element.tag).rpartition("}")[2], parts:
        case "sup", _:
            return raised(whole)
        case "br", _:
            return " "
        case "msup", [base, exponent]:
            return base.strip() + raised(exponent)
        case "msubsup", [base, index, exponent]:
            return base.strip() + index.strip() + raised(exponent)
        case "mfrac", [above, below]:
            return f"{_operand(above)}/{_operand(below)}"
        case "msqrt", _:
            return f"√{_operand(whole)}"
    return whole


def raised(text: str) -> str:
    """A superscript: `⁻³` of digits and signs, `th` and `®` as they are, and else `^{n}`."""
    text = text.strip()
    if all(character in _RAISED for character in text):
        return "".join(_RAISED[character] for character in text)
    return f"^{{{text}}}" if any(map(str.isalnum, text)) and text.lower() not in _ORDINALS else text


def _without_tags(text: str) -> str:
    text = _FORMULA.sub(_formula, _OWN_HEADING.sub("", text, count=1))
    closed = _VOID | {found["name"].lower() for found in _TAG.finditer(text) if found["end"]}

    def replaced(found: re.Match[str], *, spaced: bool) -> str:
        name = found["name"].lower()
        before = found.string[max(0, found.start() - 9) : found.start()].rstrip()[-1:]
        begins = not before or (name == "p" and before in ".:?!")
        is_known = bool(found["jats"]) or (name in _SPACED | _INLINE and (name in closed or begins))
        return (" " if spaced else "") if is_known and name != "sup" and (name in _SPACED) == spaced else found[0]

    text = _TAG.sub(lambda found: replaced(found, spaced=False), text)
    text = _HEADING.sub(r"<jats:title>\1:</jats:title>", _SUP.sub(lambda found: raised(_decoded(found[1])), text))
    unspaced = _TAG.sub(lambda found: replaced(found, spaced=True), text)
    return text if unspaced == text else " ".join(unspaced.split())


def _formula(found: re.Match[str]) -> str:
    """A formula in MathML, unless the same stands before it in TeX."""
    if found[1]:
        return found[1]
    try:
        return html.escape(element_text(fromstring(found[0].replace("mml:", ""))), quote=False)
    except (ParseError, RecursionError):
        return found[0]


def _decoded(text: str) -> str:
    """Entities as letters; a name without its semicolon is text, as in an address (`&section=2`)."""
    return _ENTITY.sub(lambda found: html.unescape(found[0]) if _is_entity(found[1]) else found[0], text)


def _is_entity(name: str) -> bool:
    return name.startswith("#") or name in html5


def _operand(text: str) -> str:
    text = text.strip()
    return text if re.fullmatch(r"[\w.]*", text) else f"({text})"
