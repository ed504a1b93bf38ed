"""The smallest difference between two runs that a number of paired questions would probably show.

Printed beside every comparison, so that "no difference seen" is not read as "no difference".
"""

from __future__ import annotations

import math
from statistics import NormalDist

ALPHA = 0.05  # two-sided
POWER = 0.8
DISCORDANT = 0.2  # share of questions that one run gets right and the other wrong, where nothing is known


def detectable_rate(
    n: int, *, discordant: float = DISCORDANT, alpha: float = ALPHA, power: float = POWER
) -> float | None:
    """The difference in rates that McNemar's test shows with this power; 60 questions: .16, 630: .05.

    The d that solves n = (z_a sqrt(q) + z_b sqrt(q - d^2))^2 / d^2 for the share q of discordant
    questions. `None` if even all of them changing in one direction would not show.

    Source: Connor, Biometrics 43, 1987.
    """
    if n < 1 or not 0 < discordant <= 1:
        return None
    a, b = _quantiles(alpha, power)
    a *= math.sqrt(discordant)
    # (d sqrt(n) - a)^2 = b^2 (q - d^2), of which the larger root is meant
    inner = a * a * n - (n + b * b) * (a * a - b * b * discordant)
    found = (a * math.sqrt(n) + math.sqrt(max(0.0, inner))) / (n + b * b)
    return found if found <= discordant else None


def detectable_mean(n: int, deviation: float, *, alpha: float = ALPHA, power: float = POWER) -> float | None:
    """The difference in means: (z_a + z_b) * deviation / sqrt(n); `None` without questions.

    `deviation` is the standard deviation of the differences between pairs.

    Source: Cohen, Statistical Power Analysis, 1988, chapter 2, in the normal approximation.
    """
    return sum(_quantiles(alpha, power)) * deviation / math.sqrt(n) if n > 0 else None


def _quantiles(alpha: float, power: float) -> tuple[float, float]:
    normal = NormalDist()
    return normal.inv_cdf(1 - alpha / 2), normal.inv_cdf(power)
