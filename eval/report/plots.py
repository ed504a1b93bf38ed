"""Figures → small drawings as inline SVG, each a pure function.

Colours are classes of the page's style sheet, whose variables follow light and dark; series differ by
shape as well as by colour. Every drawing says in words what it shows. Text is escaped by `Markup.format`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from markupsafe import Markup

from eval.report.formats import auc, between, change, changes, figure, words

_BAR = 120  # width of the small bars; one unit is a pixel
_WIDTH = 380  # width of the plots: they are drawn for a phone and never shrunk below it
_EDGE = 4.0


def interval_bar(row: Mapping[str, Any], *, top: float = 1.0) -> Markup:
    """A dot at the value, a line over its interval, a dashed box over what unscored items could make of it."""
    if row.get("value") is None:
        return Markup("")
    is_rate = bool(row.get("is_rate", True))
    said = f"{figure(row['value'], is_rate=is_rate)} {between(row.get('low'), row.get('high'), is_rate=is_rate)}"
    at = _scale(0.0, top, _EDGE, _BAR - _EDGE)
    parts = [_line(_EDGE, 8, _BAR - _EDGE, 8, "track")]
    if row.get("lowest") is not None and row.get("highest") is not None:
        low, high = at(row["lowest"]), at(row["highest"])
        parts.append(_rect(low, 2, max(high - low, 2), 12, "bounds"))
    parts.append(_whiskers(row, at, 8, "s0"))
    parts.append(_mark(0, at(row["value"]), 8))
    return _svg(_BAR, 16, said.strip(), parts, "bar")


def change_bar(row: Mapping[str, Any], *, reach: float) -> Markup:
    """The difference with its interval on an axis from `-reach` to `reach`, zero in the middle."""
    value = row.get("difference")
    if value is None:
        return Markup("")
    is_rate = bool(row.get("is_rate", True))
    said = f"{change(value, is_rate=is_rate)} {changes(row.get('low'), row.get('high'), is_rate=is_rate)}"
    at = _scale(-reach, reach, _EDGE, _BAR - _EDGE)
    kind = {"better": "good", "worse": "bad"}.get(str(row.get("verdict")), "even")
    parts = [
        _line(_EDGE, 8, _BAR - _EDGE, 8, "track"),
        _line(at(0), 1, at(0), 15, "zero"),
        _whiskers(row, at, 8, kind),
        _mark({"good": 2, "bad": 3}.get(kind, 0), at(value), 8, kind),
    ]
    return _svg(_BAR, 16, said.strip(), parts, "bar")


def won_and_lost(wins: int, ties: int, losses: int) -> Markup:
    """Questions that got better, stayed and got worse, as one bar."""
    every = wins + ties + losses
    if not every:
        return Markup("")
    parts, start = [], 0.0
    for number, kind in ((wins, "good"), (ties, "even"), (losses, "bad")):
        width = _BAR * number / every
        if number:
            parts.append(_rect(start, 2, max(width - 1, 1), 12, f"part {kind}"))
        start += width
    return _svg(_BAR, 16, f"{wins} better, {ties} the same, {losses} worse", parts, "bar")


def risk_coverage(points: Sequence[Mapping[str, float]], *, aurc: float | None) -> Markup:
    """The mean loss over the questions answered, against the share that is answered, surest first."""
    if not points:
        return Markup("")
    height, left, bottom = 220, 40, 182
    x, y = _scale(0, 1, left, _WIDTH - 20), _scale(0, 1, bottom, 12)
    parts = [_grid_y(y, left, _WIDTH - 20)]
    parts += [_text(x(step), bottom + 18, f"{step:.0%}", "middle") for step in (0, 0.25, 0.5, 0.75, 1)]
    parts.append(_text((left + _WIDTH - 20) / 2, height - 6, "share of questions answered, surest first", "middle"))
    last = points[-1]["risk"]
    parts.append(_line(x(0), y(last), x(1), y(last), "guide"))
    way = " ".join(f"{x(point['coverage']):.1f},{y(point['risk']):.1f}" for point in points)
    parts.append(Markup('<polyline class="curve" points="{}"/>').format(way))
    parts += [_mark(0, x(points[0]["coverage"]), y(points[0]["risk"])), _mark(0, x(1), y(last))]
    area = f"; area {aurc:.3f}" if aurc is not None else ""
    said = f"Risk is {figure(points[0]['risk'])} at the surest and {figure(last)} over all questions{area}"
    return _svg(_WIDTH, height, said, parts)


def auc_by_type(detectors: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> Markup:
    """ROC AUC with its interval for each type of error, a mark a detector; the dashed line is chance."""
    types = list(dict.fromkeys(kind for found in detectors.values() for kind in found))
    if not types:
        return Markup("")
    names, left, gap = list(detectors), 92, 13
    row = gap * len(names) + 10
    height = row * len(types) + 26
    x = _scale(0, 1, left, _WIDTH - 10)
    parts = [_line(x(0.5), 4, x(0.5), height - 22, "guide")]
    parts += [_text(x(step), height - 6, f"{step:g}", "middle") for step in (0, 0.25, 0.5, 0.75, 1)]
    for place, kind in enumerate(types):
        middle = place * row + row / 2
        parts.append(_text(left - 8, middle + 4, words(kind), "end", "name"))
        parts.append(_line(left, (place + 1) * row, _WIDTH - 10, (place + 1) * row, "track"))
        for number, name in enumerate(names):
            found = detectors[name].get(kind)
            if found and found.get("auc") is not None:
                own = middle + (number - (len(names) - 1) / 2) * gap
                drawn = _whiskers(found, x, own, f"s{number % 6}") + _mark(number, x(found["auc"]), own)
                parts.append(Markup("<g><title>{}: {}</title>{}</g>").format(name, auc(found), drawn))
    said = "ROC AUC by type of error: " + "; ".join(_spoken(name, detectors[name]) for name in names)
    return _svg(_WIDTH, height, said, parts)


def legend(names: Sequence[str]) -> list[tuple[Markup, str]]:
    """The mark of each series, as `auc_by_type` draws it, with its name."""
    return [(_svg(14, 14, name, [_mark(number, 7, 7)], "key"), name) for number, name in enumerate(names)]


def type_bars(by_type: Mapping[str, Mapping[str, Any]], *, is_rate: bool = True) -> Markup:
    """A bar for each type of question with its value and how many questions it rests on."""
    found = {kind: row for kind, row in by_type.items() if row.get("value") is not None}
    if not found:
        return Markup("")
    left, right, row = 124, _WIDTH - 96, 22
    top = 1.0 if is_rate else max(1.0, *(entry["value"] for entry in found.values()))
    x = _scale(0, top, left, right)
    parts = []
    for place, (kind, entry) in enumerate(found.items()):
        y = place * row + 4
        parts.append(_text(left - 8, y + 12, words(kind), "end", "name"))
        parts.append(_rect(left, y, right - left, 14, "slot"))
        parts.append(_rect(left, y, max(x(entry["value"]) - left, 1), 14, "fill"))
        parts.append(_text(right + 8, y + 12, f"{figure(entry['value'], is_rate=is_rate)} (n = {entry['n']})", "start"))
    said = "; ".join(f"{words(kind)} {figure(entry['value'], is_rate=is_rate)}" for kind, entry in found.items())
    return _svg(_WIDTH, row * len(found) + 4, said, parts)


def _scale(low: float, high: float, start: float, end: float) -> Callable[[float], float]:
    """Values in low..high → pixels; what lies outside is drawn at the edge."""

    def at(value: float) -> float:
        part = (value - low) / (high - low) if high > low else 0.0
        return start + min(max(part, 0.0), 1.0) * (end - start)

    return at


def _svg(width: float, height: float, said: str, parts: Sequence[Markup], kind: str = "plot") -> Markup:
    opening = Markup('<svg class="{}" viewBox="0 0 {} {}" width="{}" height="{}" role="img" aria-label="{}">')
    inside = Markup("").join(parts)
    return opening.format(kind, width, height, width, height, said) + inside + Markup("</svg>")


def _line(x: float, y: float, to_x: float, to_y: float, kind: str) -> Markup:
    return Markup('<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>').format(kind, x, y, to_x, to_y)


def _rect(x: float, y: float, width: float, height: float, kind: str) -> Markup:
    shape = Markup('<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}" rx="2"/>')
    return shape.format(kind, x, y, width, height)


def _text(x: float, y: float, said: str, anchor: str, kind: str = "tick") -> Markup:
    shape = Markup('<text class="{}" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>')
    return shape.format(kind, x, y, anchor, said)


def _grid_y(y: Callable[[float], float], left: float, right: float) -> Markup:
    steps = (0, 0.25, 0.5, 0.75, 1)
    lines = [_line(left, y(step), right, y(step), "track") for step in steps]
    return Markup("").join(lines + [_text(left - 6, y(step) + 4, f"{step:.0%}", "end") for step in steps])


def _whiskers(row: Mapping[str, Any], at: Callable[[float], float], y: float, kind: str) -> Markup:
    if row.get("low") is None or row.get("high") is None:
        return Markup("")
    low, high = at(row["low"]), at(row["high"])
    ends = _line(low, y - 3, low, y + 3, f"whisker {kind}") + _line(high, y - 3, high, y + 3, f"whisker {kind}")
    return _line(low, y, high, y, f"whisker {kind}") + ends


_SHAPES = ("M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0", "M-3.5,-3.5h7v7h-7z", "M0,-4.5l4.5,8h-9z", "M0,4.5l4.5,-8h-9z",
           "M0,-5l5,5l-5,5l-5,-5z", "M-4,-1.5h2.5v-2.5h3v2.5h2.5v3h-2.5v2.5h-3v-2.5h-2.5z")  # fmt: skip


def _mark(number: int, x: float, y: float, kind: str = "") -> Markup:
    shape = Markup('<path class="mark {}" transform="translate({:.1f} {:.1f})" d="{}"/>')
    return shape.format(kind or f"s{number % 6}", x, y, _SHAPES[number % len(_SHAPES)])


def _spoken(name: str, found: Mapping[str, Mapping[str, Any]]) -> str:
    return f"{name}: " + ", ".join(f"{words(kind)} {auc(row)}" for kind, row in found.items())
