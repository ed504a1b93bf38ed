"""A gate for changes: no worse than before by more than a margin, proven rather than not disproven.

Three exits: an interval that holds the margin proves nothing either way.

Source: Piaggio et al., non-inferiority trials, CONSORT extension, JAMA 308, 2012.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from enum import StrEnum

from eval.statistics.intervals import Interval
from rag.errors import EvalError

_SPEC = re.compile(r"\s*([A-Za-z][\w@./-]*)\s*(>=|<=)\s*([+-]?(?:\d+\.?\d*|\.\d+))\s*(%?)\s*")


class GateOutcome(StrEnum):
    """What a gate says of a change."""

    PASS = "pass"
    FAIL = "fail"
    INCONCLUSIVE = "inconclusive"

    @property
    def exit_code(self) -> int:
        """0, 3 or 4: 1 and 2 are errors of the command itself."""
        return {"pass": 0, "fail": 3, "inconclusive": 4}[self.value]


@dataclass(frozen=True, slots=True)
class Gate:
    """The change in `metric`, after less before, must be at least `margin`, or at most if lower is better."""

    metric: str
    margin: float
    lower_is_better: bool = False

    def outcome(self, change: Interval | None) -> GateOutcome:
        """As `gate`."""
        return gate(change, self.margin, lower_is_better=self.lower_is_better)

    def __str__(self) -> str:
        return f"{self.metric}{'<=' if self.lower_is_better else '>='}{self.margin:g}"


def gate(change: Interval | None, margin: float, *, lower_is_better: bool = False) -> GateOutcome:
    """Pass if the whole interval is on the good side of the margin, fail if all of it is on the other.

    The margin itself is on the good side. Inconclusive if the interval has both, or there is none. Where it has
    no width, or nothing that is worse than before, its end is that of the rates which so many questions might not
    have shown.

    Source of the latter: Hanley and Lippman-Hand, If nothing goes wrong, is everything all right?, JAMA 249, 1983.
    """
    if change is None:
        return GateOutcome.INCONCLUSIVE
    low, high, value, least = change.low, change.high, change.value, margin
    if lower_is_better:
        low, high, value, least = -high, -low, -value, -least
    unseen = 3 / max(change.n, 1)  # rows of which none got worse: three in n may still (the rule of three)
    is_alike = low == high
    if is_alike:
        high += unseen
    if is_alike or low >= 0:
        low = min(low, value - unseen)
    if low >= least:
        return GateOutcome.PASS
    return GateOutcome.FAIL if high < least else GateOutcome.INCONCLUSIVE


def read_gate(spec: str) -> Gate:
    """Read `faithfulness>=-0.02` (may fall by at most .02), `false_answer<=1%` (may rise by at most .01).

    Raises EvalError for anything else.
    """
    found = _SPEC.fullmatch(spec)
    if not found:
        raise EvalError(f"no gate: {spec!r}; write a metric, >= or <=, and a change, as in: faithfulness>=-0.02")
    metric, sign, number, percent = found.groups()
    margin = float(number) / (100 if percent else 1)
    if not math.isfinite(margin):
        raise EvalError(f"the margin of gate {spec!r} is no finite number")
    return Gate(metric, margin, lower_is_better=sign == "<=")
