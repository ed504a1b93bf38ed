"""The metrics of the eval harness: pure functions, a module for each group.

What holds for all of them:

- A share with nothing to count is `None`, neither 0 nor 1.
- "Could not be judged" (`None`, `Verdict.UNCHECKED`) is counted as unscored and never averaged; the
  bounds (all bad, all good) are there to be printed.
- An abstention is an abstention: no faithful answer, no correct one.
- An answer that earns nothing gets 0 and stays in the mean.

Models come in as callables: nothing here loads one, reads a file or depends on chance.
"""

from eval.metrics import (
    abstention,
    citation,
    correctness,
    coverage,
    evidence,
    faithfulness,
    ranking,
    retrieval,
    share,
    wording,
)

__all__ = [
    "abstention",
    "citation",
    "correctness",
    "coverage",
    "evidence",
    "faithfulness",
    "ranking",
    "retrieval",
    "share",
    "wording",
]
