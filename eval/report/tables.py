"""Scores and records → CSV for a spreadsheet and JUnit XML for a build server.

Questions are text of others: a cell that a spreadsheet would take for a formula is quoted, characters that
XML cannot hold are left out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any
from xml.etree import ElementTree

from eval.dataset import Question
from eval.metrics.share import Share
from eval.report.failures import Kind, kinds_of, shares_of
from eval.run import Record
from eval.scoring import METRICS

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def scores_csv(scores: Mapping[str, Any], questions: Sequence[Question], records: Sequence[Record]) -> str:
    """A row a question: what it is, what became of it, then a column a metric; empty where it does not apply."""
    rows = _rows(scores)
    table: list[list[Any]] = [["id", "type", "answerable", "outcome", "failures", "unscored", "question", *METRICS]]
    for question, record in zip(questions, records, strict=True):
        shares = shares_of(rows.get(question.id, {}))
        kinds = " ".join(kind.key for kind in kinds_of(record, shares))
        table.append(
            [
                *map(_cell, (question.id, question.type)),
                str(question.answerable).lower(),
                outcome(record),
                kinds,
                sum(share.unscored for share in shares.values()),
                _cell(question.question),
                *(_number(shares.get(name, Share()).value) for name in METRICS),
            ]
        )
    return _csv(table)


def comparison_csv(comparison: Mapping[str, Any]) -> str:
    """A row a question, worst change first: the change, then each metric in A and in B."""
    heading = [f"{name} {run}" for name in METRICS for run in "ab"]
    table: list[list[Any]] = [["id", "type", "change", "question", *heading]]
    for row in comparison.get("rows") or ():
        values = [_number((row.get(run) or {}).get(name)) for name in METRICS for run in "ab"]
        named = [_cell(str(row.get(key, ""))) for key in ("id", "type")]
        table.append([*named, _number(row.get("change")), _cell(str(row.get("question", ""))), *values])
    return _csv(table)


def junit(scores: Mapping[str, Any], questions: Sequence[Question], records: Sequence[Record]) -> str:
    """A test case a question; what `fails` is a failure, an error is an error."""
    rows = _rows(scores)
    run = scores.get("run") or {}
    name = _text(f"footnote eval: {run.get('system', 'a run')}")
    suite = ElementTree.Element("testsuite", name=name)
    failures = errors = 0
    total = 0.0
    for question, record in zip(questions, records, strict=True):
        kinds = kinds_of(record, shares_of(rows.get(question.id, {})))
        seconds = _seconds(record)
        suite.append(_case(question, record, kinds, seconds))
        errors += record.answer is None
        failures += record.answer is not None and any(kind.fails for kind in kinds)
        total += seconds
    counts = {"tests": str(len(questions)), "failures": str(failures), "errors": str(errors), "time": f"{total:.3f}"}
    suite.attrib.update(counts)
    suites = ElementTree.Element("testsuites", {"name": name, **counts})
    suites.append(suite)
    ElementTree.indent(suites)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"


def outcome(record: Record) -> str:
    """`answered`, `abstained` or `error`."""
    if record.answer is None:
        return "error"
    return "abstained" if record.answer.abstained else "answered"


def _case(question: Question, record: Record, kinds: Sequence[Kind], seconds: float) -> ElementTree.Element:
    named = {"classname": _text(question.type), "name": _text(question.id), "time": f"{seconds:.3f}"}
    case = ElementTree.Element("testcase", named)
    failing = [kind for kind in kinds if kind.fails]
    if record.answer is None:
        ElementTree.SubElement(case, "error", type="error", message=_text(record.error)).text = _text(question.question)
    elif failing:
        message = "; ".join(f"{kind.label}: {kind.says}" for kind in failing)
        kind = ", ".join(kind.key for kind in failing)
        said = f"question: {question.question}\nanswer: {record.answer.text}\nwanted: {question.gold_answer}"
        ElementTree.SubElement(case, "failure", type=kind, message=message).text = _text(said)
    return case


def _rows(scores: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    return {row["id"]: row for row in scores.get("rows") or ()}


def _seconds(record: Record) -> float:
    return float(record.answer.timings.get("total", 0.0)) if record.answer else 0.0


def _csv(table: Sequence[Sequence[Any]]) -> str:
    out = io.StringIO()
    csv.writer(out).writerows(table)  # its line ends (RFC 4180) have it quote a lone \r in a cell too
    return out.getvalue()


def _cell(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _text(text: str) -> str:
    return _NOT_XML.sub("", text)
