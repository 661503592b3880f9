"""What `campro serve` is started with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from campro.core.errors import CamproError
from campro.isp.profile import BUILTIN_PROFILES, IspProfile, load_profile

MAX_UPLOAD = 25 << 20
"""Largest body of a request in bytes."""
MAX_PIXELS = 60_000_000
"""Largest picture that is decoded, in pixels."""
MAX_SIDE = 1280
"""Longest side, in pixels, of the pictures that the page works on; larger ones are reduced by area average."""
LOOPBACK = ("127.0.0.1", "localhost", "::1")
FIRST = ("campro-default", "campro-strong")
"""Profiles at the top of the list."""


@dataclass(frozen=True)
class PageSettings:
    """Address, token, and what the page offers."""

    host: str = "127.0.0.1"
    """Address to listen on."""
    port: int = 8760
    token: str = ""
    """Secret that a browser must present once; empty on loopback."""
    results: Path = Path("runs")
    """Folder whose reports the page lists."""
    profiles: Mapping[str, IspProfile] = field(default_factory=dict)
    """Name -> profile."""
    detector: str = "campro-person"
    """Person detector, a key of `PERSON_DETECTORS`."""
    face_models: tuple[str, ...] = ("dlib-resnet29",)
    """Face recognisers of the Compare tab, keys of `FACE_EMBEDDERS`."""

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the page."""
        return self.host in LOOPBACK

    @property
    def hosts(self) -> frozenset[str]:
        """Values of the header `Host` that are accepted; others are attempts of DNS rebinding."""
        names: tuple[str, ...] = LOOPBACK if self.is_loopback else (self.host,)
        names = tuple(f"[{name}]" if ":" in name else name for name in names)
        return frozenset({f"{name}:{self.port}" for name in names} | ({*names} if self.port == 80 else set()))


def profile_table(files: tuple[Path, ...] = ()) -> dict[str, IspProfile]:
    """The built-in profiles, the audited ones first, then those of the user's files, by name.

    Raises:
        CamproError: For a file that is no profile, or a name that occurs twice.
    """
    names = (*FIRST, *(name for name in BUILTIN_PROFILES if name not in FIRST))
    table = {name: load_profile(name) for name in names}
    for file in files:
        profile = IspProfile.load(file)
        if profile.name in table:
            raise CamproError(str(file), "a profile with a name of its own", repr(profile.name), "rename it")
        table[profile.name] = profile
    return table
