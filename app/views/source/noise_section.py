"""The part of the left panel about the noise: its seed, degradation, grid, and what computes it."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QToolButton, QWidget

from app.look import theme
from app.views.source.proposing import propose
from app.views.widgets.forms import Choices, Section, WholeNumber, beside, labelled, name
from app.views.widgets.sliders import ParameterSlider
from gpu.errors import SessionError
from gpu.parameters import ParameterInfo
from gpu.session import Session

GAMMA = ParameterInfo(
    "gamma", "Degradation γ", 0, 0, 1, 0.01, "", "Share of fresh noise mixed into every prior: 0 none, 1 all of it."
)
FILLS = (
    ("two-stage", "two-stage", "What comes into sight inherits or opens an anchor that is then carried along"),
    ("random", "random fill", "What comes into sight gets fresh noise in every frame (the baseline)"),
)
RENEWALS = (
    (
        "local",
        "where it is lost",
        "Where outlines cannot follow the motion any more, pixels start from a new anchor with their noise",
    ),
    ("off", "never", "Noise is carried from where it was born, however bent the motion is"),
)
MEMORY = (
    "How much memory fine fields, the sub-pixels of anchor frames, are kept in (integral). What does not fit is made anew in "
    "every frame: the same noise, up to ten times later. One of 1024 × 1024 pixels takes 1074 MB at k = 3 with 4 channels; "
    "half the side, or one level less, a quarter of it. Kept for this computer, not in the session"
)
MEGABYTES = (128, 256, 512, 1024, 2048, 4096, 8192, 16384)
BACKENDS = (
    ("auto", "automatic", "The faster of the two on this machine"),
    ("gl", "OpenGL", "Rasterise with the graphics card, or its software stand-in"),
    ("torch", "torch", "Rasterise with torch"),
)


class NoiseSection(Section):
    """Shows a session's noise settings and says which the person wants instead."""

    changed = Signal(object, str, str)  # Session, what was changed, merge key for undo
    refused = Signal(str)  # why settings that were asked for cannot be had
    memory_picked = Signal(object)  # megabytes that fine fields may take; None: what suits the machine

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__("Noise", "The noise grid, its seed and what computes it", parent=parent)
        self._session = Session()
        self._seed = WholeNumber(0, 2**31 - 1)
        self._seed.setMinimumWidth(8 * theme.GRID)
        self._seed.picked.connect(lambda seed: self._noise("Seed", "seed", seed=seed))
        self._dice = QToolButton()
        name(self._dice, "Another seed", "Roll another seed")
        self._dice.clicked.connect(lambda: self._noise("Seed", "", seed=random.randrange(2**31)))
        name(self._seed, "Seed", "The one seed of the session: the same seed gives the same noise, always")
        self.wide(labelled("Seed", beside(self._seed, self._dice), "The one seed of the session"))
        self._gamma = ParameterSlider(GAMMA, 0.0)
        self._gamma.changed.connect(self._pick_gamma)
        self.wide(self._gamma)
        self._k = Choices([(k, f"k = {k}", f"{2**k} × {2**k} sub-pixels a pixel") for k in range(7)])
        self._k.picked.connect(lambda k: self._noise("Level k", "", k=k))
        self.row("Sub-pixels", self._k, "Level k of the fine noise: 2^k × 2^k sub-pixels in a pixel (integral)")
        self._s = Choices([(s, f"s = {s}", f"{s} segments a side") for s in (1, 2, 4, 8, 16)])
        self._s.picked.connect(lambda s: self._noise("Contour s", "", s=s))
        self.row("Contour", self._s, "Segments s on each side of a pixel's outline when it is moved (integral)")
        self._channels = WholeNumber(1, 64)
        self._channels.picked.connect(lambda value: self._noise("Channels", "channels", channels=value))
        self.row("Channels", self._channels, "Noise channels; a latent diffusion model wants 4")
        self._fill = Choices(FILLS)
        self._fill.picked.connect(lambda value: self._noise("Disocclusion", "", fill=value))
        self.row("New areas", self._fill, "What happens where the motion uncovers something new")
        self._renewal = Choices(RENEWALS)
        self._renewal.picked.connect(lambda value: self._noise("Renewal", "", renewal=value))
        self.row(
            "Renewal",
            self._renewal,
            "What happens where turbulence has bent outlines too much (integral, integral-exact)",
        )
        self._backend = Choices(BACKENDS)
        self._backend.picked.connect(lambda value: self._noise("Backend", "", backend=value))
        self.row("Backend", self._backend, "What rasterises the moved pixels (integral)")
        self._memory = Choices()
        self._memory.picked.connect(self.memory_picked)
        self.row("Memory", self._memory, MEMORY)

    @property
    def session(self) -> Session:
        """The settings that are shown."""
        return self._session

    def set_theme(self, colours: theme.Theme) -> None:
        """Take the colours of a theme."""
        super().set_theme(colours)
        self._dice.setIcon(theme.icon("dices", colours))

    def show_session(self, session: Session) -> None:
        """Show the settings; nothing is emitted."""
        self._session = session
        noise = session.noise
        self._seed.show_value(noise.seed)
        self._gamma.set_value(session.priors[0].gamma if session.priors else 0.0)
        self._k.show_value(noise.k)
        self._s.show_value(noise.s)
        self._channels.show_value(noise.channels)
        self._fill.show_value(noise.fill)
        self._renewal.show_value(noise.renewal)
        self._backend.show_value(noise.backend)

    def show_memory(self, megabytes: int | None, usual: int, fixed: str) -> None:
        """How much memory fine fields may take (None: the `usual` amount for this machine), in MB; `fixed` is the environment
        variable that says it, where it cannot be chosen."""
        amounts = sorted({*MEGABYTES, *([] if megabytes is None else [megabytes])})
        self._memory.set_choices(
            [(None, f"automatic, {usual} MB", "What suits the memory of this computer")]
            + [(amount, f"{amount} MB", MEMORY) for amount in amounts]
        )
        self._memory.show_value(megabytes)
        self._memory.setEnabled(not fixed)
        self._memory.setToolTip(f"{MEMORY}. Said by {fixed}, so that it cannot be chosen here" if fixed else MEMORY)

    def _noise(self, what: str, merge: str, **values: Any) -> None:
        propose(self, lambda: replace(self._session, noise=replace(self._session.noise, **values)), what, merge)

    def _pick_gamma(self, _: str, gamma: float) -> None:
        propose(self, lambda: _with_gamma(self._session, round(gamma, 4)), "Degradation γ", "gamma")


def _with_gamma(session: Session, gamma: float) -> Session:
    """The session with one γ in all columns; SessionError where two of them differ in nothing else."""
    columns: dict[str, str] = {}
    for prior in session.priors:
        key = replace(prior, gamma=gamma).key
        if key in columns:
            raise SessionError(
                f"γ cannot be the same in all columns: {columns[key]} and {prior.key} would become one. Remove one of them, or "
                "set γ in the menu of a column's head."
            )
        columns[key] = prior.key
    return replace(session, priors=tuple(replace(prior, gamma=gamma) for prior in session.priors))
