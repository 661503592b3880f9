"""The views of an audit: what each camera, baseline and enhancer makes of a photograph."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from campro.attacks.filters import Filter, greyscale
from campro.audit.audit_config import AUTO, CAPTURED, ENHANCED, NONE, RAW, AuditConfig
from campro.core.chain import Chain
from campro.core.types import ImageTransform
from campro.enhance.fill_names import BLACK
from campro.enhance.runner import SHIPPED, OnnxEnhancer, load_enhancer
from campro.isp import RAW as RAW_CAMERA
from campro.isp import Camera, Ccm, IspProfile
from campro.isp.raw import RawCamera, Sensor


def audit_views(profile: IspProfile, config: AuditConfig) -> dict[str, ImageTransform]:
    """By name: raw, captured, enhanced where the profile has an enhancer, and the baselines."""
    raw, captured = _cameras(profile, config)
    names = [name for name in config.baselines if name not in (RAW, CAPTURED, ENHANCED)]
    baselines = [_baseline(name, raw) for name in names]
    return {view.name: view for view in (raw, captured, *_enhanced(config, captured), *baselines)}


def night_camera(profile: IspProfile) -> ImageTransform:
    """The profile in night mode: the picture is grey, and the camera switches its colour matrix off.

    Cameras do so in infrared light (docs/cameras.md, Night). The luma of the photograph stands for the infrared light.
    """
    blocks = tuple(block for block in profile.blocks if not isinstance(block, Ccm))
    return Chain("night", Filter("grey", greyscale), Camera(replace(profile, blocks=blocks), "night"))


def _cameras(profile: IspProfile, config: AuditConfig) -> tuple[Camera | RawCamera, Camera | RawCamera]:
    """The camera without and with the profile: ideal ones, or simulated from raw light to JPEG."""
    if config.sensor_noise is None:
        return RAW_CAMERA, Camera(profile, CAPTURED)
    sensor = Sensor.with_noise(config.sensor_noise)
    plain = RawCamera(RAW_CAMERA.profile, sensor, config.seed, RAW)
    return plain, RawCamera(profile, sensor, config.seed, CAPTURED)


def _baseline(name: str, raw: Camera | RawCamera) -> ImageTransform:
    """Another way to hide faces, applied to the output of the camera without profile."""
    return Camera(name) if raw is RAW_CAMERA else Chain(name, raw, Camera(name))


def with_black_fill(view: ImageTransform) -> ImageTransform:
    """The view with the masked areas of its enhancer black, so that they can be counted; others stay as they are."""
    if isinstance(view, OnnxEnhancer):
        return view.with_fill(BLACK)
    return Chain(view.name, *map(with_black_fill, view.transforms)) if isinstance(view, Chain) else view


def _enhanced(config: AuditConfig, captured: Camera | RawCamera) -> list[ImageTransform]:
    """The view behind the enhancer, if there is one for this profile."""
    enhancer = config.enhancer
    if enhancer == NONE or (enhancer == AUTO and not SHIPPED.is_file()):
        return []
    network = load_enhancer(None if enhancer == AUTO else Path(enhancer), config.fill)
    if enhancer == AUTO and network.profile.digest != captured.profile.digest:
        return []
    network.check_profile(captured.profile.digest, captured.profile.name)
    return [Chain(ENHANCED, captured, network)]
