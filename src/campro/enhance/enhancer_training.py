"""The training loop of enhancers (CamPro, NDSS 2024, V-D): seeded, resumable, logged to TensorBoard."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_all_start_methods, get_context
from typing import TYPE_CHECKING, Any

import cv2
import numba
import numpy as np
import torch
from torch.optim import AdamW, Optimizer
from torch.utils.data import DataLoader

from campro.core.device import cpu_count
from campro.core.errors import CamproError
from campro.core.extras import EventLog, event_log
from campro.core.progress import Progress
from campro.core.run_folder import RunFolder
from campro.core.types import ImageTransform, Rgb8
from campro.enhance.enhancement_losses import Sample
from campro.enhance.enhancer_base import Enhancer
from campro.enhance.recolouring import Recoloured
from campro.enhance.samples import TrainingPhoto, draw_samples
from campro.training.checkpoints import Checkpoints
from campro.training.gradient_steps import gradient_step
from campro.training.schedules import cosine, set_learning_rate

if TYPE_CHECKING:  # importing it takes seconds
    from lightning_fabric import Fabric

IMAGES_EVERY = 100
"""Steps between example pictures in TensorBoard."""
SHOWN = 4
"""Pictures shown there."""
MAX_NORM = 1.0
"""Gradients are clipped to this norm: without it, one batch made a training run diverge after 2,000 steps."""


@dataclass(frozen=True)
class TrainingSet:
    """A data set of random batches of training samples."""

    photos: Sequence[TrainingPhoto]
    view: ImageTransform
    """The camera: raw to captured pictures."""
    recolouring: Callable[[Rgb8], Recoloured]
    """See `Enhancer.recolouring`."""
    size: int = 256
    """Side of a sample in pixels."""
    batch: int = 8

    def __getitem__(self, key: tuple[int, ...]) -> Sample:
        """The batch that is drawn with this seed: the same one after a restart."""
        rng = np.random.default_rng(key)
        return draw_samples(self.photos, self.view, self.recolouring, self.size, self.batch, rng)

    def batches(self, keys: Sequence[tuple[int, ...]], workers: int = 0) -> Iterable[Sample]:
        """The batches of these keys, in order; computed in advance by `workers` other processes if there are any."""
        if not workers:
            return map(self.__getitem__, keys)
        # Forking a process with threads may hang. The fork server has no threads, and imports this module only once.
        context = get_context("forkserver" if "forkserver" in get_all_start_methods() else "spawn")
        context.set_forkserver_preload([__name__])
        return DataLoader(
            self,  # type: ignore[arg-type]
            None,
            sampler=keys,
            num_workers=workers,
            multiprocessing_context=context,
            worker_init_fn=_use_one_thread,
        )


def _use_one_thread(_: int) -> None:
    cv2.setNumThreads(1)
    numba.set_num_threads(1)


def data_workers(fabric: Fabric) -> int:
    """Processes that compute samples: none for training on a CPU, which is busy; all but two processors for a GPU."""
    return 0 if fabric.device.type == "cpu" else max(1, cpu_count() - 2)


def train_enhancer(
    enhancer: Enhancer, training_set: TrainingSet, run: RunFolder, fabric: Fabric, steps: int, seed: int
) -> Enhancer:
    """Train in place for `steps` steps of AdamW (weight decay 1e-2, cosine schedule to 0), from the last checkpoint on.

    Raises:
        CamproError: if the loss is not finite.
    """
    lr = enhancer.lr
    enhancer.to(memory_format=torch.channels_last)
    optimiser = AdamW([p for p in enhancer.parameters() if p.requires_grad], lr=lr, weight_decay=1e-2, fused=True)
    network, optimiser = fabric.setup(enhancer, optimiser)
    network.mark_forward_method("loss")
    checkpoints = Checkpoints(run)
    done = checkpoints.resume(partial(_load, enhancer, optimiser))
    board = event_log(run.path / "tensorboard") if fabric.is_global_zero else None

    def clip(_: Optimizer, max_norm: float) -> None:
        fabric.clip_gradients(network, optimiser, max_norm=max_norm)

    keys = [(seed, fabric.global_rank, step) for step in range(done, steps)]
    with Progress("train enhancer", steps, done=done) as progress:
        for step, batch in enumerate(training_set.batches(keys, data_workers(fabric)), start=done):
            set_learning_rate(optimiser, lr * cosine(step, steps))
            sample = Sample(*(fabric.to_device(part).contiguous(memory_format=torch.channels_last) for part in batch))
            with fabric.autocast():  # Fabric does not enter it for methods marked as forward
                loss = network.loss(sample)
            if not gradient_step(loss, [optimiser], MAX_NORM, fabric.backward, clip):
                raise CamproError("enhancer", "a finite loss", str(float(loss.detach())), "use --precision 32-true")
            value = float(loss.detach())
            if board is not None:
                run.log({"step": step + 1, "loss": value})
                board.add_scalar("loss", value, step)
                if step % IMAGES_EVERY == 0:
                    _show(board, step, enhancer, sample.captured[:SHOWN], sample.raw[:SHOWN])
            checkpoints.save_if_due(partial(_state, enhancer, optimiser, step + 1))
            progress.advance(loss=f"{value:.4f}")
    checkpoints.save(_state(enhancer, optimiser, steps))
    return enhancer.eval()


def _state(enhancer: Enhancer, optimiser: Optimizer, step: int) -> dict[str, Any]:
    return {"step": step, "enhancer": enhancer.state_dict(), "optimiser": optimiser.state_dict()}


def _load(enhancer: Enhancer, optimiser: Optimizer, saved: Mapping[str, Any]) -> int:
    """Load a checkpoint; returns the number of steps done."""
    enhancer.load_state_dict(saved["enhancer"])
    optimiser.load_state_dict(saved["optimiser"])
    return int(saved["step"])


@torch.no_grad()
def _show(board: EventLog, step: int, enhancer: Enhancer, captured: torch.Tensor, raw: torch.Tensor) -> None:
    enhancer.eval()
    rows = torch.cat([raw, captured, enhancer(captured).clamp(0, 1)], 2)
    enhancer.train()
    board.add_images("raw over captured over enhanced", rows.cpu(), step)
