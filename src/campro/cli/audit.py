"""`campro audit`: judge a profile, attacks included, and write the report."""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path

from campro.audit.audit_config import AuditConfig

EXAMPLE = "campro audit --profile runs/design/profile.json --faces OTHERS/ --out runs/audit"
GROUPS = {
    "run": ("profile", "measure", "out", "seed", "cluster"),
    "data": ("faces", "scenes", "images", "train_scenes", "train_faces", "photos"),
    "recognition": (
        "face_models",
        "face_weights",
        "distractors",
        "landmarks",
        "face_detectors",
        "matchers",
        "repeats",
        "few_people",
    ),
    "attacks": ("attacks", "densities", "budget", "restorers", "attack_matchers"),
    "person detection": ("detector", "detector_weights", "adapt_steps"),
    "views": ("baselines", "enhancer", "fill", "sensor_noise"),
    "report": ("show_faces", "json"),
}


@dataclass(frozen=True)
class Config(AuditConfig):
    """Measure what a profile protects and what it costs. Without --faces and --scenes: the embedded sample."""

    json: bool = False
    """Print the headline figures as JSON."""


def run(config: Config) -> None:
    """Audit, write the report; print where it is, or the headline."""
    from campro.audit.audit_run import run_audit
    from campro.report.write import write_report

    print_headline(write_report(run_audit(audit_options(config)).path, config.show_faces), config.json)


def audit_options(config: AuditConfig) -> AuditConfig:
    """The options of an audit alone, without those of a command such as --json."""
    return AuditConfig(**{field.name: getattr(config, field.name) for field in fields(AuditConfig)})


def print_headline(page: Path, as_json: bool) -> None:
    """The headline of a report as JSON, or as a few lines and the place of the page."""
    import json

    head = json.loads((page.parent / "report.json").read_text())["headline"]
    print(json.dumps(head, indent=1) if as_json else headline_text(head, page))


def headline_text(head: dict, page: Path) -> str:
    """The headline in lines of text, the worst case first."""
    lines = []
    if case := head["worst_case"]:
        rate = case["rank1"]
        attack = case["attack"] if case["run"] == case["attack"] else f"{case['attack']}, {case['run']}"
        lines += [
            f"worst attack: rank-1 {rate['mean']:.1%} [{rate['low']:.1%}, {rate['high']:.1%}]"
            f" of {head['people'] if case['density'] is None else rate['n']} people"
            + ("" if case["density"] is None else f" at {case['density']:g} px/m"),
            f"  by {attack} ({case['threat_model']}) with {case['model']}; {head['attacks']} attacks were run",
        ]
    else:
        lines.append("worst attack: not attacked yet")
    if rate := head["no_attack"]:
        who = f"{head['no_attack_model']}, {head['no_attack_matcher']}"
        lines.append(f"without an attack: rank-1 {rate['mean']:.1%} [{rate['low']:.1%}, {rate['high']:.1%}], {who}")
    if (share := head["ap_kept"]) is not None:
        kind = "adapted" if head["detector_adapted"] else "as given"
        kept = "no measurable loss" if share >= 1 else f"{share:.0%} of the raw AP"
        lines.append(f"person detection: {kept}, detector {kind}")
    if head["synthetic"]:
        lines.append("on synthetic data: shows that the software works, says nothing about real people")
    return "\n".join([*lines, f"report: {page.resolve()}"])
