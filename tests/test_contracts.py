"""Contracts of the tables that have no tests of their own for every entry: a new line is tested at once.

Person detectors, cameras and the knowledge of attackers: see the tests of these tables.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import get_args

import numpy as np
import onnxruntime
import pytest
import torch
from support.tiny_recogniser import TinyRecogniser
from torch.nn import functional as F

from campro.attacks.attack_base import Adversary, AttackerKnowledge, ThreatModel, restrict
from campro.attacks.attack_cache import AttackCache
from campro.attacks.attack_table import ATTACKS
from campro.cli.main import COMMANDS
from campro.core.catalogue import ASSETS
from campro.core.errors import CamproError
from campro.core.images import to_rgb8, to_tensor
from campro.core.types import ImageTransform
from campro.data import FaceSet
from campro.data.facemodel import FaceModel
from campro.design.attackers import ATTACKERS
from campro.enhance.enhancement_losses import Sample
from campro.enhance.enhancers import ENHANCERS, new_enhancer
from campro.enhance.export import ENHANCED, PICTURE
from campro.evaluation.matchers import MATCHERS
from campro.isp import BUILTIN_PROFILES, RAW, Camera, IspProfile, apply, load_profile, pipeline
from campro.isp.blocks import MODULES
from campro.isp.profile import (
    BLOCK_TYPES,
    H264,
    Ccm,
    ChromaBlur,
    ChromaSubsampling,
    Defocus,
    Degamma,
    Denoise,
    GammaLut,
    Jpeg,
    LowResolution,
    MeasuredDegamma,
    Quantise,
    Scaler,
    SensorNoise,
)
from campro.models.faces import FACE_DETECTORS, FACE_EMBEDDERS, load_embedder, load_face_detector
from campro.models.faces.landmarks import Scheme
from campro.models.faces.paper_recognisers import PAPER_RECOGNISERS
from campro.models.poses import POSE_ESTIMATORS, load_pose_estimator

RGB = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)

EMBEDDERS_WITH_FILES = {"mobilefacenet-cat", "sface", "edgeface-xs", "frbench", "onnx"}
"""Recognisers that cannot be made with random weights: they need a file or an extra."""
LARGE = {name for name in PAPER_RECOGNISERS if name.endswith(("-iresnet50", "-ir50", "100", "152"))}
"""Deeper networks of the same classes."""
POSES_WITH_FILES = {"ultralight-simplepose", "mediapipe-pose"}
"""Pose estimators that need a downloaded file."""
DETECTORS_WITH_FILES = {"yunet", "retinaface", "scrfd", "centerface"}
"""Face detectors that need a downloaded file."""


@pytest.mark.parametrize("name", [name for name in FACE_EMBEDDERS if name not in EMBEDDERS_WITH_FILES | LARGE])
@pytest.mark.slow
def test_face_recogniser(name):
    embed = load_embedder(name, weights=None)
    assert not embed.training
    assert embed.card.weights_sha256 is None
    crops = torch.rand(3, 3, *embed.card.size, requires_grad=True)
    embeddings = embed(crops)
    assert embeddings.shape == (3, embed.card.dim)
    torch.testing.assert_close(embeddings.norm(dim=1), torch.ones(3))
    assert embed.differentiable in (True, False)
    if embed.differentiable:
        embeddings[:, 0].sum().backward()
        assert crops.grad.abs().sum() > 0
    with torch.no_grad():
        torch.testing.assert_close(embed(crops)[:1], embed(crops[:1]), atol=1e-5, rtol=1e-4)  # no batch statistics
    assert embed(crops[:0]).shape == (0, embed.card.dim)
    with pytest.raises(CamproError, match="align"):
        embed(torch.rand(1, 3, embed.card.size[0] + 1, 50))


@pytest.mark.parametrize("name", [name for name in FACE_DETECTORS if name not in DETECTORS_WITH_FILES])
def test_face_detector(name):
    detector = load_face_detector(name)
    assert detector.scheme in get_args(Scheme)
    assert detector.digest == load_face_detector(name).digest
    ((picture,),) = FaceModel.load().sample(1, 1, seed=5)
    height, width = picture.shape[:2]
    (face,) = [face for face in detector.detect(picture) if face.score >= detector.confident_score]
    x0, y0, x1, y1 = face.box
    assert x0 < x1 and y0 < y1
    assert face.points.shape == (5, 2)
    assert ((face.points >= 0) & (face.points < (width, height))).all()
    assert isinstance(detector.detect(np.zeros((50, 40, 3), np.uint8)), list)


@pytest.mark.parametrize("name", [name for name in POSE_ESTIMATORS if name not in POSES_WITH_FILES])
def test_pose_estimator(name):
    """A pose for each box, in pixels of the image."""
    boxes = torch.tensor([[10.0, 10, 34, 42], [0, 0, 12, 16]])
    first, second = load_pose_estimator(name).estimate(
        [torch.rand(3, 60, 50), torch.rand(3, 40, 40)], [boxes, boxes[:0]]
    )
    assert first.points.shape == (2, 17, 3) and first.scores.shape == (2,) and len(second) == 0
    assert first.points.isfinite().all()
    assert (first.points[0, :, 0] > 0).all() and (first.points[0, :, 0] < 60).all()


@pytest.mark.parametrize("name", ENHANCERS)
@pytest.mark.slow
def test_enhancer_learns_a_step(name):
    enhancer = new_enhancer(name)
    captured = torch.rand(2, 3, 64, 64)
    spread = torch.zeros_like(captured)
    sample = Sample(captured, captured, captured, spread, 1 - captured, torch.ones(2, 1, 64, 64))
    before = [parameter.detach().clone() for parameter in enhancer.parameters()]
    optimiser = torch.optim.SGD(enhancer.parameters(), lr=0.1)
    loss = enhancer.loss(sample)
    assert loss.shape == () and loss.isfinite()
    loss.backward()
    optimiser.step()
    assert any((new != old).any() for new, old in zip(enhancer.parameters(), before, strict=True))
    with torch.no_grad():
        assert enhancer.eval()(captured).shape == captured.shape


@pytest.mark.slow
@pytest.mark.parametrize("name", ENHANCERS)
def test_enhancer_exports(name, exported):
    file, enhancer = exported[name]
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    captured = torch.rand(1, 3, 96, 64)
    (found,) = session.run([ENHANCED], {PICTURE: captured.numpy()})
    with torch.no_grad():
        np.testing.assert_allclose(found, enhancer(captured).numpy(), atol=1e-3)


@pytest.mark.parametrize("name", ATTACKS)
def test_attack(name):
    """Names and threat model; and what a black-box attack makes of a photograph is a photograph of the same size."""
    attack = ATTACKS[name]
    assert attack.name == name
    assert attack.threat_model in get_args(ThreatModel)
    people = FaceSet("people", Path(), {"ann": (Path("1.png"), Path("2.png"))})
    landmarks = SimpleNamespace(found={})
    profile = load_profile("negative")
    everything = AttackerKnowledge(
        TinyRecogniser(), 0, (), people, landmarks, (Camera(profile),), (profile,), (RAW,), others=(TinyRecogniser(),)
    )
    runs = attack.runs(restrict(attack.threat_model, everything), AttackCache())
    assert runs
    assert all(isinstance(run, str) and callable(make) for run, make in runs.items())
    if attack.threat_model in ("none", "black-box"):
        adversaries = [make() for make in runs.values()]
        assert all(isinstance(adversary, Adversary) for adversary in adversaries)
        for transform in [transform for adversary in adversaries for transform in adversary.transforms]:
            assert transform(RGB).shape == RGB.shape
            assert transform(RGB).dtype == np.uint8


@pytest.mark.parametrize("name", ATTACKERS)
def test_attacker_of_the_design_game(name):
    attacker = ATTACKERS[name](TinyRecogniser(), F.normalize(torch.randn(3, 8)))
    rng, person = np.random.default_rng(0), torch.arange(6) % 3
    raw = torch.rand(6, 3, 16, 16)
    captured = (1 - raw).requires_grad_()
    losses = attacker(captured, raw, person, rng)
    assert losses.loss.isfinite()
    assert 0 <= float(losses.accuracy) <= 1
    logits = attacker.logits(captured, rng)
    assert logits.shape == (6, 3)
    logits.sum().backward()
    assert captured.grad.abs().sum() > 0


EXAMPLES = {
    "degamma": Degamma("srgb"),
    "measured_degamma": MeasuredDegamma((0.0, 0.2, 0.6, 1.0)),
    "ccm": Ccm(((1.2, -0.3, 0.1), (0.0, 1.0, 0.0), (0.1, 0.2, 0.7)), (0.05, 0.0, -0.05)),
    "gamma_lut": GammaLut(((0.0, 0.7, 0.3, 1.0),), (0.0, 0.2, 0.7, 1.0)),
    "quantise": Quantise(4),
    "defocus": Defocus(9, 3.0),
    "chroma_blur": ChromaBlur(9, 3.0),
    "low_resolution": LowResolution(4),
    "scaler": Scaler(1.7),
    "denoise": Denoise(0.05, 0.1),
    "chroma_subsampling": ChromaSubsampling("4:2:0"),
    "jpeg": Jpeg(60),
    "h264": H264(30),
    "sensor_noise": SensorNoise(0.01, 0.001, 3),
    **{block.block: block for name in BUILTIN_PROFILES for block in load_profile(name).blocks},
}
"""One example of each block; a new block needs a line here or a built-in profile that has it."""


@pytest.mark.parametrize("name", BLOCK_TYPES)
def test_isp_block(name):
    """JSON and the pipeline give the block back; the fast path and the pipeline agree to one level."""
    block = EXAMPLES[name]
    assert BLOCK_TYPES[name] is type(block)
    profile = IspProfile("example", (block,))
    assert IspProfile.from_json(profile.to_json()) == profile
    pipe = pipeline(profile)
    assert pipe.to_profile("example").digest == profile.digest
    pipe.project_()
    assert pipe.to_profile("example").digest == profile.digest
    with torch.no_grad():
        images = pipe(to_tensor(RGB))
    assert images.shape == (1, 3, *RGB.shape[:2])
    by_pipeline = to_rgb8(images.clamp(0, 1)).reshape(RGB.shape).astype(int)
    assert np.abs(apply(profile, RGB).astype(int) - by_pipeline).max() <= 1


def test_every_block_has_a_module():
    assert set(MODULES) == set(BLOCK_TYPES.values())


@pytest.mark.parametrize("name", BUILTIN_PROFILES)
def test_built_in_profile(name):
    profile = load_profile(name)
    assert profile.name == name
    camera = Camera(profile)
    assert isinstance(camera, ImageTransform)
    captured = camera(RGB)
    assert (captured.shape, captured.dtype) == (RGB.shape, np.uint8)
    np.testing.assert_array_equal(camera(RGB), captured)


@pytest.mark.parametrize("name", ASSETS)
def test_asset(name):
    asset = ASSETS[name]
    assert asset.name == name
    assert asset.kind in ("model", "data")
    assert asset.licence
    assert asset.source
    assert not Path(asset.path).is_absolute()
    assert asset.sha256 is None or (len(asset.sha256) == 64 and int(asset.sha256, 16))
    assert asset.url is None or asset.url.startswith("https://")
    assert asset.package is None or asset.sha256


@pytest.mark.parametrize("name", COMMANDS)
def test_command(name):
    """A documented frozen dataclass, whose every option is documented as well, and a function of it."""
    module = import_module(f"campro.cli.{name}")
    assert is_dataclass(module.Config) and module.Config.__dataclass_params__.frozen
    assert module.Config.__doc__ and not module.Config.__doc__.startswith("Config(")
    assert callable(module.run)
    assert len({field.name for field in fields(module.Config)}) == len(fields(module.Config))


@pytest.mark.parametrize("name", MATCHERS)
def test_matcher(name):
    """Three subjects, far apart: each probe scores highest with its own; the seed decides everything random."""
    centres = torch.eye(3, 8)
    owner = torch.arange(3).repeat_interleave(4)
    generator = torch.Generator().manual_seed(0)
    raw = F.normalize(centres[owner] + 0.05 * torch.randn(12, 8, generator=generator))
    gallery = torch.tensor([0, 4, 8])
    scorers = [MATCHERS[name]().fit(raw, owner, gallery, seed=1) for _ in range(2)]
    scores = scorers[0](raw)
    assert scores.shape == (12, 3)
    assert scores.argmax(1).tolist() == owner.tolist()
    torch.testing.assert_close(scores, scorers[1](raw))
