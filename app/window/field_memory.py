"""How much memory fine fields may take: shown and set in the panel at the left, kept with the person's preferences.

It decides how fast noise is made, never which: that is why it belongs to the machine and not to the session.
"""

from __future__ import annotations

from PySide6.QtCore import QObject

from app.model.user_folder import UserFolder
from app.views.source.noise_section import NoiseSection
from gpu.noise import field_limit


class FieldMemory(QObject):
    """Takes the limit from the preferences, unless the environment that the program was started in says one."""

    def __init__(self, section: NoiseSection, user_folder: UserFolder, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._section, self._user_folder = section, user_folder
        kept = user_folder.settings().get("field_mb")
        self._fixed = field_limit.told() not in (None, kept)
        if kept is not None and not self._fixed:
            field_limit.tell(kept)
        section.memory_picked.connect(self._choose)
        self._show()

    def _choose(self, megabytes: int | None) -> None:
        """Keep so much from the next frame on; None is what suits the machine."""
        if megabytes is None:
            self._user_folder.forget("field_mb")
        else:
            self._user_folder.set(field_mb=megabytes)
        field_limit.tell(megabytes)
        self._show()

    def _show(self) -> None:
        fixed = field_limit.VARIABLE if self._fixed else ""
        self._section.show_memory(field_limit.told(), field_limit.usual() >> 20, fixed)
