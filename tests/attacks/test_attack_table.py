"""Attackers do what they say, and are handed no more than they may know."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from campro.attacks import distillation as distil_module
from campro.attacks import restoration as restoration_module
from campro.attacks import retraining as retrain_module
from campro.attacks.attack_base import Adversary, AttackerKnowledge, Training, restrict
from campro.attacks.attack_table import ATTACKS, find_attack
from campro.attacks.budget import BUDGETS, STANDARD, Try
from campro.attacks.colour_maps import MAPS, lut_of, mapped
from campro.attacks.distillation import distil
from campro.attacks.domain_adaptation import SHRINK, RowsAdapted, layers_adapted
from campro.attacks.face_training import Course, TrainingFaces, compiled_for_training, has_settled
from campro.attacks.filters import FILTERS, invert, principal_grey
from campro.attacks.fusion import of_several
from campro.attacks.onnx_restorer import OnnxRestorer
from campro.attacks.restoration import IDENTITY, restore
from campro.attacks.retraining import MARGIN, SCALE, logits, of_few_people, places, retrain, validation_rank1
from campro.core.errors import CamproError
from campro.core.images import to_tensor, write_image
from campro.data import FaceSet
from campro.isp import Camera, load_profile
from campro.models.faces.embedder_card import EmbedderCard, FaceEmbedder

RGB = np.random.default_rng(0).integers(0, 256, (40, 60, 3), dtype=np.uint8)
CARD = EmbedderCard("tiny", (16, 16), 8, 0.5, 0.5, "arcface-112")
LONG, QUICK = replace(STANDARD, hurries=False), replace(BUDGETS["quick"], hurries=False)


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
    everything = AttackerKnowledge(Tiny(), 0, (1,), "people", "landmarks", ("camera",), ("profile",), ("restorer",))
    handed = restrict(attack.threat_model, everything)
    assert bool(handed.cameras) == (attack.threat_model in ("gray-box", "white-box"))
    assert bool(handed.profiles) == (attack.threat_model == "white-box")
    assert (handed.people is not None) == (attack.threat_model in ("gray-box", "white-box"))


def test_what_was_not_handed_cannot_be_taken():
    with pytest.raises(CamproError, match="camera"):
        _ = AttackerKnowledge(Tiny(), 0).camera
    with pytest.raises(CamproError, match="profile"):
        _ = AttackerKnowledge(Tiny(), 0).profile


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


def test_a_map_is_learned_once_for_all_who_look_through_it(tmp_path):
    write_image(tmp_path / "photo.png", RGB)
    known = AttackerKnowledge(Tiny(), 0, photos=(tmp_path / "photo.png",), cameras=(Camera("invert"),))
    assert mapped(known, "3D LUT").restores == mapped(known, "3D LUT", 1).restores == (lut_of(known),)


def test_monotone_curves_undo_a_negative():
    raw = to_tensor(RGB)
    found = MAPS["monotone"]([(1 - raw**2, raw)])(1 - raw**2).detach()
    assert float((found - raw).abs().mean()) < 0.02


@pytest.mark.parametrize("name", ["distillation", "restoration", "retraining"])
def test_every_training_has_a_scaling_curve(name, tmp_path):
    """Where the budget asks for one, below the number of photographs that there are."""
    people = FaceSet("few", tmp_path, {"ann": tuple(Path(f"{number}.png") for number in range(1601))})
    for budget, sizes in ((STANDARD, ["400", "1600"]), (QUICK, [])):
        runs = find_attack(name).runs(AttackerKnowledge(Tiny(), 0, people=people, budget=budget))
        assert [found[1] for run in runs if (found := re.search(r"(\d+) photographs", run))] == sizes


def test_the_same_adversaries_with_several_pictures():
    runs = of_several({"one": lambda: Adversary(gallery="captured")})
    assert {run: make() for run, make in runs.items()} == {
        f"{count} pictures, one": Adversary(gallery="captured", pictures=count) for count in (2, 4, 8)
    }
    known = AttackerKnowledge(Tiny(), 0, profiles=(load_profile("campro-default"),))
    fused_inverse = find_attack("several pictures, inverse").runs
    names = [f"{count} pictures, inverse{how}" for how in ("", " by neighbours") for count in (2, 4, 8)]
    assert list(fused_inverse(known)) == names
    assert not fused_inverse(replace(known, profiles=(load_profile("defocus-9-3"),)))


def test_classes_of_a_small_set_are_whole():
    owner = torch.tensor([2, 0, 1, 0, 1, 2, 0])
    crops = np.arange(7, dtype=np.uint8).reshape(7, 1, 1, 1).repeat(3, axis=3)
    few = of_few_people(TrainingFaces(crops, 255 - crops, owner), 5)
    assert few.owner.tolist() == [0, 0, 0, 1, 1]
    assert few.raw[:, 0, 0, 0].tolist() == [1, 3, 6, 2, 4]


def test_crops_are_seen_through_what_undoes_the_camera():
    crops = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
    seen = TrainingFaces(crops, 255 - crops, torch.zeros(3, dtype=torch.long)).seen_through(invert)
    assert np.array_equal(seen.captured, crops) and np.array_equal(seen.raw, crops)


def test_copies_look_as_they_are_behind_a_table_and_behind_the_inverse(tmp_path):
    people = FaceSet("few", tmp_path, {"ann": (Path("1.png"),)})
    known = AttackerKnowledge(Tiny(), 0, people=people, profiles=(load_profile("campro-default"),), budget=QUICK)
    assert list(find_attack("distillation").runs(known)) == ["all photographs, rate 0.001"]
    assert list(find_attack("colour maps, distillation").runs(known)) == ["behind a 3D LUT, rate 0.001"]
    assert list(find_attack("inverse, distillation").runs(known)) == ["inverse, rate 0.001"]
    blurs = replace(known, profiles=(load_profile("defocus-9-3"),))
    assert not find_attack("inverse, distillation").runs(blurs)


def test_copies_are_taught_once_for_all_who_use_them(tmp_path, monkeypatch):
    faces = TrainingFaces(np.zeros((2, 16, 16, 3), np.uint8), np.zeros((2, 16, 16, 3), np.uint8), torch.zeros(2).long())
    taught, training = [], Training((0.0, 1.0), converged=True)
    monkeypatch.setattr(distil_module, "training_faces", lambda known: (faces, faces))
    monkeypatch.setattr(distil_module, "distil", lambda *given: taught.append(given) or (Tiny(), training))
    monkeypatch.setattr(retrain_module, "training_faces", lambda known: (faces, faces))
    monkeypatch.setattr(retrain_module, "retrain", lambda known, first, *given: (first, training))
    known = AttackerKnowledge(Tiny(), 0, people=FaceSet("few", tmp_path, {"ann": (Path("1.png"),)}), budget=QUICK)
    attackers = ("distillation", "several pictures, distillation", "retraining")
    runs = [run for name in attackers for run in find_attack(name).runs(known).items()]
    copies = [make().embedder for name, make in runs if "all photographs" in name or name.startswith("distilled")]
    assert len(copies) == 5
    assert len({id(copy) for copy in copies}) == len(taught) == 1


def test_a_copy_learns_what_the_recogniser_says_of_raw_faces():
    """Captured crops are negatives; the copy agrees with the recogniser on people that it has not seen."""
    torch.manual_seed(0)
    teacher, rng = Tiny().eval(), np.random.default_rng(0)
    crops = rng.integers(0, 256, (600, 16, 16, 3), dtype=np.uint8)
    faces = TrainingFaces(crops, 255 - crops, torch.zeros(600, dtype=torch.long))
    learned, judged = faces.rows(np.arange(500)), faces.rows(np.arange(500, 600))
    student, training = distil(AttackerKnowledge(teacher, 0, budget=LONG), learned, judged, 500, Try(1e-2))
    with torch.no_grad():
        wanted = teacher(to_tensor(judged.raw))
        before, after = ((one(to_tensor(judged.captured)) * wanted).sum(1).mean() for one in (teacher, student))
    assert after > before + 0.2
    assert max(training.curve) == pytest.approx(float(after), abs=1e-4)
    assert student.card.weights_sha256 is None


@pytest.mark.slow
def test_a_hurried_network_says_what_the_network_says():
    """Rounded to bfloat16's eight bits where the processor has it; rows stay float32."""
    torch.manual_seed(0)
    tiny, crops = Tiny().eval(), torch.rand(8, 3, 16, 16)
    found = compiled_for_training(tiny, AttackerKnowledge(tiny, 0, budget=STANDARD))(crops)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, tiny(crops), atol=0.03, rtol=0)
    assert compiled_for_training(tiny, AttackerKnowledge(tiny, 0, budget=LONG)) is tiny


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
        known = AttackerKnowledge(tiny := Tiny(), 0, budget=LONG)
        _, training = retrain(known, tiny, faces.rows(np.arange(300)), judged, start, head, Try(1e-2))
        assert max(training.curve) > training.curve[0] + 0.2


