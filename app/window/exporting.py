"""The export dialog, and what it asks for: the view as a picture at once, all else by the worker."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from app.model.state import State
from app.views.compare.figures import NONE, all_figures
from app.views.compare.grid import CompareView
from app.views.widgets.banner import Banner
from app.window.frame_display import FrameDisplay
from app.worker.dispatch import Dispatch
from gpu.errors import NoisescopeError

if TYPE_CHECKING:
    from app.export import Report
    from app.views.export.dialog import ExportDialog, ExportRequest
    from gpu.engine import Engine


class Exporting:
    """Exports of one window; its banner says what was written and read back."""

    def __init__(
        self,
        state: State,
        display: FrameDisplay,
        dispatch: Dispatch,
        compare: CompareView,
        banner: Banner,
        folder: Callable[[], Path],
        parent: QWidget,
    ) -> None:
        """`folder`: where the dialog starts; `parent`: what it belongs to."""
        self._state, self._display, self._dispatch = state, display, dispatch
        self._compare, self._banner, self._folder, self._parent = compare, banner, folder, parent

    def open(self) -> None:
        """Show the export dialog; what it is given runs in the worker."""
        if self._display.info is None:
            self._banner.show_error("There is nothing to export yet: wait until the clip is open.")
            return
        from app.views.export.dialog import ExportDialog

        dialog = ExportDialog(self._parent, self._state.session, self._display.info, self._folder())
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.planAsked.connect(lambda request: self._plan(dialog, request))
        dialog.requested.connect(self.run)
        dialog.open()

    def _plan(self, dialog: ExportDialog, request: ExportRequest) -> None:
        """Say in the dialog what would be written, if it is still open when that is clear."""
        self._dispatch.ask(
            lambda engine: plan_text(engine, request),
            lambda answer: dialog.show_plan(*answer, request),
            otherwise=lambda: dialog.show_plan("What would be written cannot be said.", False, request),
            shown_in=dialog,
        )

    def run(self, request: ExportRequest) -> None:
        """Save the view at once; have the worker write all else, one job a file. The banner says what was read back."""
        from app.export import write
        from gpu.source.inputs import check_outputs

        if not request.form:
            path = request.files[0][1]
            try:
                check_outputs(self._state.session, [path])
            except NoisescopeError as problem:
                self._banner.show_error(str(problem))
                return
            if self._compare.picture().save(str(path), "PNG"):  # type: ignore[call-overload]  # bytes, as annotated, are refused
                self._banner.show_note(f"The current view is in {path}.")
            else:
                self._banner.show_error(f"The current view cannot be written to {path}.")
            return
        for key, path in request.files:
            self._dispatch.run(
                f"Export {path.name}",
                lambda engine, key=key, path=path: write(engine, request.form, key, path, request.options),  # type: ignore[misc]
                self._show_report,
            )

    def _show_report(self, report: Report) -> None:
        self._banner.show_note(report.text)

    def figures_text(self) -> str:
        """The figures of this frame as tab-separated lines."""
        keys = self._state.keys
        columns = all_figures(self._display.result, keys)
        lines = ["\t".join([f"frame {self._state.view.frame}", *keys])]
        for label in next(iter(columns.values()), {}):
            cells = [columns[key][label] for key in keys]
            if any(cell is not NONE for cell in cells):
                lines.append("\t".join([label, *(f"{cell.text} {cell.symbol}".strip() for cell in cells)]))
        return "\n".join(lines)


def plan_text(engine: Engine | None, request: ExportRequest) -> tuple[str, bool]:
    """What an export would write and True, or why it cannot and False. Answered in the worker; nothing is computed."""
    from app.export import plan

    if engine is None:
        return "Wait until the clip is open.", False
    try:
        plans = [plan(engine, request.form, key, path, request.options) for key, path in request.files]
    except NoisescopeError as problem:
        return str(problem), False
    return "\n".join(planned.text for planned in plans), True
