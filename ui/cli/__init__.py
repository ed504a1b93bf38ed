"""The `footnote` command: finds the verb, runs it, turns errors into messages and exit codes.

Exit 0 (an abstention too), 1 a FootnoteError or one of the system, 2 wrong usage, 130 Ctrl-C. Verbs live in the other
modules here and are imported when called, so that `--help` answers at once.
"""

from __future__ import annotations

import codecs
import gc
import importlib
import io
import json
import os
import sys

import click

from rag.errors import FootnoteError

# verb: (module:function, what it does in a line)
VERBS = {
    "ask": ("ui.cli.questions:ask", "Answer a question; every sentence with a checked footnote."),
    "chat": ("ui.cli.chat:chat", "Ask in turns; follow-ups understand what was said before."),
    "search": ("ui.cli.questions:search", "Find the papers that fit a question best."),
    "check": ("ui.cli.questions:check", "Judge a claim against the library, a paper or a text."),
    "ui": ("ui.cli.web:ui", "Serve the web page: ask, and read each sentence beside its source."),
    "ingest": ("ui.cli.papers:ingest", "Read papers into the library."),
    "list": ("ui.cli.papers:list_papers", "List the papers of the library."),
    "show": ("ui.cli.papers:show", "Show a paper with everything known about it."),
    "remove": ("ui.cli.papers:remove", "Take papers out of the library."),
    "eval": ("ui.cli.evaluate:evaluate", "Measure how far the answers can be trusted."),
    "export": ("ui.cli.export:export", "Write an answer or chat as Markdown, LaTeX with .bib, or CSL-JSON."),
    "doctor": ("ui.cli.papers:doctor", "Find what is wrong with the library, and mend it."),
    "bench": ("ui.cli.bench:bench", "Measure speed against a plain llama-index program."),
    "train": ("ui.cli.train:train", "Make the small models again that ship with Footnote."),
    "models": ("ui.cli.models:models", "Show, fetch and check the models."),
}


class _Verbs(click.Group):
    """A group that imports a verb's module when the verb is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in VERBS:
            return None
        module, name = VERBS[cmd_name][0].split(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(verb, text) for verb, (_, text) in VERBS.items()])


@click.command(
    cls=_Verbs,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog='Example: footnote ask "Which papers study refusals?"',
)
@click.option("--library", metavar="FOLDER", help="The library's folder (default .footnote, or FOOTNOTE_LIBRARY).")
@click.option("--debug", is_flag=True, help="Show a traceback with an error.")
@click.version_option(package_name="footnote")
@click.pass_context
def cli(ctx: click.Context, /, library: str | None, debug: bool) -> None:
    """Ask your papers a question; every sentence of the answer carries a checked footnote."""
    ctx.obj = {"library": library or None}


def script() -> None:
    """The `footnote` script: `main`, without the garbage collection that a short life does not need.

    Importing torch and friends makes a million objects that stay; collecting among them, while they
    load and once more at exit, takes a third of the time of a `footnote search`. And numpy computes with one
    thread: its products are small here, and the others wait awake on the cores that torch wants next.
    """
    gc.set_threshold(200_000, 20, 20)
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    code = main()
    gc.freeze()
    sys.exit(code)


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit code."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    _open_streams()
    try:
        code = cli.main(args=arguments, prog_name="footnote", standalone_mode=False)
        sys.stdout.flush()
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        if isinstance(error, click.NoSuchOption) and error.option_name in {"--library", "--debug"}:
            click.echo(f"{error.option_name} goes before the verb: footnote {error.option_name} …", err=True)
        return 1 if isinstance(error, click.FileError) else error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        return 130
    except FootnoteError as error:
        if debug:
            raise
        from ui.cli.terminal import clean

        told = "\n".join(map(clean, str(error).split("\n")))  # may quote a file or a server
        click.echo(f"error: {told}", err=True)
        return 1
    except BrokenPipeError:  # the reader of our output has gone: no one is left to tell
        _drop_output()
        return 1
    except (OSError, UnicodeEncodeError) as error:  # a full disk, an unwritable place, an argument that is not UTF-8
        if debug:
            raise
        click.echo(f"error: {error}", err=True)
        _drop_output()
        return 1


def _open_streams() -> None:
    """Give a stream that the shell has closed (`>&-`), which is `None` in Python, somewhere to go.

    No character is too strange for the others: what is not in stdin's encoding is marked as such, and what is
    not in stdout's is spelt as in JSON, which stays what it is.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    codecs.register_error("spelt", _spelt)
    for stream, errors in ((sys.stdin, "replace"), (sys.stdout, "spelt")):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors=errors)


def _spelt(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


def _drop_output() -> None:
    """Leave nothing that cannot be written for Python to try again at its exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
