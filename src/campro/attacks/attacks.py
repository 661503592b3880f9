"""The table of attacks, cheapest first."""

from __future__ import annotations

from campro.attacks.adaptation import ADAPTATION
from campro.attacks.attack import Attack
from campro.attacks.colour_maps import COLOUR_MAPS
from campro.attacks.distil import DISTILLATION, INVERSE_DISTILLATION, MAP_DISTILLATION
from campro.attacks.enrolment import RE_ENROLMENT
from campro.attacks.filters import AS_IT_IS, PREPROCESSED, RESTORERS
from campro.attacks.fusion import FUSED_COPY, FUSED_INVERSE, FUSED_MAPS, FUSED_RESTORATION, FUSION, VIDEO
from campro.attacks.inverse import INVERSE
from campro.attacks.restoration import RESTORATION
from campro.attacks.retrain import RETRAINING
from campro.core.errors import CamproError

ATTACKS: dict[str, Attack] = {
    attack.name: attack
    for attack in (
        AS_IT_IS,
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
