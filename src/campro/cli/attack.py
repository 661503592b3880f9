"""`campro attack`: the attack part of an audit, with every attack by default; run folder and report are an audit's."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from campro.audit.audit_config import FULL, AuditConfig, Part
from campro.cli.audit import GROUPS

__all__ = ["EXAMPLE", "GROUPS", "Config", "run"]

EXAMPLE = "campro attack --profile campro-strong --faces OTHERS/ --attacks filters colour-maps --photos PHOTOS/"


@dataclass(frozen=True)
class Config(AuditConfig):
    """Run attacks on a profile, as `campro audit --measure attacks densities --attacks full` does."""

    attacks: tuple[str, ...] = (FULL,)
    """`full`: all; `cheap`: those that train no network and need one probe image; or names:
    no-attack, filters, pretrained-restoration, re-enrolment, colour-maps, several-probe-images,
    several-probe-images-colour-maps, video-colour-maps, analytic-inversion, several-probe-images-analytic-inversion,
    domain-adaptation, distillation, colour-maps-distillation, several-probe-images-distillation,
    analytic-inversion-distillation, restoration, several-probe-images-restoration, transferred-restoration,
    retraining."""
    measure: tuple[Part, ...] = ("attacks", "densities")
    """Parts to measure; see `campro audit`."""
    out: Path = Path("runs/audit")
    """Run folder, which `campro audit` may have started; the same command resumes."""
    json: bool = False
    """Print the rows of the report as JSON."""


def run(config: Config) -> None:
    """Measure what is missing, write the report; print the table of attacks."""
    import json

    from campro.audit.audit_run import run_audit
    from campro.cli.audit import audit_options
    from campro.report.attack_tables import markdown_table
    from campro.report.findings import Findings
    from campro.report.write import write_report

    page = write_report(run_audit(audit_options(config)).path, config.show_faces)
    if config.json:
        print(json.dumps(json.loads((page.parent / "report.json").read_text())["attacks"], indent=1))
        return
    print(markdown_table(Findings.read(page.parent).attacks))
    print(f"report: {page.resolve()}")
