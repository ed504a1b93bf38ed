"""Planted errors of each kind: the guard made for it objects, and faithful wordings pass."""

import time

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


@pytest.mark.parametrize("negated", ["doesn’t", "doesn't", "hasn't", "wouldn’t", "mustn't", "needn't", "hadn’t"])
def test_every_contraction_denies(negated):
    assert guard_of(f"The heron {negated} reach the pond.", "The heron reach the pond.") == "negation"
    assert guard_of(f"The heron {negated} reach the pond.", "The heron did not reach the pond.") is None


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("PERL does not require training data.", "PERL requires no training data."),
        ("PERL requires no training data.", "PERL does not require training data."),
        ("Pruning not only improves accuracy but also saves memory.", "Pruning improves accuracy and saves memory."),
        ("Pruning improves accuracy and saves memory.", "Pruning not only improves accuracy but also saves memory."),
        ("We ask if retrieval helps reasoning.", "We ask whether or not retrieval helps reasoning."),
        ("Pruning improves accuracy on 30 tasks.", "Pruning improves accuracy on no fewer than 30 tasks."),
        ("Neither aspirin nor rest reduced pain.", "Aspirin and rest did not reduce pain."),
        ("Aspirin and rest did not reduce pain.", "Neither aspirin nor rest reduced pain."),
        ("No model improves on long inputs.", "The models do not improve on long inputs."),
        ("The model is trained without any labels.", "The model is trained without labels."),
        ("The model does not use any labels.", "The model uses no labels."),
    ],
)
def test_a_denial_in_other_words_is_none_lost(claim, evidence):
    assert guard_of(claim, evidence) is None


@pytest.mark.parametrize(
    ("claim", "evidence", "guard"),
    [
        ("PERL does not require training data.", "PERL requires training data.", "negation"),
        ("PERL requires training data.", "PERL requires no training data.", "negation"),
        ("PERL does not require training data.", "PERL requires training data with no labels.", "negation"),
        ("Neither aspirin nor rest reduced pain.", "Aspirin and rest reduced pain.", "negation"),
        ("The method does not work without labels.", "The method works without labels.", "negation"),
        ("Pruning only improves accuracy.", "Pruning not only improves accuracy but saves memory.", "scope"),
        ("The model handles any labels.", "The model handles labels.", "scope"),
        ("The release has no use for any checkpoints.", "The release has checkpoints.", "scope"),
    ],
)
def test_a_lost_or_added_denial_is_noticed(claim, evidence, guard):
    assert guard_of(claim, evidence) == guard


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Qwen2 labels the images.", "Qwen2.5 labels the images."),
        ("Training uses CIFAR10.", "Training uses CIFAR100."),
        ("Training uses CIFAR-10.", "Training uses CIFAR-100."),
        ("The images are labelled by GPT-3.", "For 3 tasks, the images are labelled by GPT-4."),
        ("The EU funds research.", "Every university funds research."),
        ("The EU funds research.", "An efficient updater funds research."),
        ("BRCA3 carriers were tested.", "BRCA1/2 carriers were tested."),
        ("TNFα was raised.", "TNF-β was raised."),
        ("A phase III trial failed.", "A phase 2 trial failed."),
        ("MoS2 films absorb.", "MoS$_3$ films absorb."),
        ("Patients of group A improved.", "A part of the patients, those of group B, improved."),
        ("The mice lack vitamin C.", "The mice lack vitamin D."),
        ("GPT-4 labels the images.", "GPT-4o labels the images."),
        ("IL-6 was raised.", "Interleukin-16 was raised."),
        ("The α-helix is stable.", "The β-helix is stable."),
    ],
)
def test_a_name_that_only_resembles_one_is_noticed(claim, evidence):
    assert guard_of(claim, evidence) in ("names", "numbers")


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Qwen2.5 labels the images.", "Qwen2.5-7B labels the images."),
        ("Gemma2 labels the images.", "Gemma 2 9B labels the images."),
        ("Qwen2 labels the images.", "The images get labels from Qwen 2."),
        ("Training uses CIFAR10.", "Training uses CIFAR-10."),
        ("The images are labelled by GPT-3.", "The images are labelled by GPT-3-based models."),
        ("The images are labelled by Llama-3.", "The images are labelled by Llama 2 and 3."),
        ("They follow the work of Poincare.", "They follow the work of Poincaré."),
        ("RLHF aligns models.", "Reinforcement learning from human feedback aligns models."),
        ("NPOV guides editors.", "The neutral point of view guides editors."),
        ("The EU funds research.", "The European Union funds research."),
        ("AI systems fail.", "Artificial intelligence systems fail."),
        ("The AI fails.", "An AI's decision fails."),
        ("TNFα was raised.", "TNF-alpha was raised."),
        ("Beta-catenin and NF-kappaB bind.", "β-catenin and NF-κB bind."),
        ("CO2 is stored in MoS2 and TiO2.", "CO₂ is stored in MoS$_2$ and TiO$_{2}$."),
        ("BRCA1 and BRCA2 carriers were tested.", "BRCA1/2 carriers were tested."),
        ("BRCA1/2 carriers were tested.", "Carriers of BRCA1 and BRCA2 were tested."),
        ("A Phase 3 trial failed.", "A phase III trial failed."),
        ("Type II errors rose.", "Type 2 errors rose."),
        ("The ratio is 2 (95% CI 1-3).", "The ratio is 2 (95% confidence interval, 1 to 3)."),
        ("GPT-4 labels the images.", "Images are labelled by GPT-4-turbo, and other GPT-4s."),
        ("IL-6 and IL-8 were raised.", "Interleukin-6 and interleukin 8 were raised."),
        ("The helix is stable.", "The α-helix is stable."),
        ("It takes 10 GB.", "It takes 10 gigabytes."),
        ("The AUC was high.", "The area under the curve was high."),
        ("The T cells (N = 5) by J. Smith lack vitamin D.", "T-cells (n=5) lack vitamin D, writes Smith."),
        ("The models of Gemma 2 label images.", "We introduce Gemma 2, a family whose models label images."),
        ("The 2 in its name counts generations of Gemma.", "Its name counts generations. We introduce Gemma 2."),
    ],
)
def test_a_name_written_otherwise_is_known(claim, evidence):
    assert guard_of(claim, evidence) is None


