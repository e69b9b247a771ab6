"""The pages of the Help menu: shortcuts, what the program is, where its log lies."""

from __future__ import annotations

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QScrollArea, QVBoxLayout, QWidget

from app.model import catalogue
from app.model.user_folder import UserFolder
from app.views.widgets.banner import Banner
from app.window import menus


def show_shortcuts(parent: QWidget) -> None:
    """All keys and gestures."""
    _page(parent, "Shortcuts", menus.shortcut_page())


def show_about(parent: QWidget) -> None:
    """What it implements, whose work it stands on, and the versions of what it runs with."""
    versions = " · ".join(f"{name} {version}" for name, version in catalogue.versions())
    _page(
        parent,
        "About Noisescope",
        "<p style='font-weight: 600'>Noisescope</p>"
        "<p>See, compare and export noise priors for video diffusion.</p>"
        "<p>It implements the integral noise of Pascal Chang, Jingwei Tang, Markus Gross and Vinicius C. Azevedo, "
        "<i>How I Warped Your Noise: a Temporally-Correlated Noise Prior for Diffusion Models</i>, ICLR 2024 "
        "(arXiv 2504.03072), with the priors it was compared with and the methods that followed it. "
        "Each prior's source is in its tooltip.</p>"
        "<p>Clip: <i>Big Buck Bunny</i>, © Blender Foundation, CC BY 3.0. Icons: Lucide (ISC). "
        "Typeface: Inter (SIL Open Font License 1.1). Colours of the priors: Okabe and Ito.</p>"
        f"<p>{versions}</p>",
    )


def open_log(user_folder: UserFolder, banner: Banner) -> None:
    """Open the folder with the log, or say where it is."""
    if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(user_folder.folder))):
        banner.show_note(f"The log file is {user_folder.log_file}")


def _page(parent: QWidget, title: str, html: str) -> None:
    dialog = QDialog(parent)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    text = QLabel(html)
    text.setWordWrap(True)
    text.setAlignment(Qt.AlignmentFlag.AlignTop)
    text.setOpenExternalLinks(True)
    text.setMargin(16)
    scroll = QScrollArea()
    scroll.setWidget(text)
    scroll.setWidgetResizable(True)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    layout = QVBoxLayout(dialog)
    layout.addWidget(scroll)
    layout.addWidget(buttons)
    dialog.resize(560, 560)
    dialog.open()
