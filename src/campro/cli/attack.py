"""`campro attack`: the ladder of attackers against a profile."""

from __future__ import annotations

from dataclasses import dataclass, fields

from campro.audit.ladder_config import LadderConfig


@dataclass(frozen=True)
class Config(LadderConfig):
    """Fit and judge every attacker; the headline is the worst row."""

    json: bool = False
    """Print JSON."""


def run(config: Config) -> None:
    """Measure what is missing; print the table."""
    import json

    from campro.audit.ladder import run_ladder
    from campro.audit.ladder_rows import table

    told = LadderConfig(**{field.name: getattr(config, field.name) for field in fields(LadderConfig)})
    rows = run_ladder(told)
    print(json.dumps(rows, indent=1) if config.json else table(rows))