@pytest.mark.parametrize("shown", ["Gemma 2.5", "Gemma 2,000", "Gemma 27"])
def test_a_figure_within_another_is_no_part_of_a_name(shown):
    assert guard_of("The family has 2 members.", f"The family has members like {shown}.") == "numbers"


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The correlation is 0.3.", "The correlation is −0.3."),
        ("The learning rate is 1e4.", "The learning rate is 1e-4."),
        ("The threshold is 10^3.", "The threshold is 10^-3."),
        ("Speed shows a twofold gain.", "Speed shows a threefold gain."),
        ("The corpus has a thousand images.", "The corpus has 2,000 images."),
        ("Latency is 5 ms.", "Latency is 5 s."),
        ("Training costs $5 million.", "Training costs €5 million."),
        ("It places photos within 25 kilometers.", "It places photos within 25 miles."),
        ("The dose is 20 mg.", "The dose is 20 g."),
        ("Memory doubled.", "Memory tripled."),
        ("Training takes 5 minutes.", "Training takes 5 hours."),
        ("Growth takes 5 million months.", "Growth takes 3-5 months."),
        ("The correlation is 0.3.", "The correlation is $-0.3$."),
        ("The family has two members.", "The family has members like Gemma-2."),
    ],
)
def test_a_figure_with_another_sign_power_or_unit_is_noticed(claim, evidence):
    assert guard_of(claim, evidence) == "numbers"


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("The correlation is -0.3.", "The correlation (−0.3) is low."),
        ("The learning rate is 0.0001.", "The learning rate is 1e-4."),
        ("The corpus has a thousand images.", "The corpus has 1,000 images."),
        ("The corpus has 1,000 images.", "The corpus has a thousand images."),
        ("The corpus has 120 images.", "The corpus has one hundred and twenty images."),
        ("The corpus has two million words.", "A 2-million-word corpus."),
        ("Memory doubled.", "Memory use is twice as high."),
        ("Latency is 5 milliseconds.", "Latency is 5 ms."),
        ("Latency is 5ms.", "Latency is 5 ms."),
        ("Training costs 5 million dollars.", "Training costs $5M."),
        ("Training costs $5 million.", "Training costs 5 million USD."),
        ("Training is 1.5 times faster over 5 layers.", "Training is $1.5\\times$ faster over $5$ layers."),
        ("The F1 is 82.", "The F1 is 0.82."),
        ("The p-value was below 0.01.", "The difference was significant (p < 0.001)."),
        ("Training takes 5 hours.", "Training takes 5 h."),
        ("Growth takes between 3 and 5 months.", "Growth takes 3-5 months."),
        ("Llama-2-7B labels the images.", "Llama 2 7B labels the images."),
    ],
)
def test_a_figure_written_otherwise_is_the_same(claim, evidence):
    assert guard_of(claim, evidence) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Distillation lowered the error.", "Distillation raised the error."),
        ("Distillation improved the ranking.", "Distillation worsened the ranking."),
        ("Distillation enhanced the ranking.", "Distillation degraded the ranking."),
        ("Since then the error has declined.", "Since then the error has risen."),
        ("Since then the error fell.", "Since then the error rose."),
        ("Feedback strengthened the bias.", "Feedback weakened the bias."),
        ("The vocabulary expanded.", "The vocabulary shrank."),
        ("The vocabulary was expanded.", "The vocabulary was shrunk."),
        ("Caching prevented reuse.", "Caching enabled reuse."),
        ("The score exceeded the target.", "The score fell short of the target."),
        ("Caching accelerated decoding.", "Caching slowed decoding."),
        ("Length is positively correlated with quality.", "Length is negatively correlated with quality."),
        ("The policy maximizes the divergence.", "The policy minimizes the divergence."),
        ("The policy maximises the divergence.", "The policy is minimising the divergence."),
        ("The protein activates growth.", "The protein inhibits growth."),
        ("The activation of the protein.", "The inhibition of the protein."),
        ("The gene is upregulated.", "The gene is downregulated."),
        ("The gene is over-expressed.", "The gene is under-expressed."),
        ("Hypertension is common.", "Hypotension is common."),
        ("The maximum dose is given.", "The minimum dose is given."),
        ("Asymptomatic patients improved.", "Symptomatic patients improved."),
        ("Abnormal cells grow.", "Normal cells grow."),
        ("The effect depends on age.", "The effect is independent of age."),
        ("Old female mice grew.", "Young male mice grew."),
    ],
)
def test_a_reversal_in_any_inflection_is_noticed(one, other):
    assert guard_of(one, other) == guard_of(other, one) == "direction"


