"""`campro audit`: judge a profile and write the report."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from campro.audit.audit_config import AuditConfig


@dataclass(frozen=True)
class Config(AuditConfig):
    """Measure what a profile protects and what it costs. Without --faces and --scenes: the embedded sample."""

    json: bool = False
    """Print the headline figures as JSON."""


def run(config: Config) -> None:
    """Audit, write the report; print where it is, or the headline."""
    from campro.audit.experiments import run_audit
    from campro.report.write import write_report

    told = AuditConfig(**{field.name: getattr(config, field.name) for field in fields(AuditConfig)})
    print_headline(write_report(run_audit(told).path), config.json)


def print_headline(page: Path, as_json: bool) -> None:
    """The headline of a report as JSON, or as two lines and the place of the page."""
    import json

    head = json.loads((page.parent / "report.json").read_text())["headline"]
    if as_json:
        print(json.dumps(head, indent=1))
        return
    if rate := head["captured_rank1"]:
        who = head["captured_rank1_of"]
        print(
            f"recognised when captured: {rate['mean']:.1%} [{rate['low']:.1%}, {rate['high']:.1%}] of {head['people']} "
            f"people at rank 1, by {who['model']} ({who['matcher']})"
        )
    if head["ap_kept"] is not None:
        kind = "adapted" if head["adapted"] else "unadapted"
        print(f"person detection kept: {head['ap_kept']:.0%} of raw AP, {kind} detector")
    if head["synthetic"]:
        print("on synthetic data: shows that the machinery works, says nothing about real people")
    print(f"report: {page.resolve()}")
