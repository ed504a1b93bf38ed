"""Planted errors of each kind: the guard made for it objects, and faithful wordings pass."""

import pytest

from rag import guards

QUOTE = (
    "Our experiments show that SISS mitigated memorization on nearly 90% of the 1,200 prompts from "
    "Stable Diffusion and outperforms retraining, with lower cost than GradDiff, not harming image quality."
)


def guard_of(claim, evidence=QUOTE, context=""):
    objection = guards.object_to(claim, evidence, context=context)
    return objection and objection.guard


@pytest.mark.parametrize(
    ("claim", "guard"),
    [
        ("SISS mitigated memorization on nearly 80% of the prompts.", "numbers"),
        ("SISS mitigated memorization on 90 of the prompts, a 3x gain.", "numbers"),
        ("SISS mitigated memorization on the prompts from MidJourney.", "names"),
        ("SISS did not mitigate memorization on the prompts from Stable Diffusion.", "negation"),
        (
            "SISS outperforms retraining, with higher cost than GradDiff, not harming image quality.",
            "direction",
        ),
        ("SISS mitigated memorization on all prompts from Stable Diffusion.", "scope"),
    ],
)
def test_a_changed_detail_is_noticed(claim, guard):
    assert guard_of(claim) == guard


@pytest.mark.parametrize(
    ("claim", "evidence", "guard"),
    [
        ("Tuning may be unnecessary for small models.", "Tuning may not be necessary for small models.", None),
        ("Tuning is unnecessary for small models.", "Tuning is necessary for small models.", "direction"),
        ("Frogs from the pond do not sing at all.", "Frogs from the pond do not sing.", None),
        ("An eight-billion-parameter frog sings.", "An 8B frog sings.", None),
        ("A six-billion-parameter frog sings.", "An 8B frog sings.", "numbers"),
    ],
)
def test_a_detail_in_other_words_is_not_a_changed_one(claim, evidence, guard):
    assert guard_of(claim, evidence) == guard


@pytest.mark.parametrize(
    "claim",
    [
        "SISS mitigated memorization on nearly 90% of prompts from Stable Diffusion.",
        "SISS mitigated memorization on 90 percent of the prompts.",
        "With lower cost than GradDiff, SISS outperforms retraining.",
        "Of the 1200 Stable Diffusion prompts, SISS mitigated memorization on nearly 90%.",
        "Image quality was not harmed by SISS.",
    ],
)
def test_a_faithful_wording_passes(claim):
    assert guard_of(claim) is None


def test_swapped_sides_of_a_comparison_are_noticed():
    evidence = "We find that activation steering works better than natural language prompting."
    assert guard_of("Natural language prompting works better than activation steering.", evidence) == "roles"
    assert guard_of("Activation steering works better than natural language prompting.", evidence) is None


def test_an_opposite_prefix_is_noticed():
    evidence = "The resulting training procedure is unstable on large models."
    assert guard_of("The resulting training procedure is stable on large models.", evidence) == "direction"


def test_a_paper_may_be_named_by_its_title():
    evidence = "We find that our method performs on par with full tuning."
    claim = "PERL performs on par with full tuning."
    assert guard_of(claim, evidence) == "names"
    assert guard_of(claim, evidence, context="PERL: Parameter Efficient RL") is None


def test_an_abbreviation_of_words_in_the_evidence_is_no_new_name():
    assert guard_of("LLMs memorize prompts.", "Large language models memorize prompts.") is None


def test_introduced_finds_where_a_paper_names_its_own():
    text = "Many exist. We present HELMET, a benchmark. Our final model, ProLong-8B, wins. NIAH is bad."
    assert guards.introduced(text) == "We present HELMET, a benchmark. Our final model, ProLong-8B, wins."


BEATS = "Falcon outperforms Heron on both benchmarks, and it is trained on images instead of drawings."


@pytest.mark.parametrize(
    "claim",
    [
        "Heron surpasses Falcon on both benchmarks.",
        "On both benchmarks, Falcon falls behind Heron.",
        "Falcon is outperformed by Heron on both benchmarks.",
        "In training Falcon, drawings took over from images.",
    ],
)
def test_sides_exchanged_in_other_words_are_seen(claim):
    assert guard_of(claim, BEATS) in ("roles", "direction")


@pytest.mark.parametrize(
    "claim",
    [
        "Falcon surpasses Heron on both benchmarks.",
        "On both benchmarks, Heron falls behind Falcon.",
        "Heron is outperformed by Falcon on both benchmarks.",
        "In training Falcon, images took over from drawings.",
    ],
)
def test_the_same_order_in_other_words_is_none_of_their_business(claim):
    assert guard_of(claim, BEATS) is None