@pytest.mark.parametrize(
    ("claim", "evidence"),
    [
        ("Pruning reduces memory in our set-up.", "We set up pruning, which saves memory."),
        ("A lower loss improves the model.", "Reducing the loss gains a better model."),
        ("The gain in speed shrinks with depth.", "The loss of the gain in speed comes with depth."),
        ("As shown above, recall rises.", "Below, recall is shown."),
        ("Weak labels help as well.", "Weak labels help. They work well."),
        ("Pruning reduces memory.", "Pruning, an increasingly popular method, saves memory."),
        ("Both models behave in a similar way.", "We see no difference in how both models behave."),
        ("The model improves recall.", "We show the mechanism behind the recall of the model."),
        ("Distillation lowered the error.", "Distillation reduces the error."),
        ("The score exceeded the target.", "The score was higher than the target."),
        ("The effect does not depend on age.", "The effect is independent of age."),
        ("The location of the cells", "The allocation of the cells"),
        ("The score drops by 0.3 points.", "The score in points changes by −0.3."),
        ("The score changes by −0.3 points.", "The score falls by 0.3 points."),
    ],
)
def test_a_word_with_two_meanings_is_no_reversal(claim, evidence):
    assert guard_of(claim, evidence) is None


CONVERSES = [
    ("Women scored lower than men.", "Men scored higher than women."),
    ("PERL is slower than RLHF.", "RLHF is faster than PERL."),
    ("PERL is less accurate than RLHF.", "RLHF is more accurate than PERL."),
    ("Falcon has worse recall than Heron.", "Heron has better recall than Falcon."),
    ("Noise causes drift.", "Drift is due to noise."),
    ("Tuning precedes pruning.", "Pruning follows tuning."),
    ("Tuning comes before pruning.", "Pruning comes after tuning."),
    ("Falcon needs fewer labels than Heron.", "Heron needs more labels than Falcon."),
]


@pytest.mark.parametrize(("claim", "evidence"), CONVERSES)
def test_a_converse_says_the_same(claim, evidence):
    assert guard_of(claim, evidence) is None
    assert guard_of(evidence, claim) is None


@pytest.mark.parametrize(
    ("claim", "evidence", "guard"),
    [
        ("Women scored higher than men.", "Men scored higher than women.", "roles"),
        ("Men scored lower than women.", "Men scored higher than women.", "direction"),
        ("PERL is faster than RLHF.", "RLHF is faster than PERL.", "roles"),
        ("RLHF is slower than PERL.", "RLHF is faster than PERL.", "direction"),
        ("RLHF is less accurate than PERL.", "RLHF is more accurate than PERL.", "direction"),
        ("PERL is more accurate than RLHF.", "RLHF is more accurate than PERL.", "roles"),
        ("Accuracy moved from 60% to 70%.", "Accuracy moved from 70% to 60%.", "roles"),
        ("It translates from English to German.", "It translates from German into English.", "roles"),
        ("Noise causes drift.", "Noise is caused by drift.", "roles"),
        ("Gemma is based on Gemini.", "Gemini is based on Gemma.", "roles"),
        ("Tuning precedes pruning.", "Tuning follows pruning.", "roles"),
    ],
)
def test_one_reversal_alone_is_noticed(claim, evidence, guard):
    assert guard_of(claim, evidence) == guard


