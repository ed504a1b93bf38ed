"""`python -m ui.cli`: the command where no script is installed."""

from ui.cli import script

script()
