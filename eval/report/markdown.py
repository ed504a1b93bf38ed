"""A report as Markdown: the same figures as on the page, without drawings, for a terminal or a pull request.

Text of papers, models and questions is escaped, so that it stays text in any viewer.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from eval.dataset import Question
from eval.report import compared, figures, formats
from eval.report.failures import KINDS, kinds_of, shares_of
from eval.report.figures import Figure, Table
from eval.report.pairings import Pairing, failures
from eval.run import Record

_SPECIAL = re.compile(r"([\\`*_{}\[\]|#!~])")
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")  # a terminal, or the direction of text


def run_markdown(scores: Mapping[str, Any], questions: Sequence[Question], records: Sequence[Record]) -> str:
    """The report of one run."""
    run = scores.get("run") or {}
    return _document(
        f"# Evaluation of {_escaped(str(run.get('system', 'a run')))}",
        summary(scores, records),
        _judge(scores),
        "“All alike” is no certainty: n questions that agree leave room for about 3 in n that do not.",
        *(_group(group) for group in figures.groups(scores)),
        _controls(scores),
        _section("The judge's self-test", _table(figures.judge(scores).table), "The judge was not tested in this run."),
        _detectors(scores.get("detectors") or {}),
        _section("By type of question", _table(figures.type_table(scores)), "No metric has a value for any type."),
        _section("Cost", _pairs(figures.costs(scores)), "What it cost was not recorded."),
        _section("How it was made", _pairs(figures.manifest(run)), "Which run this is was not recorded."),
        _failures(scores, questions, records),
    )


def comparison_markdown(comparison: Mapping[str, Any], paired: Sequence[Pairing]) -> str:
    """The report of two runs; B is measured against A."""
    verdicts = [f"- {sign.word}: {', '.join(names) or 'no metric'}" for sign, names in compared.told(comparison)]
    gates = [f"- `{_code(spec)}`: {sign.word}, {seen}" for spec, sign, seen in compared.gates(comparison)]
    return _document(
        "# B against A",
        compared.agreement(comparison),
        _section("In short", "\n".join(verdicts), ""),
        _section("Gates", "\n".join(gates), "No gate was asked for."),
        _section("What differs", _table(compared.differing(comparison)), ""),
        compared.READING,
        *(_section(group.capitalize(), _changes(rows), "") for group, rows in compared.changes(comparison)),
        _section("By type of question", _table(compared.slices(comparison)), "Nothing was compared by type."),
        _section("Failures", _table(failures(paired)), "Neither run has a failure."),
        _section("Got worse, worst first", _worse(paired), "No question got worse."),
    )


def summary(scores: Mapping[str, Any], records: Sequence[Record]) -> str:
    """What became of the questions, in a sentence."""
    errors = sum(record.answer is None for record in records)
    abstained = sum(record.answer is not None and record.answer.abstained for record in records)
    answered = len(records) - errors - abstained
    said = f"{formats.count(len(records), 'question')}: {answered} answered, {abstained} abstained"
    area = scores.get("aurc")
    risk = f" Area under the risk–coverage curve: {area:.3f} (lower is better)." if area is not None else ""
    return f"{said}, {formats.count(errors, 'error')}.{risk}"


def _judge(scores: Mapping[str, Any]) -> str:
    judge = figures.judge(scores)
    said = f"Judge: **{_escaped(judge.name)}**." if judge.name else "Who judged is not recorded."
    tested = judge.tested or "It was not tested in this run."
    return f"{said} {_escaped(tested)}" + (f"\n\n> **Warning.** {judge.warning}" if judge.warning else "")


def _group(group: figures.Group) -> str:
    rows = tuple(_figure(figure) for figure in group.figures)
    body = _table(Table(("metric", "value", "95% interval", "questions", "says"), rows))
    empty = f"\n\nDoes not apply to any question: {', '.join(group.empty)}." if group.empty else ""
    return f"## {group.name.capitalize()}\n\n{body}{empty}"


def _figure(figure: Figure) -> tuple[str, ...]:
    says = figure.says + (" (lower is better)" if figure.lower_is_better else "")
    says += f"; {figure.unscored}" if figure.unscored else ""
    return figure.name, figure.value, figure.interval or formats.DASH, str(figure.n), says


def _controls(scores: Mapping[str, Any]) -> str:
    table = _table(figures.controls(scores))
    return _section("Controls", f"{figures.CONTROLS}\n\n{table}" if table else "", "No controls were run.")


def _detectors(detectors: Mapping[str, Any]) -> str:
    hallucination, coverage = detectors.get("hallucination") or {}, detectors.get("coverage") or {}
    parts = [_table(figures.auc_table(hallucination)) if hallucination else ""]
    parts += [_table(figures.coverage_table(coverage)) if coverage else ""]
    return _section("Detectors", "\n\n".join(filter(None, parts)), "No detectors were measured in this run.")


def _changes(rows: Sequence[compared.Change]) -> str:
    table = tuple(
        (c.name, c.a, c.b, c.difference, c.interval, c.p_holm, c.split_text, c.detectable, c.sign.word) for c in rows
    )
    heads = ("metric", "A", "B", "B − A", "95% interval", "p (Holm)", "won / tied / lost", "detectable", "verdict")
    return _table(Table(heads, table))


def _failures(scores: Mapping[str, Any], questions: Sequence[Question], records: Sequence[Record]) -> str:
    rows = {row["id"]: row for row in scores.get("rows") or ()}
    found = {
        question.id: kinds_of(record, shares_of(rows.get(question.id, {})))
        for question, record in zip(questions, records, strict=True)
    }
    parts = []
    for kind in (kind for kind in KINDS if kind.fails):
        own = [question for question in questions if kind in found[question.id]]
        if own:
            listed = "\n".join(f"- {_escaped(q.id)} ({_escaped(q.type)}): {_escaped(q.question)}" for q in own)
            parts.append(f"### {kind.label.capitalize()} ({len(own)}): {kind.says}\n\n{listed}")
    return _section("Failures", "\n\n".join(parts), "None.")


def _worse(paired: Sequence[Pairing]) -> str:
    rows = [pairing for pairing in paired if pairing.way == "worse"][:20]
    return "\n".join(f"- {_escaped(p.question.id)} ({p.change}): {_escaped(p.question.question)}" for p in rows)


def _table(table: Table) -> str:
    if not table.rows:
        return ""
    lines = [table.headings, tuple("---" for _ in table.headings), *table.rows]
    return "\n".join("| " + " | ".join(map(_escaped, line)) + " |" for line in lines)


def _pairs(rows: Sequence[tuple[str, str]]) -> str:
    return "\n".join(f"- {_escaped(name)}: {_escaped(value)}" for name, value in rows)


def _section(title: str, body: str, otherwise: str) -> str:
    return f"## {title}\n\n{body or otherwise}" if body or otherwise else ""


def _document(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part) + "\n"


def _escaped(text: str) -> str:
    plain = _STEERING.sub("", " ".join(text.split())).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(r"\\\1", plain)


def _code(text: str) -> str:
    return " ".join(text.split()).replace("`", "'")
