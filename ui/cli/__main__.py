"""`python -m ui.cli`: the command where no script is installed."""

import sys

from ui.cli import main

sys.exit(main())
