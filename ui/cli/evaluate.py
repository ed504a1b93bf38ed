"""`eval`: held-out questions → a faithfulness report; two runs compared; outside collections and claims."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import click

from rag.errors import EvalError
from rag.types import JSON
from ui.cli import tables
from ui.cli.options import json_option, model_options, open_library

RUNS = "runs"  # in the library's folder
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.group(name="eval", epilog="Example: footnote eval run --split test")
def evaluate() -> None:
    """Measure how far the answers can be trusted."""


@evaluate.command(epilog="Example: footnote eval run --questions mine.jsonl --out runs/mine")
@click.option("--questions", type=_FILE, help="JSON Lines of questions (default: those about the seed papers).")
@click.option(
    "--split",
    type=click.Choice(["dev", "test"]),
    default="test",
    show_default=True,
    help="Of the seeds' own; constants were fitted on dev.",
)
@click.option("--claims", type=_FILE, help="Claims for the judge's self-test (default: the split's, or gold answers).")
@click.option(
    "--out", type=_FOLDER, help="The run's folder (default: runs/SPLIT in the library); a killed run goes on."
)
@click.option("--limit", type=click.IntRange(1), help="Ask a seeded sample of so many.")
@click.option("--judge", default="words", show_default=True, help="words, or an NLI model: a hub id or a folder.")
@click.option("--controls/--no-controls", default=True, help="Also ask the controls, on a sample.")
@click.option("--salience/--no-salience", default=True, help="Also test the detectors that need gradients.")
@json_option
@model_options
@click.pass_context
def run(
    ctx: click.Context,
    /,
    questions: Path | None,
    split: str,
    claims: Path | None,
    out: Path | None,
    limit: int | None,
    judge: str,
    controls: bool,
    salience: bool,
    as_json: bool,
    **options: Any,
) -> int:
    """Put questions to the library and write report.html, report.md, scores.json, CSV and JUnit."""
    from eval import harness
    from eval.dataset import read_claims, read_questions
    from eval.judges import WORDS, EntailerJudge
    from eval.run import sample
    from rag.models import check_generator, load_entailer

    asked = read_questions(questions or harness.DATA / f"questions-{split}.jsonl")
    if not asked:
        raise EvalError(f"{questions} holds no question")
    asked = sample(asked, limit) if limit else asked
    footnote = open_library(ctx, options, build_from_seeds=True)
    check_generator(footnote.settings)
    folder = out or footnote.settings.library / RUNS / (questions.stem if questions else split)
    faithful = claims or (None if questions else harness.DATA / f"claims-{split}.jsonl")
    scores = harness.evaluate(
        footnote,
        asked,
        folder,
        faithful=read_claims(faithful) if faithful else harness.claims_of(asked),
        judge=None if judge == WORDS else EntailerJudge(load_entailer(judge, device=footnote.settings.device)),
        with_controls=controls,
        with_slow_detectors=salience,
        say=_progress(),
    )
    if as_json:
        click.echo(json.dumps(scores, ensure_ascii=False))
    else:
        click.echo(tables.of_metrics(scores["metrics"]))
        click.echo(f"\n{len(asked)} questions, {scores['abstained']} abstentions, {scores['errors']} errors")
        click.echo(f"judge: {scores['judge']}\nreport: {folder / 'report.html'}")
    return 0


@evaluate.command(
    epilog="Example: footnote eval compare .footnote/runs/a .footnote/runs/b --gate 'faithfulness>=-0.02'"
)
@click.argument("a", type=_FOLDER)
@click.argument("b", type=_FOLDER)
@click.option("--questions", type=_FILE, help="The questions of both runs (default: the seeds' own).")
@click.option(
    "--gate",
    "gates",
    multiple=True,
    metavar="METRIC>=-MARGIN",
    help="How far it may fall, proven; <=MARGIN where lower is better.",
)
@click.option("--out", type=_FOLDER, help="Where to write the comparison (default: compare/ in B).")
@json_option
def compare(a: Path, b: Path, questions: Path | None, gates: Sequence[str], out: Path | None, as_json: bool) -> int:
    """Say what changed from run A to run B: better, worse, or cannot be told.

    Exit 0 if every --gate passes, 3 if one fails, 4 if one is inconclusive.
    """
    from eval import compare as comparing
    from eval import harness
    from eval.dataset import read_questions
    from eval.report import write_comparison
    from eval.run import hash_of, read_manifest, read_records
    from eval.statistics import read_gate

    wanted = [row["id"] for row in comparing.read_scores(a)["rows"]]
    files = [questions] if questions else sorted(harness.DATA.glob("questions-*.jsonl"))
    known = {question.id: question for path in files for question in read_questions(path)}
    asked = [known[each] for each in wanted if each in known]
    named = ", ".join(map(str, files))
    if missing := len(wanted) - len(asked):
        raise EvalError(f"{missing} questions of {a} are not in {named}; name their file with --questions")
    if hash_of(asked) != read_manifest(a).get("questions_sha256"):
        raise EvalError(f"questions in {named} are no longer those of {a}; name the file as it was with --questions")
    records_a, records_b = read_records(a), read_records(b)
    found = comparing.compare(a, b, asked, records_a, records_b, gates=[read_gate(spec) for spec in gates])
    folder = out or b / "compare"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "comparison.json").write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    write_comparison(folder, found, asked, records_a, records_b)
    if as_json:
        click.echo(json.dumps(found, ensure_ascii=False))
    else:
        click.echo(tables.of_differences(found["metrics"]))
        if any(found["errors"].values()):
            click.echo(f"errors: {found['errors']['a']} in A, {found['errors']['b']} in B; these compare in nothing")
        for gate in found["gates"]:
            why = f" ({gate['errors']} questions ended in an error in B only)" if gate["errors"] else ""
            click.echo(f"gate {gate['spec']}: {gate['outcome']}{why}")
        click.echo(f"report: {folder / 'report.html'}")
    return comparing.outcome(found).exit_code


@evaluate.group(epilog="Example: footnote eval questions check mine.jsonl")
def questions() -> None:
    """Check a file of questions, or make one from a library."""


@questions.command(epilog="Example: footnote eval questions check mine.jsonl")
@click.argument("path", type=_FILE)
@model_options
@click.pass_context
def check(ctx: click.Context, /, path: Path, **options: Any) -> int:
    """Name every fault of a file of questions, or of claims: exit 1 if there is one."""
    from eval.dataset import claim_faults, faults
    from ui.cli.terminal import clean

    footnote = open_library(ctx, options, build_from_seeds=True)
    texts = {document.source: document.text for document in footnote.library.every()}
    text = path.read_text(encoding="utf-8-sig", errors="replace")
    holds_claims = bool(re.match(r'\s*\{.*"claim"\s*:', text))  # a key of the first row, not a value
    found = (claim_faults if holds_claims else faults)(path, texts)
    for fault in found:
        click.echo(f"{path}: {clean(str(fault))}")
    what = "claims" if holds_claims else "questions"
    click.echo(f"{len(found)} faults in the {what} of {path}" if found else f"{path}: no fault", err=True)
    return 1 if found else 0


@questions.command(epilog="Example: footnote eval questions make --most 60 > mine.jsonl")
@click.option("--most", default=60, show_default=True, type=click.IntRange(3, 5000), help="How many questions.")
@click.option("--seed", default=0, show_default=True, help="The same seed makes the same questions.")
@model_options
@click.pass_context
def make(ctx: click.Context, /, most: int, seed: int, **options: Any) -> int:
    """Make questions out of the library's papers, a third of them with their paper hidden; prints JSON Lines."""
    from eval.make import make_questions

    footnote = open_library(ctx, options, build_from_seeds=True)
    made = make_questions(list(footnote.library.every()), most=most, seed=seed)
    if not made:
        raise EvalError("the papers hold no sentence with a figure or name to ask about")
    for question in made:
        click.echo(json.dumps(question.to_dict(), ensure_ascii=False))
    click.echo(f"{len(made)} questions", err=True)
    return 0


