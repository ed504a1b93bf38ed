"""`bench`: speed beside a plain llama-index program, measured in the same run."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from ui.cli.options import json_option


@click.command(epilog="Example: footnote bench --papers seeds")
@click.option("--papers", type=click.Path(exists=True, path_type=Path), default=Path("seeds"), help="What to ingest.")
@click.option("--rounds", default=5, show_default=True, type=click.IntRange(1), help="Repetitions of what is quick.")
@json_option
def bench(papers: Path, rounds: int, as_json: bool) -> int:
    """Measure ingest, retrieval, answers and cold starts against a plain llama-index program.

    Same models, Chroma and papers, in the same run; ratios carry over to other machines, seconds don't.
    """
    from eval import bench as benchmark

    measures = benchmark.run(papers, rounds=rounds, say=lambda text: click.echo(f"measuring: {text}", err=True))
    if as_json:
        for measure in measures:
            click.echo(json.dumps({**asdict(measure), "ratio": measure.ratio}))
        return 0
    click.echo(f"{'':<36}{'footnote':>10}{'plain':>10}  {'unit':<12}{'ratio':>6}")
    for m in measures:
        click.echo(f"{m.name:<36}{m.footnote:>10.2f}{m.plain:>10.2f}  {m.unit:<12}{m.ratio:>6.2f}")
    return 0