def test_a_network_that_has_died_is_not_the_best():
    photos, owner = np.full((4, 16, 16, 3), 100, np.uint8), torch.tensor([0, 1, 0, 1])
    dead = Tiny()
    for weight in dead.parameters():
        nn.init.zeros_(weight)
    assert validation_rank1(dead, TrainingFaces(photos, photos, owner)) == 0


def test_restorers_are_taught_once_for_one_picture_and_several(monkeypatch):
    """The budget says by which losses; `full` also by pixels alone."""
    faces = TrainingFaces(np.zeros((2, 16, 16, 3), np.uint8), np.zeros((2, 16, 16, 3), np.uint8), torch.zeros(2).long())
    taught, training = [], Training((0.0, 1.0), converged=True)
    monkeypatch.setattr(restoration_module, "training_faces", lambda known: (faces, faces))
    monkeypatch.setattr(restoration_module, "lut_of", lambda known: SimpleNamespace(table=None))
    monkeypatch.setattr(restoration_module, "restore", lambda *given: taught.append(given) or (Tiny(), training))
    known = AttackerKnowledge(Tiny(), 0, budget=QUICK)
    one, several = (find_attack(name).runs(known) for name in ("restoration", "several pictures, restoration"))
    assert list(one) == ["L1 and identity, rate 0.001"]
    assert list(several) == [f"{count} pictures, L1 and identity, rate 0.001" for count in (2, 4, 8)]
    adversaries = [make() for runs in (one, several) for make in runs.values()]
    assert [adversary.pictures for adversary in adversaries] == [1, 2, 4, 8]
    assert len({id(adversary.embedder) for adversary in adversaries}) == len(taught) == 1
    full = find_attack("restoration").runs(replace(known, budget=BUDGETS["full"]))
    assert {"L1, rate 0.001", "L1 and identity, rate 0.001, seed 2"} < set(full)


