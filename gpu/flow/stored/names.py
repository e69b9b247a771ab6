"""What the name of an array, file or folder says of the flow in it: its direction, its component, its place in a sequence."""

from __future__ import annotations

import re
from typing import Literal

Direction = Literal["backward", "forward"]
Component = Literal["u", "v"]

WITHIN: dict[Direction, str] = {
    "backward": r"backward|bwd|bkwd|into[ _.-]*past",
    "forward": r"forward|fwd|into[ _.-]*future",
}
"""What says a direction wherever it stands in a name. The last of each are those of FlyingThings3D's folders and files."""

ALONE: dict[Direction, frozenset[str]] = {
    "backward": frozenset(("bw", "bkw", "backwards", "backw")),
    "forward": frozenset(("fw", "forwards", "forw")),
}
"""What says a direction as a word of its own; FW and BW are those of the Spring dataset."""

ACROSS = ("u", "x", "dx", "vx", "fx", "flowx", "flowu", "horizontal")
DOWN = ("v", "y", "dy", "vy", "fy", "flowy", "flowv", "vertical")
"""Words for the component along rows, and for that along columns, each with its partner at the same place."""

FLOWS = frozenset(("flow", "flows", "optical", "motion", "vector", "vectors"))

OTHERS = frozenset(
    ("noise", "latent", "latents", "samples", "image", "images", "frames", "video", "depth", "disparity")
)
"""Words of arrays that are no flow, whatever their shape."""

VALIDITY = frozenset(("valid", "validity", "mask"))


def words(name: str) -> list[str]:
    """The runs of letters of a name in small letters, also those that only a capital sets apart: "flowFW_u1" as flow, fw, u."""
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    return re.findall(r"[^\W\d_]+", apart.lower())


def directions_in(name: str) -> list[Direction]:
    """The directions that a name speaks of, in the order in which it does.

    >>> directions_in("backward_2_1"), directions_in("OpticalFlowIntoFuture_0006_L"), directions_in("flow_BW_left_0002")
    (['backward'], ['forward'], ['backward'])
    >>> directions_in("flow"), directions_in("fwd_bwd_flow")
    ([], ['forward', 'backward'])
    """
    places: dict[Direction, int] = {}
    for direction, pattern in WITHIN.items():
        if match := re.search(pattern, name.lower()):
            places[direction] = match.start()
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name)
    for direction, alone in ALONE.items():
        for match in re.finditer(r"[^\W\d_]+", apart):
            if match[0].lower() in alone:
                places.setdefault(direction, match.start())
    return sorted(places, key=lambda direction: places[direction])


def direction_of(*names: str) -> Direction | None:
    """The direction that the first of `names` says which says one; a name that speaks of both says neither."""
    for name in names:
        said = directions_in(name)
        if said:
            return said[0] if len(said) == 1 else None
    return None


def component_of(name: str) -> Component | None:
    """Which component a name says: u along rows, v along columns; None where it says neither or both.

    >>> component_of("flow_x_00001"), component_of("backward_v"), component_of("uv"), component_of("flow")
    ('u', 'v', None, None)
    """
    said = set(words(name))
    across, down = bool(said.intersection(ACROSS)), bool(said.intersection(DOWN))
    if across == down:
        return None
    return "u" if across else "v"


def partner_of(name: str) -> str:
    """The name that the other component should have, "" where `name` says none.

    >>> partner_of("flow_x_00001"), partner_of("backward_V"), partner_of("flow")
    ('flow_y_00001', 'backward_U', '')
    """
    if component_of(name) is None:
        return ""
    swapped = dict(zip((*ACROSS, *DOWN), (*DOWN, *ACROSS)))

    def other(match: re.Match[str]) -> str:
        word = match[0]
        partner = swapped.get(word.lower(), word)
        return partner.upper() if word.isupper() else partner.capitalize() if word[0].isupper() else partner

    return re.sub(r"[^\W\d_]+", other, name)


def is_other(name: str) -> bool:
    """Whether a name says that its array is something else than flow."""
    said = set(words(name))
    return bool(said & OTHERS) and not said & FLOWS


def is_validity(name: str) -> bool:
    """Whether a name says where flow holds."""
    return bool(set(words(name)) & VALIDITY)


def numbers_in(name: str) -> list[int]:
    """The runs of digits of a name as numbers; only 0 to 9 are digits, not ① or ²."""
    return [int(run) for run in re.findall(r"[0-9]{1,18}", name)]
