"""Faithfulness: what is counted, what is not, and that saying nothing is not being faithful."""

from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.faithfulness import JudgedAnswer, Tally, after, before, faithful_answers, tally
from eval.metrics.share import Share, pooled
from rag.types import Verdict

GOOD, BAD, NONE, OPEN = Verdict.SUPPORTED, Verdict.CONTRADICTED, Verdict.NOT_ENOUGH_INFO, Verdict.UNCHECKED
VERDICTS = st.lists(st.sampled_from(list(Verdict)), max_size=4).map(tuple)
ANSWERS = st.lists(st.builds(JudgedAnswer, VERDICTS, VERDICTS, st.booleans()))


def test_by_hand():
    answers = [JudgedAnswer((GOOD, GOOD, NONE), (BAD,)), JudgedAnswer((GOOD,)), JudgedAnswer((), (BAD, NONE), True)]
    assert [after(answer) for answer in answers] == [Tally(2, 0, 1), Tally(1), Tally()]
    assert [before(answer) for answer in answers] == [Tally(2, 1, 1), Tally(1), Tally(0, 1, 1)]
    assert (before(answers[0]).faithfulness, before(answers[0]).contradiction) == (Share(2, 4), Share(1, 4))
    assert faithful_answers(answers) == Share(1, 2)


def test_what_was_quoted_for_want_of_a_draft_is_no_merit_of_the_draft():
    answer = JudgedAnswer((), (NONE, NONE), quoted=(GOOD, GOOD))
    assert after(answer).faithfulness == Share(2, 2)
    assert before(answer).faithfulness == Share(0, 2)


def test_an_abstention_is_never_a_faithful_answer():
    """DeepEval counts "idk" as faithful; five tools give it NaN, 1, 0 or nothing."""
    abstention = JudgedAnswer((GOOD,), abstained=True)  # even where a judge calls its words supported
    assert after(abstention).faithfulness.value is None
    assert faithful_answers([abstention]) == Share(0, 0)
    assert faithful_answers([abstention, JudgedAnswer((BAD,))]) == Share(0, 1)


def test_nonsense_is_not_faithful():
    """DeepEval gives 1.000 to claims that nothing contradicts."""
    assert tally([NONE, NONE]).faithfulness.value == 0.0


def test_what_cannot_be_judged_is_unscored_with_both_bounds():
    """A judge that cannot tell must not score 1.0, as in promptfoo."""
    found = tally([OPEN, GOOD, BAD])
    assert found == Tally(1, 1, 0, 1)
    share = found.faithfulness
    assert (share.value, share.lowest, share.highest) == (1 / 2, 1 / 3, 2 / 3)
    silent = tally([OPEN, OPEN]).faithfulness
    assert (silent.value, silent.lowest, silent.highest) == (None, 0.0, 1.0)
    answers = [JudgedAnswer((GOOD, OPEN)), JudgedAnswer((BAD, OPEN)), JudgedAnswer((GOOD,))]
    assert faithful_answers(answers) == Share(1, 2, 1)


@given(ANSWERS)
def test_against_a_naive_version(answers):
    shown = [verdict for answer in answers if not answer.abstained for verdict in answer.kept]
    drafted = shown + [verdict for answer in answers for verdict in answer.withdrawn]
    for every, count in ((shown, after), (drafted, before)):
        judged = [verdict for verdict in every if verdict is not OPEN]
        unscored = len(every) - len(judged)
        supported = pooled(count(answer).faithfulness for answer in answers)
        contradicted = pooled(count(answer).contradiction for answer in answers)
        assert supported == Share(judged.count(GOOD), len(judged), unscored)
        assert contradicted == Share(judged.count(BAD), len(judged), unscored)
        if judged:
            assert supported.lowest <= supported.value <= supported.highest
    given_answers = [answer.kept for answer in answers if answer.kept and not answer.abstained]
    sure = [kept for kept in given_answers if set(kept) == {GOOD}]
    open_ones = [kept for kept in given_answers if set(kept) in ({OPEN}, {GOOD, OPEN})]
    assert faithful_answers(answers) == Share(len(sure), len(given_answers) - len(open_ones), len(open_ones))