@pytest.mark.parametrize("identity", IDENTITY.values(), ids=IDENTITY)
def test_a_restorer_learns_and_the_recogniser_stays(identity):
    """Captured crops are shifted in colour by place, which no map of colours can undo."""
    torch.manual_seed(0)
    teacher, rng = Tiny().eval(), np.random.default_rng(0)
    before = {name: value.clone() for name, value in teacher.state_dict().items()}
    crops = rng.integers(0, 128, (300, 4, 4, 3), dtype=np.uint8).repeat(4, 1).repeat(4, 2)
    shade = np.linspace(0, 120, 16).astype(np.uint8)[None, :, None, None]
    faces = TrainingFaces(crops, crops + shade, torch.zeros(300, dtype=torch.long))
    learned, judged = faces.rows(np.arange(250)), faces.rows(np.arange(250, 300))
    known = AttackerKnowledge(teacher, 0, budget=QUICK)
    network, training = restore(known, lambda images: images, learned, judged, identity, Try(3e-3))
    assert training.curve[0] < 0.95
    assert max(training.curve) > training.curve[0] + 0.02
    assert network(to_tensor(judged.captured)).shape == (50, 8)
    assert all(torch.equal(value, before[name]) for name, value in teacher.state_dict().items())
    assert not any(weight.requires_grad for weight in network.recogniser.parameters())


