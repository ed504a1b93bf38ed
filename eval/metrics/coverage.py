"""How much of the marked evidence reaches the reader: the errors of leaving out."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from eval.metrics.share import Share, counted
from eval.metrics.wording import stem_share


def coverage(
    evidence: Sequence[str], answer: str, *, conveyed: Callable[[str, str], float | None] = stem_share
) -> Share:
    """Sum over the evidence sentences of how far the answer conveys each / number of sentences.

    By default how far is the share of the sentence's stems that the answer has. A judge may be given
    instead: `conveyed(sentence, answer)` in 0..1, `None` for unscored. `None` without evidence.
    """
    return counted(conveyed(sentence, answer) for sentence in evidence)
