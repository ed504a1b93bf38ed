"""How much of what an answer says its cited text supports, before and after verification.

After withdrawal, a pipeline that believes its own judge scores 1 by construction: the figure before
withdrawal is what its generator did. Evidence that was quoted where the draft told nothing is shown, but
no merit of the generator's. An abstention claims nothing, so it has no faithfulness; it is
never a faithful answer, whatever its words are.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from eval.metrics.share import Share, counted
from rag.types import Verdict


@dataclass(frozen=True, slots=True)
class JudgedAnswer:
    """The verdicts of one judge on the claims of one answer: of the draft, kept and withdrawn; on added quotations."""

    kept: tuple[Verdict, ...]
    withdrawn: tuple[Verdict, ...] = ()
    abstained: bool = False
    quoted: tuple[Verdict, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """Claims by verdict."""

    supported: int = 0
    contradicted: int = 0
    not_found: int = 0
    unscored: int = 0

    @property
    def faithfulness(self) -> Share:
        """Supported claims / claims judged."""
        return self._share(self.supported)

    @property
    def contradiction(self) -> Share:
        """Contradicted claims / claims judged."""
        return self._share(self.contradicted)

    def _share(self, part: int) -> Share:
        return Share(part, self.supported + self.contradicted + self.not_found, self.unscored)


def tally(verdicts: Iterable[Verdict]) -> Tally:
    """Count verdicts; an unchecked claim is unscored."""
    seen = list(verdicts)
    return Tally(
        seen.count(Verdict.SUPPORTED),
        seen.count(Verdict.CONTRADICTED),
        seen.count(Verdict.NOT_ENOUGH_INFO),
        seen.count(Verdict.UNCHECKED),
    )


def after(answer: JudgedAnswer) -> Tally:
    """The claims that a reader sees; those of an abstention are none."""
    return Tally() if answer.abstained else tally((*answer.kept, *answer.quoted))


def before(answer: JudgedAnswer) -> Tally:
    """All claims that were drafted: those of them that a reader sees, and those taken out."""
    return tally(answer.withdrawn if answer.abstained else (*answer.kept, *answer.withdrawn))


def faithful_answers(answers: Iterable[JudgedAnswer]) -> Share:
    """Answers of which every claim is supported / answers given; abstentions and empty answers are in neither.

    An answer is unscored if all its judged claims are supported and some could not be judged.
    """
    tallies = [after(answer) for answer in answers]
    return counted(_is_faithful(found) for found in tallies if found != Tally())


def _is_faithful(found: Tally) -> bool | None:
    if found.contradicted or found.not_found:
        return False
    return None if found.unscored else True
