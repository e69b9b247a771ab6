"""The bundled samples: what each is, whose it is, and what it is good for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gpu.assets import asset
from gpu.errors import ClipError
from gpu.session import SourceSettings


@dataclass(frozen=True)
class Sample:
    """One bundled clip or still. `path` is below assets/; `deformation` names what suits a still (clips: empty)."""

    title: str
    kind: Literal["video", "synthetic"]
    path: str
    attribution: str
    about: str
    deformation: str = ""

    def settings(self) -> SourceSettings:
        """The source it opens as; ClipError when it is not installed."""
        return SourceSettings(kind=self.kind, path=str(asset(self.path)), name=self.deformation)


SAMPLES = (
    Sample(
        "Big Buck Bunny",
        "video",
        "clips/bunny.mp4",
        "© 2008 Blender Foundation, CC BY 3.0",
        "A character before dense grass: large articulated motion and occlusions.",
    ),
    Sample(
        "City at night",
        "video",
        "clips/city.mp4",
        "Unknown, CC0 1.0",
        "Towers under a slow camera, and a cut to another shot in the middle.",
    ),
    Sample(
        "Picos de Europa",
        "synthetic",
        "stills/picos.jpg",
        "© 2018 Aitzol Berasategi, CC BY 4.0",
        "Grass, rock and snow: fine detail everywhere.",
        "rotation-zoom",
    ),
    Sample(
        "Seeding",
        "synthetic",
        "stills/seeding.jpg",
        "© 2018 Clemens Engelhardt, CC0 1.0",
        "Dandelions: sharp detail before a soft ground.",
        "swirl",
    ),
    Sample(
        "Bowl",
        "synthetic",
        "stills/bowl.jpg",
        "© 2018 Trevor “Freespace”, CC BY 4.0",
        "A bowl on concrete: smooth shading and coarse texture.",
        "translation",
    ),
)


def installed() -> list[Sample]:
    """The samples whose files are there."""
    found = []
    for sample in SAMPLES:
        try:
            asset(sample.path)
        except ClipError:
            continue
        found.append(sample)
    return found