def test_a_figure_of_a_name_that_is_not_there_is_no_other_figure():
    claim = "COVID-19 spreads before symptoms."
    found = guards.object_to(claim, "The virus spreads 2 days before symptoms.")
    assert (found.guard, found.contradicts) == ("names", False)
    assert guards.object_to("CodeLlama-7B has sparse circuits.", "CodeLlama-13B has sparse circuits.").contradicts


SPEECH = "Robots learn from human video alone. Robots do not learn from human speech."


def test_what_one_sentence_says_is_not_held_against_another():
    assert guard_of("Robots learn from human video.", SPEECH) is None
    assert guard_of("Robots learn from human speech.", SPEECH) == "negation"


@pytest.mark.parametrize("text", ["A" * 50_000, "Aa" * 25_000 + "1", "a-" * 25_000, "-" * 50_000, "_" * 50_000])
def test_endless_evidence_takes_no_endless_time(text):
    began = time.process_time()
    guards.object_to("GPT-3 solves 3 tasks.", text)
    guards.object_to(f"{text} is slower than 3 tasks.", f"{text} is faster than 4 tasks.")
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    ("claim", "evidence", "guard"),
    [
        ("Accuracy stays below 90%.", "Accuracy stays above 90%.", "numbers"),
        ("The effect is not significant (p > .05).", "The effect is not significant (p < .05).", "numbers"),
        ("It is at least 24x faster.", "It is up to 24x faster.", "numbers"),
        ("It has more than 40 tasks.", "It has at least 40 tasks.", None),
        ("It has no more than 40 tasks.", "It has fewer than 40 tasks.", None),
        ("It has over 1,000 tasks.", "It has 1,120 tasks.", None),
        ("Accuracy is about 90%.", "Accuracy is 89.6%.", None),
        ("Half of the frogs sing.", "50% of the frogs sing.", None),
        ("A third of the frogs sing.", "Half of the frogs sing.", "numbers"),
        ("It takes 90 minutes.", "It takes 1.5 hours.", None),
        ("The cohort had nearly 13,000 patients.", "The cohort had 12 945 patients.", None),
        ("The cohort had 345 patients.", "The cohort had 12 345 patients.", "numbers"),
        ("Patients younger than 65 were included.", "Patients older than 65 were included.", "numbers"),
        ("The drug reduced mortality (p < 0.05).", "The drug reduced mortality (P=.003).", None),
        ("Training takes 1 epoch.", "Training takes one epoch.", None),
        ("Training takes 1 epoch.", "Training takes a single epoch.", None),
        ("The two models converge.", "Both models converge.", None),
        ("It runs in O(n^2).", "It runs in O(n²).", None),
        ("It runs in O(n^3).", "It runs in O(n²).", "numbers"),
    ],
)
def test_a_bound_is_part_of_a_figure(claim, evidence, guard):
    assert guard_of(claim, evidence) == guard


SCORES = "The best closed model (i.e., GPT-4o) reaches 47.1%, and the best open model (i.e., InternVL) 29.2%."


@pytest.mark.parametrize(
    ("sentence", "evidence", "objects"),
    [
        ("The best closed model (i.e., GPT-4o) and the best open model (i.e., InternVL) 47.1%.", SCORES, True),
        ("GPT-4o reaches 29.2%.", SCORES, True),
        ("InternVL reaches 29.2%, and GPT-4o 47.1%.", SCORES, False),
        ("GPT-4o and InternVL reach 47.1%.", SCORES, True),
        ("GPT-4o reaches 47.1%.", SCORES, False),
        ("It reaches 29.2%.", SCORES, False),
        ("GPT-4o reaches 29.2%.", "They reach 47.1% and 29.2% (GPT-4o and InternVL, respectively).", False),
        ("InternVL reaches 29.2%.", "It is 47.1% for GPT-4o and 29.2% for InternVL.", False),
        ("GPT-4o reaches 29.2%.", "GPT-4o reaches 47.1% there, and 29.2% here.", False),
        ("GPT-4o solves 3 of the tasks.", "GPT-4o solves 4 tasks, and InternVL 3 tasks.", True),
        ("GPT-4o solves 3% of the tasks.", "GPT-4o solves 4 tasks, and InternVL 3% of them.", False),
    ],
)
def test_a_sentence_of_our_own_gives_each_name_its_own_figure(sentence, evidence, objects):
    assert bool(guards.object_to_own(sentence, evidence)) is objects