def test_layers_get_the_statistics_of_captured_faces():
    """By hand: one channel, whose running mean becomes the mean of all captured pixels."""

    class Normed(Tiny):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm2d(3)
            self.body = nn.Sequential(self.norm, *self.body)

    crops = np.random.default_rng(0).integers(0, 256, (128, 16, 16, 3), dtype=np.uint8)
    adapted = layers_adapted(Normed(), crops)
    wanted = ((crops / 255 - 0.5) / 0.5).mean((0, 1, 2))
    np.testing.assert_allclose(adapted.norm.running_mean, wanted, atol=1e-5)
    assert not adapted.training


def test_rows_get_mean_and_covariance_of_raw_ones():
    generator = torch.Generator().manual_seed(0)
    raw = torch.randn(5000, 8, generator=generator) * torch.arange(1, 9) + 3
    captured = torch.randn(5000, 8, generator=generator) * torch.arange(8, 0, -1) - 1
    adapted = RowsAdapted(Tiny(), captured, raw)
    moved = (captured - adapted.centre) @ adapted.mix + adapted.wanted
    np.testing.assert_allclose(moved.mean(0), raw.mean(0), atol=1e-3)
    shrunk = lambda rows: torch.cov(rows.T) + SHRINK * torch.cov(rows.T).trace() / 8 * torch.eye(8)  # noqa: E731
    np.testing.assert_allclose(adapted.mix.T @ shrunk(captured) @ adapted.mix, shrunk(raw), atol=0.01)
    rows = adapted(torch.rand(4, 3, 16, 16))
    np.testing.assert_allclose(rows.detach().norm(dim=1), 1, atol=1e-5)


@pytest.mark.parametrize("size", [(None, None), (20, 30)])
def test_restorers_from_files(tmp_path, size):
    """A network that turns pictures into negatives, of any size or a fixed one."""
    shape = [1, 3, *(side or name for side, name in zip(size, "hw"))]
    one = helper.make_tensor("one", TensorProto.FLOAT, [], [1.0])
    graph = helper.make_graph(
        [helper.make_node("Sub", ["one", "x"], ["y"])],
        "negative",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, shape)],
        [one],
    )
    path = tmp_path / "negative.onnx"
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=9), path)
    rgb = np.full((40, 60, 3), 200, np.uint8)
    found = OnnxRestorer(path)(rgb)
    np.testing.assert_array_equal(found, 255 - rgb)
    (tmp_path / "bad.onnx").write_bytes(b"no network")
    with pytest.raises(CamproError, match=r"bad\.onnx"):
        OnnxRestorer(tmp_path / "bad.onnx")


def test_people_lie_where_their_rows_do():
    rows = torch.tensor([[1.0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]])
    wanted = 2 * torch.tensor([[0, 1.0, 0, 0], [0.5**0.5, 0, 0, 0.5**0.5]])
    torch.testing.assert_close(places(rows, torch.tensor([1, 0, 1])), wanted)


def test_arcface_by_hand():
    rows, proxies = torch.tensor([[1.0, 0.0]]), torch.tensor([[1.0, 1.0], [0.0, 2.0]])
    owner = torch.tensor([0])
    plain, hard = logits(rows, proxies, owner, "softmax"), logits(rows, proxies, owner, "ArcFace")
    np.testing.assert_allclose(plain, SCALE * np.array([[0.5**0.5, 0]]), atol=1e-3)
    np.testing.assert_allclose(hard, SCALE * np.array([[np.cos(np.pi / 4 + MARGIN), 0]]), atol=1e-3)


