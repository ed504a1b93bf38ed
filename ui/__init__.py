"""The faces of Footnote: the command line (`ui.cli`) and, to come, the web page."""
