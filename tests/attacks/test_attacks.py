"""Attackers do what they say, and are handed no more than they may know."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from campro.attacks.attack import Known
from campro.attacks.attacks import ATTACKS, find_attack
from campro.attacks.colour_maps import MAPS
from campro.attacks.distil import distil
from campro.attacks.filters import FILTERS, invert, principal_grey
from campro.attacks.inverse import Inverse, posterior_mean, prior_of
from campro.attacks.retrain import MARGIN, SCALE, logits, retrain
from campro.attacks.training import TrainingFaces, has_settled
from campro.core.errors import CamproError
from campro.core.images import to_tensor, write_image
from campro.faces.card import EmbedderCard, FaceEmbedder
from campro.isp import Camera, IspProfile, load_profile

RGB = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
CARD = EmbedderCard("tiny", (16, 16), 8, 0.5, 0.5, "arcface-112")
UNIFORM = np.full(1 << 15, 1.0)


class Tiny(FaceEmbedder):
    """A recogniser that sees colours in a quarter of the crop at a time."""

    def __init__(self):
        super().__init__(CARD)
        self.body = nn.Sequential(nn.Conv2d(3, 16, 4, 4), nn.ReLU(), nn.Flatten(), nn.Linear(256, 8))

    def features(self, prepared):
        return self.body(prepared)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_handed_what_its_threat_model_says(name):
    attack = find_attack(name)
    everything = Known(Tiny(), 0, (1,), "people", "landmarks", ("camera",), ("profile",))
    handed = attack.hand(everything)
    assert bool(handed.cameras) == (attack.box != "black")
    assert bool(handed.profiles) == (attack.box == "white")
    assert (handed.people is not None) == (attack.box != "black")


def test_what_was_not_handed_cannot_be_taken():
    with pytest.raises(CamproError, match="camera"):
        _ = Known(Tiny(), 0).camera
    with pytest.raises(CamproError, match="profile"):
        _ = Known(Tiny(), 0).profile


@pytest.mark.parametrize("one", FILTERS, ids=lambda one: one.name)
def test_filters_keep_the_shape(one):
    found = one(RGB)
    assert found.shape == RGB.shape
    assert found.dtype == np.uint8
    assert one(np.full_like(RGB, 7)).shape == RGB.shape  # nothing to stretch


def test_filters_by_hand():
    by_name = {one.name: one for one in FILTERS}
    np.testing.assert_array_equal(by_name["red, inverted"](RGB)[..., 2], 255 - RGB[..., 0])
    np.testing.assert_array_equal(invert(invert(RGB)), RGB)
    ramp = np.arange(256, dtype=np.uint8)[None, :, None].repeat(4, 0).repeat(3, 2)
    assert (np.diff(principal_grey(ramp)[0, :, 0].astype(int)) >= 0).all()


def test_a_polynomial_finds_a_matrix_and_a_lut_what_bends():
    mix = np.array([[0.6, 0.3, 0.0], [0.1, 0.7, 0.1], [0.0, 0.2, 0.7]])
    raw = to_tensor(RGB)
    captured = torch.einsum("oc,bchw->bohw", torch.from_numpy(mix).float(), raw)
    found = MAPS["polynomial"]([(captured, raw)])(captured).detach()
    assert float((found - raw).abs().mean()) < 0.02


def test_monotone_curves_undo_a_negative():
    raw = to_tensor(RGB)
    found = MAPS["monotone"]([(1 - raw**2, raw)])(1 - raw**2).detach()
    assert float((found - raw).abs().mean()) < 0.02


def test_the_inverse_of_what_loses_nothing_is_exact():
    negative = IspProfile("invert", load_profile("invert").blocks)
    np.testing.assert_array_equal(Inverse(negative, UNIFORM)(Camera(negative)(RGB)), RGB)


def test_the_inverse_is_the_mean_over_what_became_one_colour():
    """All colours become their highest bit: by hand, the mean of each half of the levels, weighed by the prior."""
    raw = np.arange(1 << 24, dtype=np.uint32)
    table = posterior_mean(raw & 0x808080, UNIFORM)
    np.testing.assert_array_equal(table[0x000000], [64, 64, 64])  # 63.5, halves up
    np.testing.assert_array_equal(table[0x800080], [192, 64, 192])
    np.testing.assert_array_equal(table[0x810181], table[0x800080])  # never captured: as its neighbourhood
    dark = UNIFORM.copy()
    dark[0] = 1e9
    np.testing.assert_array_equal(posterior_mean(raw & 0x808080, dark)[0], [4, 4, 4])  # 3.5


def test_a_prior_counts_photographs_alike(tmp_path):
    write_image(tmp_path / "a.png", np.zeros((10, 10, 3), np.uint8))
    write_image(tmp_path / "b.png", np.full((50, 50, 3), 255, np.uint8))
    prior = prior_of([tmp_path / "a.png", tmp_path / "b.png"])
    assert prior[0] == pytest.approx(prior[-1])
    assert prior.sum() == pytest.approx(2.1)


def test_a_copy_learns_what_the_recogniser_says_of_raw_faces():
    """Captured crops are negatives; the copy agrees with the recogniser on people that it has not seen."""
    torch.manual_seed(0)
    teacher, rng = Tiny().eval(), np.random.default_rng(0)
    crops = rng.integers(0, 256, (600, 16, 16, 3), dtype=np.uint8)
    faces = TrainingFaces(crops, 255 - crops, torch.zeros(600, dtype=torch.long))
    learned, judged = faces.rows(np.arange(500)), faces.rows(np.arange(500, 600))
    student, training = distil(teacher, learned, judged, 1e-2, 0)
    with torch.no_grad():
        wanted = teacher(to_tensor(judged.raw))
        before, after = ((one(to_tensor(judged.captured)) * wanted).sum(1).mean() for one in (teacher, student))
    assert after > before + 0.2
    assert max(training.curve) == pytest.approx(float(after), abs=1e-4)
    assert student.card.weights_sha256 is None


def test_a_recogniser_learns_captured_faces_of_strangers():
    """People are colours, captured ones negatives: names learned from some people serve for others."""
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (60, 1, 1, 3))
    owner = np.repeat(np.arange(60), 6)
    crops = (colours[owner] + rng.integers(-12, 13, (360, 16, 16, 3))).clip(0, 255).astype(np.uint8)
    faces = TrainingFaces(crops, 255 - crops, torch.from_numpy(owner))
    judged = faces.rows(np.arange(300, 360))
    judged = TrainingFaces(judged.raw, judged.captured, judged.owner - 50)
    for start, head in (("fine-tuned", "ArcFace"), ("from scratch", "softmax")):
        _, training = retrain(Tiny(), faces.rows(np.arange(300)), judged, start, head, 1e-2, 0)
        assert max(training.curve) > training.curve[0] + 0.2


def test_arcface_by_hand():
    rows, proxies = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0], [0.0, 2.0]])
    owner = torch.tensor([0])
    plain, hard = logits(rows, proxies, owner, "softmax"), logits(rows, proxies, owner, "ArcFace")
    np.testing.assert_allclose(plain, SCALE * np.array([[0.5**0.5, 0]]), atol=1e-3)
    np.testing.assert_allclose(hard, SCALE * np.array([[np.cos(np.pi / 4 + MARGIN), 0]]), atol=1e-3)


def test_a_curve_that_still_rises_has_not_settled():
    assert has_settled([0, 0.5, 0.8, 0.9, 0.9, 0.9, 0.901, 0.9, 0.9])
    assert not has_settled([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    assert not has_settled([0.5, 0.4, 0.3])  # nothing was learned