def test_a_rate_that_is_too_high_is_lowered():
    """A weight is to become 1; at rate 100 it is thrown far off, and each tenth of it less far."""
    weight = nn.Linear(1, 1, bias=False)
    nn.init.zeros_(weight.weight)
    off = lambda: (weight.weight - 1).square().sum()  # noqa: E731
    known = AttackerKnowledge(Tiny(), 0, budget=QUICK)
    failed = Course(weight, lambda rows, rng: off(), lambda: -float(off().detach()), 8, known, "too high").train(
        Try(1e5)
    )
    assert not failed.converged
    assert float(weight.weight.detach()) == 0  # back at its start
    found = Course(weight, lambda rows, rng: off(), lambda: -float(off().detach()), 8, known, "high").train(Try(2.0))
    assert max(found.curve) > -0.5


def test_steps_are_of_so_many_faces_and_shrink_by_half_a_cosine():
    weight, seen, places = nn.Linear(1, 1, bias=False), [], []

    def steady(rows, rng):
        seen.append(len(rows))
        places.append(weight.weight.item())
        return weight.weight.sum()

    def steps(faces=100, **settings):
        places.clear()
        rising = count(-1)
        Course(weight, steady, lambda: next(rising), faces, known, "cools", **settings).train(Try(1e-3))
        return -np.diff(places)

    known = AttackerKnowledge(Tiny(), 0, budget=QUICK)
    whole = QUICK.epochs * 100
    cooled = steps(batch=16, cools=True)
    assert cooled == pytest.approx(5e-4 * (1 + np.cos(np.pi * np.arange(whole - 1) / whole)), abs=2e-5)
    assert set(seen) == {16}
    assert steps() == pytest.approx(np.full(QUICK.epochs * 25 - 1, 1e-3), abs=2e-5)
    assert seen[-1] == 64
    assert len(steps(faces=10)) == QUICK.epochs * 25 - 1
    assert seen[-1] == 10


def test_a_copy_that_is_perfect_is_left_alone():
    student, calls = Tiny(), []
    known = AttackerKnowledge(student, 0, budget=LONG)
    training = Course(student, lambda rows, rng: calls.append(rows), lambda: 1.0, 8, known, "perfect").train(Try(1e-3))
    assert training.converged
    assert not calls
    assert not student.training


def test_a_curve_that_still_rises_has_not_settled():
    assert has_settled([0, 0.5, 0.8, 0.9, 0.9, 0.9, 0.901, 0.9, 0.9])
    assert not has_settled([0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    assert not has_settled([0.5, 0.4, 0.3])  # nothing was learned
    assert not has_settled([0.3, 0.32, 0.36, 0.01, 0.01, 0.01, 0.01])  # what was learned was lost


FELL, GAVE_UP = [0.3, 0.4, 0.01, 0.01, 0.01, 0.01, 0.01], [0.3, 0.2, 0.2, 0.2]
ROSE = [0.3, *np.linspace(0.35, 0.46, 12).tolist()]


@pytest.mark.parametrize("scores", [[*FELL, *ROSE], [*FELL, *GAVE_UP, *GAVE_UP]], ids=["better", "worse"])
def test_what_fell_apart_is_tried_more_gently_and_the_best_counts(scores):
    weight, told = nn.Linear(1, 1), iter(scores)
    known = AttackerKnowledge(Tiny(), 0, budget=LONG)
    training = Course(weight, lambda rows, rng: weight.weight.sum(), lambda: next(told), 8, known, "").train(Try(1e-3))
    assert list(training.curve) == (ROSE if ROSE[1] in scores else FELL)
    assert not training.converged
    assert not list(told)


def test_the_luck_of_a_network_that_knows_nothing_is_not_counted():
    weight, told = nn.Linear(1, 1), iter([0.02, 0.03, 0.03, 0.03, 0.05, *[0.08] * 7])
    known = AttackerKnowledge(Tiny(), 0, budget=LONG)
    course = Course(weight, lambda rows, rng: weight.weight.sum(), lambda: next(told), 8, known, "", knows_nothing=True)
    assert course.train(Try(1e-3)).curve == (0.0, 0.02, 0.03, 0.03, 0.03, 0.05, *[0.08] * 6)
