"""Why a model would say this: how far each word and sentence of the evidence drives a claim's likelihood.

The generator reads the evidence and is asked how likely it finds the claim; the gradients that
`rag.models.salience` measures for tokens are summed up to words and sentences here. Salience tells what
the generator looked at, not whether that supports the claim: for this there is `rag.verify`.

Source: Sequence Salience, Tenney et al. 2024, arXiv:2404.07498.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from rag.errors import BadInputError, ModelError
from rag.models.generator import Generator
from rag.models.salience import Trace, log_likelihoods, trace
from rag.text import Span
from rag.types import JSON

SYSTEM = "Write one sentence that follows from the numbered sentences only. Copy names and numbers exactly."
_WORD = re.compile(r"\S+")


@dataclass(frozen=True, slots=True)
class WordSalience:
    """A word of a sentence of evidence, `sentence[start:end] == text`: a run without white space."""

    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Salience:
    """What drives a claim.

    `sentences` has a share for each sentence of evidence; the shares sum to 1, or are all 0 where nothing
    drives the claim. The scores in `words`, one tuple a sentence, sum to the sentence's share.
    `evidence_share`, in 0..1, is how much of the salience in all lies on the evidence; the rest is on the
    instruction and on the claim's own beginning. `log_likelihood` is the mean over the claim's tokens, in
    nats, and `gain` how much it lost without the evidence, so that a claim which owes nothing to it has 0.
    `helped` is the share of the claim's tokens that the evidence makes likelier.
    """

    sentences: tuple[float, ...]
    words: tuple[tuple[WordSalience, ...], ...]
    evidence_share: float
    log_likelihood: float
    gain: float
    helped: float

    def to_dict(self) -> JSON:
        """Return the JSON form, one entry a sentence."""
        return {
            "sentences": [
                {
                    "score": score,
                    "words": [{"start": w.start, "end": w.end, "text": w.text, "score": w.score} for w in words],
                }
                for score, words in zip(self.sentences, self.words, strict=True)
            ],
            "evidence_share": self.evidence_share,
            "log_likelihood": self.log_likelihood,
            "gain": self.gain,
            "helped": self.helped,
        }


def salience(generator: Generator, claim: str, evidence: Sequence[str], *, question: str = "") -> Salience:
    """What in the sentences of `evidence` drives `claim`, given as the answer to `question` if there is one.

    Raises BadInputError for a blank claim or too long a text, ModelError for a generator without gradients,
    such as one on a server.
    """
    claim = claim.strip()
    if not claim:
        raise BadInputError("the claim is empty: write it as text")
    prompt, starts = _prompt(evidence, question)
    traced = trace(generator, SYSTEM, prompt, claim)
    bare = log_likelihoods(generator, SYSTEM, _prompt((), question)[0], claim)
    prompt_start = _start_of(prompt, traced, generator.name)
    by_character = _by_character(traced)
    everything = sum(by_character)
    shares = [
        [sum(by_character[prompt_start + start + a : prompt_start + start + b]) for a, b in word_spans(sentence)]
        for sentence, start in zip(evidence, starts, strict=True)
    ]
    on_evidence = sum(map(sum, shares))
    scale = 1 / on_evidence if on_evidence else 0.0
    mean = fmean(traced.log_likelihoods)
    return Salience(
        tuple(sum(own) * scale for own in shares),
        tuple(
            _words(sentence, [share * scale for share in own]) for sentence, own in zip(evidence, shares, strict=True)
        ),
        on_evidence / everything if everything else 0.0,
        mean,
        mean - fmean(bare),
        # Behind either prompt the claim has the same tokens, since both prompts end alike.
        fmean(told > untold for told, untold in zip(traced.log_likelihoods, bare, strict=False)),
    )


def word_spans(text: str) -> list[Span]:
    """Runs without white space: ordered, disjoint, covering every character that is not white space."""
    return [found.span() for found in _WORD.finditer(text)]


def _prompt(evidence: Sequence[str], question: str) -> tuple[str, list[int]]:
    """The user message, and where each sentence starts in it; sentences stay as they are, for their offsets."""
    text = ""
    starts = []
    for number, sentence in enumerate(evidence, start=1):
        text += f"[{number}] "
        starts.append(len(text))
        text += f"{sentence}\n"
    return (f"{text}\nQuestion: {question}" if question else text).strip(), starts


def _start_of(prompt: str, traced: Trace, name: str) -> int:
    found = traced.text.find(prompt)
    if found < 0:
        raise ModelError(f"the chat template of {name!r} rewrites the prompt, so salience has no place to show")
    return found


def _by_character(traced: Trace) -> list[float]:
    """Each token's salience spread evenly over its characters that are not white space."""
    scores = [0.0] * len(traced.text)
    for token in traced.tokens:
        places = [i for i in range(token.start, token.end) if not traced.text[i].isspace()]
        for place in places:
            scores[place] += token.score / len(places)
    return scores


def _words(sentence: str, scores: Sequence[float]) -> tuple[WordSalience, ...]:
    spans = word_spans(sentence)
    return tuple(WordSalience(a, b, sentence[a:b], score) for (a, b), score in zip(spans, scores, strict=True))
