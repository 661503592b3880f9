"""Run an audit: every part that was asked for, cell by cell, into one run folder."""

from __future__ import annotations

from campro.audit import cell_keys
from campro.audit.attack_suite import check_trained_attacks, measure_attacks
from campro.audit.audit_config import AuditConfig
from campro.audit.audit_context import AuditContext
from campro.audit.density_suite import measure_densities
from campro.audit.experiments import (
    measure_enhancer_control,
    measure_identification,
    measure_person_detection,
    measure_quality,
    measure_remaining_information,
    save_thumbnails,
)
from campro.audit.metadata import Metadata, extended, metadata_of
from campro.core.cells import Json
from campro.core.progress import note
from campro.core.run_folder import RunFolder
from campro.core.typed_json import from_json

PATHS = {
    *("out", "profile", "faces", "scenes", "train_scenes", "train_faces", "photos", "restorers", "enhancer"),
    *("detector_weights", "face_weights", "fill"),
}
"""Options that name files, or change what one does; compared by content, among the inputs of the run."""
EXTENSIBLE = {
    *("face_models", "matchers", "attacks", "attack_matchers", "measure", "budget", "cluster", "few_people"),
    *("show_faces", "densities"),
}
"""Options that only say which cells are wanted and what is shown: another command may extend a run folder."""


def run_audit(config: AuditConfig, context: AuditContext | None = None) -> RunFolder:
    """Judge a profile; returns the run folder, from whose cells `campro.report.write` makes a page.

    Killed and started again it resumes with the first unfinished cell.

    Raises:
        CamproError: on unusable input, or for a run folder of another configuration.
    """
    note("audit: read faces, scenes and models")
    context = AuditContext(config) if context is None else context
    if config.attacked:
        check_trained_attacks(context)
    run = RunFolder.open(config.out, _settings(config), inputs=context.inputs())
    earlier = run.cell(cell_keys.META)
    old = None if earlier is None else from_json(Metadata, earlier, f"{config.out}, metadata")
    run.write_cell(cell_keys.META, extended(metadata_of(context), old))
    if any(config.measures(part) for part in ("identification", "detection", "quality")):
        measure_enhancer_control(run, context)
    if config.measures("identification"):
        measure_identification(run, context)
    if config.measures("detection"):
        measure_person_detection(run, context)
    if config.measures("quality"):
        measure_quality(run, context)
    if config.attacked:
        measure_remaining_information(run, context)
    if config.measures("attacks"):
        measure_attacks(run, context)
    if config.measures("densities"):
        measure_densities(run, context)
    save_thumbnails(run, context)
    return run


def _settings(config: AuditConfig) -> dict[str, Json]:
    """What must not change between a run and its resumption."""
    settings = {name: value for name, value in vars(config).items() if name not in PATHS | EXTENSIBLE}
    if not config.distractors:
        del settings["distractors"]  # run folders of older versions have no such setting
    return settings
