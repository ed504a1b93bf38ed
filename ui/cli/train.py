"""`train`: make the small models that ship with Footnote again, or better ones."""

from __future__ import annotations

import json
from importlib.util import find_spec
from pathlib import Path

import click

from rag.errors import ModelError

_FOLDER = click.Path(file_okay=False, path_type=Path)
_NEEDED = {"questions": (), "calibration": ("sklearn",), "reader": ("sklearn",)}  # of what `train` installs


@click.command(epilog="Example: footnote train entailer --data train/ --papers papers.jsonl.gz")
@click.argument("model", type=click.Choice(["reader", "entailer", "asker", "answerer", "calibration", "questions"]))
@click.option("--data", type=click.Path(exists=True, file_okay=False, path_type=Path), help="Labelled sets.")
@click.option("--papers", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Abstracts.")
@click.option(
    "--out", type=_FOLDER, default=Path("training"), show_default=True, help="Checkpoints; a killed run goes on."
)
@click.option("--seed", default=0, show_default=True, help="The same seed draws the same data.")
@click.option(
    "--start",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The model folder to begin with: that of a round before, or for the answerer another generator.",
)
@click.option("--llm", metavar="MODEL", help="What writes questions: a hub id, a folder or a GGUF file; 1B or more.")
@click.option("--most", default=3_000, show_default=True, help="Questions to write.")
@click.option(
    "--questions",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Written ones: all that the asker learns from; the reader may, too.",
)
@click.option("--install", is_flag=True, help="Make the result the model that this checkout uses.")
def train(
    model: str,
    data: Path | None,
    papers: Path | None,
    out: Path,
    seed: int,
    start: Path | None,
    llm: str | None,
    most: int,
    questions: Path | None,
    install: bool,
) -> int:
    """Train MODEL on a GPU where there is one, else on the processor, and write its card.

    The data's layout is told in eval/train/corpora.py; some minutes to an hour on two free cores. "calibration"
    fits the constants that judge with the models that are installed, on the dev questions and claims: it takes
    neither --data nor --papers, and some minutes. "questions" has a chat model ask about --papers, one and a half
    a second with 1.5B parameters on two cores, for the reader to learn from.
    """
    missing = [name for name in _NEEDED.get(model, ("peft", "sklearn")) if find_spec(name) is None]
    if missing:
        raise ModelError(f"training needs {' and '.join(missing)}; install it with: pip install -e '.[train]'")
    from eval.train import calibration, ship

    if model == "calibration":
        click.echo(json.dumps(calibration.calibrate(install=install), indent=2))
        return 0
    if model == "questions":
        if llm is None or papers is None:
            raise click.UsageError("writing questions needs --llm and --papers")
        click.echo(ship.write_questions(llm, papers, out, most=most, seed=seed))
        return 0
    if model == "asker" and questions is None:
        raise click.UsageError("training the asker needs --questions, which `footnote train questions` writes")
    if model != "asker" and (data is None or papers is None):
        raise click.UsageError(f"training the {model} needs --data and --papers")
    card = ship.train(model, data, papers, out / model, seed=seed, start=start, install=install, questions=questions)
    click.echo(json.dumps(card, indent=2))
    return 0
