"""AP of YOLOX-nano on COCO val2017 through a camera, as given and adapted: `python -m ... 40 low-resolution-16 ...`.

The first argument is the number of training steps, the others are profiles. Training scenes: COCO train2017, VOC 2012
and building sites, all with labels. Prints a line of Markdown for each profile; needs CAMPRO_DATA. About three minutes
of one core per profile and 40 steps.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from statistics import median

from campro.data import join_scenes, read_scenes
from campro.isp import Camera
from campro.metrics.detection import score_detections
from campro.models.persons import load_detector
from campro.models.persons.adapted_detectors import AdaptationInputs, stored_adaptation
from campro.models.persons.detector_adaptation import AtSize, detect_scenes

DATA = Path(os.environ.get("CAMPRO_DATA", "."))
SEED = 0
TRAINING = (
    "coco/annotations/instances_train2017.json",
    "scenes/voc2012/annotations.json",
    "scenes/construction_ppe/annotations.json",
)


def main(steps: int, profiles: list[str]) -> None:
    """Adapt and score for each profile."""
    training = join_scenes([read_scenes(DATA / name) for name in TRAINING])
    scenes = read_scenes(DATA / "coco/annotations/instances_val2017.json").scenes
    side = int(median(max(scene.width, scene.height) for scene in scenes))
    detector = load_detector("yolox-nano")
    print("| profile | AP as given | AP adapted | chosen | held-out AP as given | chosen |")
    print("|---|---|---|---|---|---|")
    for profile in profiles:
        view = Camera(profile)
        inputs = AdaptationInputs(training.digest, AtSize(view, side), steps, SEED)
        adapted, outcome = stored_adaptation(detector, inputs, lambda: training.scenes)
        rows = []
        for model in (detector, adapted):
            found = score_detections(scenes, detect_scenes(model, scenes, view), seed=SEED)
            rows.append(f"{100 * found.ap:.1f} [{100 * found.ap_low:.1f}, {100 * found.ap_high:.1f}]")
        held_out = (f"{100 * (ap or 0):.1f}" for ap in (outcome.given_ap, outcome.ap))
        print("| " + " | ".join((profile, *rows, outcome.chosen, *held_out)) + " |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
