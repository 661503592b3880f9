"""`campro attack`: the ladder of attackers against a profile."""

from __future__ import annotations

from dataclasses import dataclass, fields

from campro.audit.suite_config import SuiteConfig


@dataclass(frozen=True)
class Config(SuiteConfig):
    """Fit and judge every attacker; the headline is the worst row."""

    json: bool = False
    """Print JSON."""


def run(config: Config) -> None:
    """Measure what is missing; print the table."""
    import json

    from campro.audit.attack_suite import run_suite
    from campro.audit.suite_rows import table

    told = SuiteConfig(**{field.name: getattr(config, field.name) for field in fields(SuiteConfig)})
    rows = run_suite(told)
    print(json.dumps(rows, indent=1) if config.json else table(rows))
