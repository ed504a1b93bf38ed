"""How sure a figure is: intervals, tests, what can be detected, and the gate.

Questions about the same abstract rise and fall together, so intervals and tests draw whole clusters.
Whatever draws takes a seed: the same input gives the same output.
"""

from eval.statistics.gate import Gate, GateOutcome, gate, read_gate
from eval.statistics.intervals import Interval, bootstrap, clusters_of, mean_interval, ratio_interval
from eval.statistics.power import DISCORDANT, detectable_mean, detectable_rate
from eval.statistics.significance import holm, mcnemar, swap_sides

__all__ = [
    "DISCORDANT",
    "Gate",
    "GateOutcome",
    "Interval",
    "bootstrap",
    "clusters_of",
    "detectable_mean",
    "detectable_rate",
    "gate",
    "holm",
    "mcnemar",
    "mean_interval",
    "ratio_interval",
    "read_gate",
    "swap_sides",
]
