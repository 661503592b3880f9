"""The table of attacks, cheapest first."""

from __future__ import annotations

from campro.attacks.analytic_inversion import INVERSE
from campro.attacks.attack_base import Attack
from campro.attacks.colour_maps import COLOUR_MAPS
from campro.attacks.distillation import DISTILLATION, INVERSE_DISTILLATION, MAP_DISTILLATION
from campro.attacks.domain_adaptation import ADAPTATION
from campro.attacks.enrolment import RE_ENROLMENT
from campro.attacks.filters import NO_ATTACK, PREPROCESSED, RESTORERS
from campro.attacks.fusion import FUSED_COPY, FUSED_INVERSE, FUSED_MAPS, FUSED_RESTORATION, FUSION, VIDEO
from campro.attacks.restoration import RESTORATION
from campro.attacks.retraining import RETRAINING
from campro.core.errors import CamproError

ATTACKS: dict[str, Attack] = {
    attack.name: attack
    for attack in (
        NO_ATTACK,
        PREPROCESSED,
        RESTORERS,
        RE_ENROLMENT,
        COLOUR_MAPS,
        FUSION,
        FUSED_MAPS,
        VIDEO,
        INVERSE,
        FUSED_INVERSE,
        ADAPTATION,
        DISTILLATION,
        MAP_DISTILLATION,
        FUSED_COPY,
        INVERSE_DISTILLATION,
        RESTORATION,
        FUSED_RESTORATION,
        RETRAINING,
    )
}


def find_attack(name: str) -> Attack:
    """An attack of the table."""
    if name not in ATTACKS:
        raise CamproError("attack", f"one of {', '.join(ATTACKS)}", repr(name))
    return ATTACKS[name]
