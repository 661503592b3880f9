"""An audit's embeddings: once per view against once per repeat, by `python -m benchmarks.embedding_cache`.

Uses the embedded people, dlib's recogniser, three views, two matchers and ten repeats.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.common import write
from campro.core.catalogue import cache_root
from campro.data.embedded import embedded_faces
from campro.evaluation import MATCHERS, EvaluationSet, identify
from campro.isp import RAW, Camera
from campro.models.faces import embed_photos, find_landmarks, load_embedder, load_face_detector

REPEATS = 10


def main() -> None:
    """Measure and write."""
    faces = embedded_faces("test", cache_root())
    landmarks = find_landmarks(faces.photos, load_face_detector("dlib"), cache_root())
    evaluation = EvaluationSet.of(faces, landmarks, REPEATS)
    views = [RAW, Camera("campro-default", "captured"), Camera("invert")]
    embedder = load_embedder("dlib-resnet29")

    def embed(cache: str) -> dict:
        return {v.name: embed_photos(embedder, evaluation.photos, landmarks, v, Path(cache)) for v in views}

    with tempfile.TemporaryDirectory() as warm_up, tempfile.TemporaryDirectory() as cache:
        embed(warm_up)
        start = time.perf_counter()
        embeddings = embed(cache)
        once = time.perf_counter() - start
        start = time.perf_counter()
        embed(cache)
        again = time.perf_counter() - start
        start = time.perf_counter()
        for matcher in MATCHERS.values():
            identify(embeddings["raw"], embeddings, evaluation.subjects, evaluation.trials, matcher())
        matching = time.perf_counter() - start
    whole = once + matching
    per_repeat = REPEATS * once + matching
    write(
        "embedding_cache",
        {
            "photographs": len(evaluation.photos),
            "embed_3_views_s": round(once, 2),
            "second_audit_embeds_s": round(again, 3),
            "2_matchers_10_repeats_s": round(matching, 2),
            "whole_over_embedding_once": round(whole / once, 2),
            "embedding_per_repeat_over_whole": round(per_repeat / whole, 2),
        },
    )


if __name__ == "__main__":
    main()