@questions.command(epilog="Example: footnote eval questions feedback .footnote/feedback.jsonl > mine.jsonl")
@click.argument("path", type=_FILE)
def feedback(path: Path) -> int:
    """Make questions out of what readers said on the page; prints JSON Lines, and on stderr what needs a person."""
    from ui.cli.terminal import clean
    from ui.web.feedback import questions_of

    made, by_hand = questions_of(path)
    for question in made:
        click.echo(json.dumps(question.to_dict(), ensure_ascii=False))
    click.echo(f"{len(made)} questions; {len(by_hand)} need a person to write what is right", err=True)
    for line in by_hand:
        click.echo(f"  {clean(line)}", err=True)
    return 0


@evaluate.command(epilog="Example: footnote eval beir collections/med")
@click.argument("path", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("-k", default=100, show_default=True, type=click.IntRange(1, 1000), help="How many papers a query.")
@click.option("--out", type=_FOLDER, help="Library, run.trec and scores.json go here (default: beside the library).")
@json_option
@model_options
@click.pass_context
def beir(ctx: click.Context, /, path: Path, k: int, out: Path | None, as_json: bool, **options: Any) -> int:
    """Run retrieval on a collection in the BEIR layout or with TREC's files."""
    from eval import beir as collections
    from eval.metrics import retrieval
    from eval.run import agree
    from rag.models.fetching import sha256
    from rag.pipeline import Footnote
    from rag.settings import load
    from ui.cli import terminal
    from ui.cli.options import MODEL_OPTIONS

    collection = collections.read_collection(path)
    folder = out or load({"library": (ctx.obj or {}).get("library")}).library / "beir" / path.name
    folder.mkdir(parents=True, exist_ok=True)
    agree(folder, {"corpus": sha256(collection.corpus)[:16]})  # a library of another one would be searched with it
    footnote = Footnote.create(folder / "library", **{name: options.get(name) for name in MODEL_OPTIONS})
    report = footnote.ingest([collection.corpus], on_progress=terminal.progress_bar("embedding"))
    click.echo(report.summary(), err=True)
    say = _progress()
    found = collections.search_all(
        footnote, collection, k=k, on_query=lambda done, total: say("searching", done, total)
    )
    names = collections.names_of(footnote)
    collections.write_run(folder / "run.trec", found, names, tag="footnote")
    ranked = {key: [names[d] for d in retrieval.ranking_of(hits)] for key, hits in found.items()}
    metrics = collections.tables(ranked, collection.qrels, k=k)
    scores: JSON = {"collection": path.name, "queries": len(found), "metrics": metrics}
    (folder / "scores.json").write_text(json.dumps(scores, indent=1) + "\n", encoding="utf-8")
    click.echo(json.dumps(scores) if as_json else tables.of_metrics(scores["metrics"], tuple(scores["metrics"])))
    return 0


@evaluate.command(epilog="Example: footnote eval claims claims.jsonl")
@click.argument("path", type=_FILE)
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), help="Write every verdict as JSON Lines.")
@json_option
@model_options
@click.pass_context
def claims(ctx: click.Context, /, path: Path, out: Path | None, as_json: bool, **options: Any) -> int:
    """Run the judge that verifies answers on JSON Lines of claim, evidence or source, and label."""
    from eval import claims as labelled

    rows = labelled.read_labelled(path)
    footnote = open_library(ctx, options, build_from_seeds=True)
    labelled.check_sources(path, rows, footnote.library.resolve)
    say = _progress()
    judged = []
    with out.open("w", encoding="utf-8") if out else nullcontext() as file:
        for done, row in enumerate(rows, start=1):
            judgement = footnote.check(row.claim, source=row.source, evidence=row.evidence).judgement
            judged.append(labelled.Judged(row, judgement.verdict, judgement.support))
            if file:
                file.write(json.dumps(judged[-1].to_dict()) + "\n")
            say("judging", done, len(rows))
    found = labelled.tables(judged)
    if as_json:
        click.echo(json.dumps({"judge": footnote.entailer.name, **found}))
    else:
        click.echo(tables.of_claims(found))
        click.echo(f"judge: guards + {footnote.entailer.name}")
    return 0


def _progress() -> Callable[[str, int, int], None]:
    """A line on a terminal's stderr that tells stage and count; nothing elsewhere."""
    if not sys.stderr.isatty():
        return lambda stage, done, total: None

    def show(stage: str, done: int, total: int) -> None:
        end = "\n" if done == total else ""
        sys.stderr.write(f"\r\033[K{stage}: {done} of {total}{end}")
        sys.stderr.flush()

    return show
