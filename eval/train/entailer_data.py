"""Training pairs for the entailer: evidence, a claim, and what the evidence says of it.

Labelled inference sets teach meaning; pairs out of papers teach the domain and its errors. There,
faithful claims are summaries by people, answers by experts, titles, and sentences put in other words
by rule; each has twins with one injected error, so that overlap alone tells them apart nowhere.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from eval.inject import ErrorType, inject
from eval.train.corpora import Row, papers, rows, title_key
from rag.library.lexical import terms
from rag.text import fold, sentences

LABELS = ("supported", "contradicted", "not_enough_info")  # in the order of the model's outputs

# How many pairs of each set to take. Licences: Apache-2.0, MIT, CC BY, CC BY-SA, OANC.
SETS = {
    "nli_mnli": 9_000,
    "nli_semi_automatic_wiki": 3_500,
    "nli_evidence_inference_v2": 3_000,
    "nli_check_covid": 2_500,
    "nli_counterfactual_snli": 2_000,
    "nli_conjnli": 2_000,
    "nli_negation_nli": 1_500,
    "nli_monotonicity": 1_000,
    "nli_fm2": 2_500,
    "nli_fever_symmetric": 1_400,
    "nli_factcheck_gpt": 1_200,
    "nli_contract_nli": 800,
    "nli_summedits": 1_200,
}
PAPERS = 4_500
_LONGEST = 600  # characters of evidence


@dataclass(frozen=True, slots=True)
class Example:
    """Evidence and a claim, with the index of its label in `LABELS` and where the pair comes from."""

    evidence: str
    claim: str
    label: int
    kind: str


def build(data: Path, papers_file: Path, *, leave_out: frozenset[str], seed: int = 0) -> list[Example]:
    """All pairs, shuffled; the same seed gives the same pairs. Raises BadInputError for a missing set."""
    chance = random.Random(seed)
    found: list[Example] = []
    for name, most in SETS.items():
        found += _of_set(rows(data, name), name, most, chance)
    found += _of_summaries(data, leave_out, chance)
    found += _of_expert_answers(rows(data, "aux_bioasq_golden"), chance)
    found += _of_papers(papers(papers_file, most=PAPERS, seed=seed + 1, leave_out=leave_out), chance)
    chance.shuffle(found)
    return found


def _of_set(found: Sequence[Row], kind: str, most: int, chance: random.Random) -> Iterator[Example]:
    usable = [
        row for row in found if len(row["premise"]) <= _LONGEST and not (row.get("binary") and row["label"] == "nei")
    ]
    for row in chance.sample(usable, min(most, len(usable))):
        label = "not_enough_info" if row["label"] == "nei" else row["label"]
        yield Example(fold(row["premise"]), fold(row["claim"]), LABELS.index(label), kind)


def _of_summaries(data: Path, leave_out: frozenset[str], chance: random.Random) -> Iterator[Example]:
    """Summaries by people against the sentences nearest to them, and their twins."""
    found = [
        (row["title"], [fold(s) for s in row["abstract"]], tldr)
        for row in rows(data, "aux_scitldr")
        for tldr in row["tldrs"][:2]
    ] + [(row["title"], [fold(s) for s in sentences(row["abstract"])], row["tldr"]) for row in rows(data, "aux_tldr")]
    found = [item for item in found if title_key(item[0]) not in leave_out and len(item[1]) > 1]
    for title, parts, summary in found:
        claim = third_person(fold(summary), chance)
        evidence = nearest(claim, parts, chance.choice((2, 3, 3)))
        if _overlap(claim, evidence) < 0.35:
            continue  # written from the whole paper: its abstract may not say it
        other = chance.choice(found)
        yield from _twins(claim, evidence, parts, [*other[1], other[2]], title, "summary", chance)


def _of_expert_answers(found: Sequence[Row], chance: random.Random) -> Iterator[Example]:
    """Sentences of answers that experts wrote, against the snippets that they marked."""
    for row in found:
        ideal = row["ideal"] or []
        text = ideal if isinstance(ideal, str) else " ".join(ideal[:1])
        snippets = [fold(s) for s in row["snippets"] if 40 < len(s) < 500]
        other = [fold(s) for s in chance.choice(found)["snippets"]]
        for claim in sentences(text)[:2]:
            if snippets and 40 < len(claim) < 350:
                evidence = nearest(claim, snippets, chance.choice((1, 2, 3)))
                if _overlap(claim, evidence) >= 0.5:
                    yield from _twins(fold(claim), evidence, snippets, other, "", "expert", chance)


def _of_papers(found: Sequence[Row], chance: random.Random) -> Iterator[Example]:
    """Sentences of abstracts, put in other words by rule, with and without their evidence at hand."""
    for row in found:
        parts, other = row["sentences"], chance.choice(found)["sentences"]
        at = chance.randrange(len(parts))
        sentence = parts[at]
        if not 50 < len(sentence) < 400:
            continue
        claim = reworded(sentence, chance)
        near = parts[max(0, at - 1) : at + 2] if chance.random() < 0.4 else [sentence]
        yield from _twins(claim, near, parts, other, row["title"], "sentence", chance)
        rest = [part for part in parts if part != sentence]
        if chance.random() < 0.5:  # the sentence taken out: plausible, but not said
            silent = nearest(claim, rest, chance.choice((1, 2, 3)))
            if _overlap(claim, silent) < 0.6:
                yield Example(_cut(silent), claim, LABELS.index("not_enough_info"), "left_out")
        if chance.random() < 0.35:
            evidence = nearest(row["title"], parts, 3)
            if _overlap(row["title"], evidence) >= 0.6:
                yield Example(_cut(evidence), _of_title(row["title"], chance), 0, "title")


_EASY = (ErrorType.SCOPE, ErrorType.ADDITION, ErrorType.NEIGHBOUR)  # fit nearly everywhere: others go first


def _twins(
    claim: str,
    evidence: Sequence[str],
    own: Sequence[str],
    other: Sequence[str],
    title: str,
    kind: str,
    chance: random.Random,
) -> Iterator[Example]:
    """A faithful claim and two with an error, against the same evidence."""
    text = _cut(evidence)
    yield Example(text, claim, 0, kind)
    errors = sorted(ErrorType, key=lambda error: chance.random() + (error in _EASY and chance.random() < 0.7))
    made = 0
    for error in errors:
        siblings = [part for part in own if part not in evidence]
        inside = error is ErrorType.ENTITY and chance.random() < 0.6
        donors = [*siblings, title] if inside else [*other, *siblings] if error is ErrorType.NEIGHBOUR else other
        injected = inject(claim, error, seed=chance.random().hex(), donors=donors)
        if injected is None or (error is ErrorType.NEIGHBOUR and _overlap(injected.text, evidence) > 0.5):
            continue
        yield Example(text, injected.text, LABELS.index(error.verdict.value), f"{kind}/{error}")
        made += 1
        if made == 2:
            return


_REPORTERS = ("The authors", "The researchers")
_FIRST_PERSON = re.compile(r"\b(?:In this (?:paper|work|article|report|study),? )?[Ww]e (?=[a-z]+)")
_OPENINGS = re.compile(
    r"^(?:However|Moreover|Furthermore|In addition|Additionally|Specifically|In particular|Finally|Therefore|Thus|"
    r"Consequently|To this end|In this (?:paper|work|study)|Here|Empirically|Notably|Importantly|Also),? "
)
_SYNONYMS = dict(
    pair.split("/")
    for pair in (
        "propose/put_forward propose/suggest present/describe introduce/present show/demonstrate demonstrate/show "
        "novel/new method/approach approach/method results/findings large/big utilize/use leverage/use "
        "significantly/considerably improve/enhance outperforms/beats performance/results existing/current "
        "experiments/tests obtain/get achieves/reaches achieve/reach several/a_number_of various/different "
        "efficient/economical robust/stable task/problem demonstrates/shows enables/allows requires/needs "
        "evaluate/assess investigate/study examine/look_at employ/use develop/build furthermore/also "
        "however/but additionally/also numerous/many crucial/essential challenging/hard important/key"
    ).split()
)


def third_person(text: str, chance: random.Random) -> str:
    """`We propose …` → `The authors propose …`."""
    reporter = chance.choice(_REPORTERS)
    changed = _FIRST_PERSON.sub(lambda match: reporter + " " if match.start() == 0 else reporter.lower() + " ", text)
    changed = re.sub(r"\b[Oo]ur\b", lambda m: "Their" if m[0][0] == "O" else "their", changed)
    return changed[0].upper() + changed[1:]


def reworded(sentence: str, chance: random.Random) -> str:
    """A sentence in the third person, with openings dropped, a clause moved or left out, and synonyms."""
    text = third_person(_OPENINGS.sub("", sentence), chance)
    text = re.sub(r" \([^()]{2,60}\)", "", text) if chance.random() < 0.5 else text
    parts = re.split(r", (?=which|while|where|whereas|enabling|allowing|and (?:show|achiev|demonstrat|improv))", text)
    if len(parts) > 1 and chance.random() < 0.5:
        text = parts[0].rstrip(".") + "."
    opening = re.match(r"^((?:On|In|For|By|With|Using|To|Unlike|When|While|Through) [^,]{8,80}), (.+?)\.?$", text)
    if opening and chance.random() < 0.6:
        rest = opening[2]
        text = f"{rest[0].upper()}{rest[1:]} {opening[1][0].lower()}{opening[1][1:]}."
    for word in sorted(set(re.findall(r"[a-z]+", text)) & set(_SYNONYMS)):
        if chance.random() < 0.6:
            text = re.sub(rf"\b{word}\b", _SYNONYMS[word].replace("_", " "), text)
    return text[0].upper() + text[1:]


def _of_title(title: str, chance: random.Random) -> str:
    return chance.choice(("The paper is about {}.", "This work deals with {}.", "{}.", "The authors study {}.")).format(
        title
    )


def nearest(claim: str, parts: Sequence[str], most: int) -> list[str]:
    """The sentences that share most words with the claim, in their own order."""
    wanted = set(terms(claim))
    ranked = sorted(range(len(parts)), key=lambda i: -len(wanted & set(terms(parts[i]))))
    return [parts[i] for i in sorted(ranked[:most])]


def _overlap(claim: str, evidence: Iterable[str]) -> float:
    wanted = set(terms(claim))
    return len(wanted & set(terms(" ".join(evidence)))) / max(1, len(wanted))


def _cut(evidence: Sequence[str]) -> str:
    return " ".join(evidence)[:_LONGEST]
