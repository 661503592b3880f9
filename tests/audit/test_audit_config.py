from __future__ import annotations

from pathlib import Path

import pytest

from campro.audit.audit_config import AuditConfig
from campro.core.errors import CamproError


@pytest.mark.parametrize(
    "options",
    [
        {"repeats": 0},
        {"adapt_steps": -1},
        {"face_models": ()},
        {"attacks": ()},
        {"scenes": Path("x")},
        {"train_faces": Path("x")},
        {"photos": (Path("x"),)},
        {"faces": Path("x"), "scenes": Path("y")},
        {"sensor_noise": 2.0},
    ],
)
def test_unusable_options_are_refused(options):
    with pytest.raises(CamproError, match="audit"):
        AuditConfig(**options)


def test_people_alone_have_no_part_on_scenes():
    config = AuditConfig(faces=Path("x"))
    assert [config.measures(part) for part in config.measure] == [True, False, False, True]
    assert not AuditConfig(attacks=("none",)).measures("attacks")


def test_faces_alone_measure_people_only(tmp_path):
    config = AuditConfig(faces=tmp_path)
    assert [part for part in ("identification", "attacks", "detection", "quality") if config.measures(part)] == [
        "identification",
        "attacks",
    ]
