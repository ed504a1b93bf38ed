"""Values → HTML. The one place where text of papers, models and visitors becomes part of the page.

Every template is autoescaped, so that text stays text whatever it holds; nothing here reads or computes.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.PackageLoader("ui.web"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def html(template: str, **values: Any) -> str:
    """The named template (`turn` for `templates/turn.html`), filled in.

    Raises LookupError for a value that has not what the template shows of it.
    """
    try:
        return _environment().get_template(f"{template}.html").render(values)
    except jinja2.UndefinedError as error:
        raise LookupError(str(error)) from error
