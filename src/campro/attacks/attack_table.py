"""The table of attacks, cheapest first."""

from __future__ import annotations

from collections.abc import Sequence

from campro.attacks.analytic_inversion import ANALYTIC_INVERSION
from campro.attacks.attack_base import Attack
from campro.attacks.attack_options import option_name
from campro.attacks.colour_maps import COLOUR_MAPS
from campro.attacks.distillation import DISTILLATION, INVERSION_DISTILLATION, MAP_DISTILLATION
from campro.attacks.domain_adaptation import DOMAIN_ADAPTATION
from campro.attacks.enrolment import RE_ENROLMENT
from campro.attacks.filters import IMAGE_FILTERS, NO_ATTACK, PRETRAINED_RESTORATION
from campro.attacks.fusion import FUSED_COPY, FUSED_INVERSION, FUSED_MAPS, FUSED_RESTORATION, FUSION, VIDEO
from campro.attacks.restoration import RESTORATION
from campro.attacks.retraining import RETRAINING
from campro.attacks.transfer import TRANSFERRED_RESTORATION
from campro.core.errors import CamproError

ATTACKS: dict[str, Attack] = {
    attack.name: attack
    for attack in (
        NO_ATTACK,
        IMAGE_FILTERS,
        PRETRAINED_RESTORATION,
        RE_ENROLMENT,
        COLOUR_MAPS,
        FUSION,
        FUSED_MAPS,
        VIDEO,
        ANALYTIC_INVERSION,
        FUSED_INVERSION,
        DOMAIN_ADAPTATION,
        DISTILLATION,
        MAP_DISTILLATION,
        FUSED_COPY,
        INVERSION_DISTILLATION,
        RESTORATION,
        FUSED_RESTORATION,
        TRANSFERRED_RESTORATION,
        RETRAINING,
    )
}


CHEAP = (NO_ATTACK, IMAGE_FILTERS, PRETRAINED_RESTORATION, COLOUR_MAPS, ANALYTIC_INVERSION)
"""Attacks that train no network: minutes instead of hours."""


def chosen_attacks(names: Sequence[str]) -> list[Attack]:
    """Attacks by name, in the order of the table; "cheap", "full" and "none" stand for groups.

    Raises:
        CamproError: for an unknown name.
    """
    groups = {"none": (), "cheap": CHEAP, "full": tuple(ATTACKS.values())}
    chosen = [attack for name in names for attack in (groups[name] if name in groups else (find_attack(name),))]
    return [attack for attack in ATTACKS.values() if attack in chosen]


def find_attack(name: str) -> Attack:
    """The attack of this name, as in cells and reports ("colour maps") or as an option ("colour-maps").

    Raises:
        CamproError: if there is none.
    """
    for attack in ATTACKS.values():
        if option_name(name) == option_name(attack.name):
            return attack
    raise CamproError("attack", f"one of {', '.join(map(option_name, ATTACKS))}", repr(name))
