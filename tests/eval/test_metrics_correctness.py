"""What an answer conveys: figures to the digit, words by stem, and no credit for saying nothing."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.metrics.correctness import key_facts, length, sentence_recall, token_f1
from eval.metrics.coverage import coverage
from eval.metrics.share import Share
from eval.metrics.wording import content, conveys, plain, stem_share

ANSWER = (
    "PERL trains 24x faster [1] and needs 1,398 examples [2]. Seven models, T5 and GPT-4 included, improved by 5% [3]."
)


@pytest.mark.parametrize(
    ("fact", "said"),
    [
        ("24 times faster", True),
        ("42 times faster", False),
        ("1398 examples", True),
        ("1,399 examples", False),
        ("7 models", True),
        ("eight models", False),
        ("5%", True),
        ("5 percent", True),
        ("5x", False),  # another unit
        ("3", False),  # a marker is no figure of the answer
        ("GPT-4", True),
        ("GPT 4", True),
        ("GPT-4o", False),
        ("T5", True),
        ("T6", False),
        ("faster training", True),
        ("models improve; examples are needed", True),
        ("trains PERL models faster overnight", True),  # 4 of 5 stems
        ("trains PERL faster overnight", True),  # 3 of 4
        ("trains cheaper overnight", False),  # 1 of 3
        ("", False),
        ("not of them", False),
    ],
)
def test_what_an_answer_conveys(fact, said):
    assert conveys(fact, ANSWER) is said


def test_a_range_is_both_its_ends():
    assert conveys("2-27B models", "Models from 2B to 27B.")
    assert not conveys("2-27B models", "Models of 27B.")


def test_a_fact_without_content_words_must_be_there_word_for_word():
    assert conveys("not all of them", "It helps some, but NOT all of them.")
    assert not conveys("not all of them", "Of all of them, not one.")


def test_markers_are_no_words():
    assert plain("Frogs sleep [1, 2]. They wake【3】.") == "Frogs sleep. They wake."
    assert length("Frogs sleep [1, 2]. They wake [3].") == 4
    assert length("") == 0


def test_key_facts_by_hand():
    assert key_facts(["24 times faster", "eight models", "T5"], ANSWER) == Share(2, 3)
    assert key_facts(["24 times faster"], "") == Share(0, 1)
    assert key_facts([], ANSWER).value is None
    assert key_facts(["a", "b"], ANSWER, conveyed=lambda fact, answer: None) == Share(0, 0, 2)


def test_token_f1_by_hand():
    # frog, sleep, winter against frog, frog, sleep: 2 in common of 3 and 3
    assert token_f1("The frog sleeps in winter.", "Frogs and frogs are sleeping") == pytest.approx(2 / 3)
    assert token_f1("", "Frogs sleep.") == 0.0
    assert token_f1("Frogs sleep.", "of the") is None
    assert token_f1("Toads.", "Frogs.") == 0.0


def test_sentence_recall_by_hand():
    gold = "PERL trains faster. It needs 1,398 examples. Toads never sleep."
    assert sentence_recall(gold, ANSWER) == Share(2, 3)
    assert sentence_recall(gold, "") == Share(0, 3)
    assert sentence_recall("", ANSWER).value is None


def test_coverage_by_hand():
    evidence = ["Frogs sleep in winter.", "Toads never sleep."]  # stems frog, sleep, winter; toad, never, sleep
    assert coverage(evidence, "In winter, frogs sleep.").value == pytest.approx((3 / 3 + 1 / 3) / 2)
    assert coverage(evidence, "").value == 0.0
    assert coverage([], "Frogs sleep.").value is None
    judged = coverage(evidence, "Frogs.", conveyed=lambda sentence, answer: None if "Toads" in sentence else 0.5)
    assert judged == Share(0.5, 1, 1)


WORDS = st.lists(st.sampled_from("frogs sleep sleeping winter toad the of never".split()), max_size=8).map(" ".join)


@given(WORDS, WORDS)
def test_against_naive_versions(answer, gold):
    said, wanted = content(answer), content(gold)
    left, common = list(said), 0
    for word in wanted:
        if word in left:
            left.remove(word)
            common += 1
    if not wanted:
        assert token_f1(answer, gold) is None
    elif not common:
        assert token_f1(answer, gold) == 0.0
    else:
        precision, recall = common / len(said), common / len(wanted)
        assert token_f1(answer, gold) == pytest.approx(2 / (1 / precision + 1 / recall))
    distinct = list(Counter(wanted))
    share = sum(word in said for word in distinct) / len(distinct) if distinct else 0.0
    assert stem_share(gold, answer) == pytest.approx(share)
    assert coverage([gold], answer).value == pytest.approx(share)
    if distinct:
        assert conveys(gold, answer) is (share >= 0.75)
        assert key_facts([gold, gold], answer) == Share(2 * (share >= 0.75), 2)
        assert sentence_recall(gold, answer) == Share(share >= 0.75, 1)


@given(st.text(alphabet="ab 12.,%[]x-\n", max_size=30))
def test_a_text_conveys_itself(text):
    """Whatever the text, unless there is nothing in it."""
    said = plain(text)
    assert conveys(said, said) or not content(said)
    assert stem_share(said, said) in (0.0, 1.0)


def test_a_marker_of_the_fact_is_no_figure_of_it():
    text = "PERL trains as well as RLHF [1]. It uses less memory [1][2]."
    assert sentence_recall(text, text).value == 1
