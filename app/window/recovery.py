"""What a crash must not take: the session is kept while the window runs, and offered again after a run that did not close."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QMenu, QWidget

from app.model.autosaves import Autosaves, Crashed
from app.model.state import State
from app.model.user_folder import UserFolder
from app.views.widgets.banner import Answer, Banner
from app.views.widgets.once import once, start_if_idle
from app.views.widgets.words import entry
from app.worker.background import Background
from gpu import session as sessions
from gpu.errors import NoisescopeError
from gpu.files import reason
from gpu.session import Session

AUTOSAVE_MS = 3000
"""After the first change that is not kept yet; what comes until then is kept with it, so that nothing is older than that."""


class Recovery(QObject):
    """The autosave of one window, and what runs that crashed left behind, until it is answered."""

    def __init__(
        self,
        state: State,
        user_folder: UserFolder,
        banner: Banner,
        show_session: Callable[[Session], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._state, self._user_folder, self._banner, self._show_session = state, user_folder, banner, show_session
        self._autosaves = Autosaves(user_folder.folder / "autosaves", user_folder.told)
        self._crashed: list[Crashed] = []
        self._offered = ""
        self._background = Background(self)
        self._background.failed.connect(self._cannot_keep)
        self._timer = once(self, AUTOSAVE_MS, self.keep)

    def begin(self) -> None:
        """From now on there is something to restore after every change: forget those of building the window. What went wrong
        with the files of the user's folder is told, now and later."""
        self._timer.stop()
        self._user_folder.tell_to(self._banner.show_notice)

    def note_change(self) -> None:
        """The session was changed: it is kept soon, however many changes follow."""
        start_if_idle(self._timer)

    def keep(self) -> None:
        """Keep the session as it is now."""
        try:
            text = sessions.to_json(self._state.to_save())
        except NoisescopeError as problem:
            self._cannot_keep(str(problem))
            return
        self._background.put(lambda: self._autosaves.write(text))

    def _cannot_keep(self, why: str) -> None:
        self._user_folder.told(f"The session cannot be kept for the case of a crash. {why}")

    # -- after a crash

    def offer(self) -> None:
        """Offer what runs that did not close properly left behind, the latest first."""
        self._crashed = self._autosaves.crashed()
        self._offer_next()

    def _offer_next(self) -> None:
        if not self._crashed:
            return
        crashed, more = self._crashed[0], len(self._crashed) - 1
        others = "" if not more else f" {more} more {'is' if more == 1 else 'are'} in File, Restore after a crash."
        self._offered = f"Noisescope did not close properly. It kept what was compared: {crashed.text}.{others}"
        self._banner.offer(
            self._offered,
            (
                Answer("Restore", "Go on with what was being compared then", lambda: self.restore(crashed)),
                Answer("Throw away", "Remove it for good", lambda: self._throw_away(crashed)),
            ),
            "Later: it stays in File, Restore after a crash, and is offered at the next start",
        )

    def restore(self, crashed: Crashed) -> None:
        """Show a session that was left behind. What is in the window, if it was changed, takes its place among those."""
        if crashed not in self._crashed:
            return
        self._banner.withdraw(self._offered)
        if self._timer.isActive():
            self.keep()
        self._background.wait()
        self._autosaves.set_aside()
        self._crashed = sorted(
            [*(other for other in self._crashed if other is not crashed), *self._autosaves.crashed()],
            key=lambda other: other.when,
            reverse=True,
        )
        self._show_session(crashed.session)
        self._timer.stop()
        self.keep()
        if self._background.wait():  # the earlier file goes only once there is another
            self._remove(crashed)
        else:
            self._crashed.append(crashed)

    def _throw_away(self, crashed: Crashed) -> None:
        if crashed in self._crashed:
            self._crashed.remove(crashed)
            self._remove(crashed)
        self._offer_next()

    def _remove(self, crashed: Crashed) -> None:
        try:
            crashed.throw_away()
        except OSError as problem:
            self._banner.show_error(f"{crashed.path} cannot be removed: {reason(problem)}.")

    def fill_menu(self, menu: QMenu) -> None:
        """Those left behind, made anew whenever the menu opens."""
        menu.clear()
        for crashed in self._crashed:
            action = menu.addAction(entry(crashed.text))
            action.triggered.connect(lambda _=False, crashed=crashed: self.restore(crashed))
        if menu.isEmpty():
            menu.addAction("Nothing was left behind").setEnabled(False)

    def end(self) -> None:
        """The window closed as it should; what was not answered is offered at the next start."""
        self._timer.stop()
        self._background.wait()
        self._background.close()
        self._autosaves.end()
        for crashed in self._crashed:
            crashed.leave()
        self._crashed.clear()
