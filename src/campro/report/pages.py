"""Self-contained HTML pages from templates."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from campro.report.text import GAP, interval, percent


def page(template: str, **values: Any) -> str:
    """A page as HTML; every name that the template uses must be given."""
    environment = Environment(
        loader=PackageLoader("campro.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": percent, "interval": interval}
    environment.globals["gap"] = GAP
    return environment.get_template(template).render(**values)
