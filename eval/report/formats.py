"""Figures → the few ways in which a report writes them.

A rate is a percentage with one decimal, a difference of rates is in points, anything else keeps its unit.
What is missing is a dash, never a zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from eval.metrics.share import Share

DASH = "–"
MINUS = "−"  # the sign, as wide as a plus


def figure(value: float | None, *, is_rate: bool = True) -> str:
    """`83.3%` for a rate, `92.4` for the rest."""
    if value is None:
        return DASH
    return f"{100 * value:.1f}%" if is_rate else f"{value:.1f}"


def between(low: float | None, high: float | None, *, is_rate: bool = True, decimals: int = 1) -> str:
    """`71.0–92.0`, in the unit of the figure that it follows; empty without an interval."""
    if low is None or high is None:
        return ""
    scale = 100 if is_rate else 1
    return f"{scale * low:.{decimals}f}–{scale * high:.{decimals}f}"


def change(value: float | None, *, is_rate: bool = True) -> str:
    """`+4.2` points or units, `−4.2`, `0.0`."""
    if value is None:
        return DASH
    scaled = round((100 if is_rate else 1) * value, 1)
    return f"{MINUS if scaled < 0 else '+' if scaled > 0 else ''}{abs(scaled):.1f}"


def changes(low: float | None, high: float | None, *, is_rate: bool = True) -> str:
    """`−1.0 to +4.2`; empty without an interval. One without width would look like certainty: it is put in words."""
    if low is None or high is None:
        return ""
    if low == high:
        return "all alike"
    return f"{change(low, is_rate=is_rate)} to {change(high, is_rate=is_rate)}"


def auc(found: Mapping[str, Any] | None) -> str:
    """`.83 (.71–.92)`, as ROC AUC is written."""
    if not found or found.get("auc") is None:
        return DASH
    interval = f" ({_short(found['low'])}–{_short(found['high'])})" if found.get("low") is not None else ""
    return f"{_short(found['auc'])}{interval}"


def probability(p: float | None) -> str:
    """`.031`, `<.001`."""
    if p is None:
        return DASH
    return "<.001" if p < 0.001 else _short(p, 3)


def share(found: Share, *, is_rate: bool = True, is_flag: bool = False, is_counted: bool = True) -> str:
    """`yes` for a flag, `5 of 6` where items were counted, else a figure; unscored ones are named."""
    unscored = f", {found.unscored} unscored" if found.unscored else ""
    if not found.whole:
        return f"not judged{unscored}" if found.unscored else DASH
    if is_flag:
        return ("yes" if found.part else "no") + unscored
    said = f"{found.part:g} of {found.whole}" if is_rate and is_counted else figure(found.value, is_rate=is_rate)
    return said + unscored


def count(number: int, noun: str) -> str:
    """`1 question`, `2 questions`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def words(name: str) -> str:
    """A name of the code as words: `false_answer_near` → `false answer near`."""
    return name.replace("_", " ")


def quantity(value: Any) -> str:
    """A cost or a setting: whole numbers whole, others with up to two decimals."""
    if value is None:
        return DASH
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 1000 else f"{value:.0f}"
    return str(value)


def _short(value: float, digits: int = 2) -> str:
    return f"{value:.{digits}f}".removeprefix("0")
