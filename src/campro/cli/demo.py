"""`campro demo`: the main job from end to end on the embedded sample."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ADAPT_STEPS = 30
"""Fewer than an audit's usual ones, so that the demonstration keeps under ten minutes on two cores."""
ATTACKS = ("no-attack", "colour-maps", "analytic-inversion")
"""One or more of each threat model but black-box: 18 filters would take as long as all the rest."""

EXAMPLE = "campro demo --out runs/demo"


@dataclass(frozen=True)
class Config:
    """Design a profile on synthetic faces and photographs that ship with dependencies, audit it, write the report."""

    out: Path = Path("runs/demo")
    """Folder of the two runs (design, audit) and the report; the same command goes on where it was stopped."""
    seed: int = 0


def run(config: Config) -> None:
    """Design, audit, report; prints where the report is."""
    from campro.audit.audit_config import AuditConfig
    from campro.audit.audit_run import run_audit
    from campro.cli.audit import print_headline
    from campro.design.design_config import DesignConfig
    from campro.design.designer import design
    from campro.report.write import write_report

    profile = design(DesignConfig(out=config.out / "design", name="demo", seed=config.seed))
    options = AuditConfig(
        profile=str(profile),
        attacks=ATTACKS,
        budget="quick",
        adapt_steps=ADAPT_STEPS,
        seed=config.seed,
        out=config.out / "audit",
    )
    print_headline(write_report(run_audit(options).path), as_json=False)
