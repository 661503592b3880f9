"""Search in large galleries: seconds and peak memory, by `python -m benchmarks.gallery_search [SIZE ...]`.

1,000 mated and 1,000 non-mated probes, embeddings of length 512. CelebA has 10,126 people with two photographs.
"""

from __future__ import annotations

import resource
import sys
import time

import torch

from benchmarks.common import write
from campro.metrics.gallery_search import search
from campro.metrics.identification import unit_norm

SIZES = (10_126, 100_000, 1_000_000)
PROBES, DIM = 1000, 512


def main() -> None:
    """Measure and write; sizes must rise, because the peak memory is that of the process."""
    sizes = [int(word) for word in sys.argv[1:]] or SIZES
    results = {}
    for size in sizes:
        gallery = unit_norm(torch.randn(size, DIM, generator=torch.Generator().manual_seed(0)), "gallery")
        noise = torch.randn(2 * PROBES, DIM, generator=torch.Generator().manual_seed(1))
        probe, non_mated = unit_norm(gallery[:PROBES] + 0.2 * noise[:PROBES], "probe"), unit_norm(noise[PROBES:], "q")
        start = time.perf_counter()
        found = search(probe, gallery, torch.arange(PROBES), non_mated)
        results[f"{size} gallery rows"] = {
            "seconds": round(time.perf_counter() - start, 3),
            "gallery_mib": round(gallery.nbytes / 2**20),
            "peak_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
            "rank1": float((found.ranks == 1).double().mean()),
        }
        print(results, flush=True)
    write("gallery_search", results)


if __name__ == "__main__":
    main()
