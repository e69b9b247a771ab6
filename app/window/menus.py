"""Menus and shortcuts: one table of all that can be done, from which menus, tools and the shortcut page are made."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu

from app.look import theme


@dataclass(frozen=True)
class Command:
    """`keys` is a shortcut of the whole window; `hint` one that only works while no field is being typed in."""

    name: str
    menu: str
    text: str
    tip: str
    keys: str = ""
    hint: str = ""
    icon: str = ""
    checkable: bool = False
    after_line: bool = False


COMMANDS = (
    Command("open_video", "&File", "&Open video …", "Open a video file and estimate its motion", "Ctrl+O", icon="film"),
    Command("open_images", "&File", "Open &image sequence …", "Open numbered pictures in a folder", icon="images"),
    Command(
        "open_numbered",
        "&File",
        "Open i&mages from one on …",
        "Open a numbered picture and those that follow it",
        icon="images",
    ),
    Command(
        "open_still", "&File", "Open s&till …", "Open a picture and move it by a deformation", "Ctrl+T", icon="image"
    ),
    Command("open_flow", "&File", "Open &flow …", "Carry noise along motion from a file", icon="waypoints"),
    Command(
        "open_session",
        "&File",
        "Open s&ession …",
        "Open settings saved earlier",
        "Ctrl+Shift+O",
        icon="folder-open",
        after_line=True,
    ),
    Command("save", "&File", "&Save session", "Save the settings to their file", "Ctrl+S", icon="save"),
    Command("save_as", "&File", "Save session &as …", "Save the settings to another file", "Ctrl+Shift+S"),
    Command("recent", "&File", "&Recent", "Sessions and clips used lately", icon="history"),
    Command(
        "restore",
        "&File",
        "Restore after a cras&h",
        "What was being compared in runs that did not close properly",
        icon="rotate-ccw",
    ),
    Command(
        "export",
        "&File",
        "E&xport …",
        "Write noise, flow, pictures, videos or the view to files",
        "Ctrl+E",
        icon="download",
        after_line=True,
    ),
    Command("quit", "&File", "&Quit", "Close the window", "Ctrl+Q", icon="log-out", after_line=True),
    Command("undo", "&Edit", "&Undo", "Take back the last change of settings", "Ctrl+Z", icon="undo-2"),
    Command("redo", "&Edit", "&Redo", "Do again what was taken back", "Ctrl+Shift+Z", icon="redo-2"),
    Command(
        "copy",
        "&Edit",
        "&Copy pictures",
        "Copy the comparison grid as a picture",
        "Ctrl+C",
        icon="copy",
        after_line=True,
    ),
    Command("copy_values", "&Edit", "Copy &figures", "Copy the figures of this frame as a table", "Ctrl+Shift+C"),
    Command(
        "poses",
        "&Edit",
        "&Poses …",
        "Make or change the movement of the paper doll, keyframe by keyframe",
        "Ctrl+Shift+P",
        icon="spline",
        after_line=True,
    ),
    Command("row_noise", "&View", "&Noise", "Show the noise of every prior", "1", checkable=True),
    Command("row_output", "&View", "&Output", "Show what the diffusion model makes of it", "2", checkable=True),
    Command(
        "row_xt-noise",
        "&View",
        "&x-t noise",
        "One line of the noise over time: noise that follows the motion draws slanted streaks",
        "3",
        checkable=True,
    ),
    Command(
        "row_xt-output",
        "&View",
        "x-&t output",
        "One line of the output over time: flicker draws broken streaks",
        "4",
        checkable=True,
    ),
    Command(
        "row_error", "&View", "&Error", "Where the output differs from the moved previous output", "5", checkable=True
    ),
    Command("row_motion", "&View", "&Motion", "The motion that carries the noise", "6", checkable=True),
    Command(
        "mode_side",
        "&View",
        "Side &by side",
        "Every column for itself",
        "",
        icon="columns-2",
        checkable=True,
        after_line=True,
    ),
    Command(
        "mode_wipe",
        "&View",
        "&Wipe",
        "The reference left of a line that you drag",
        "W",
        icon="square-split-horizontal",
        checkable=True,
    ),
    Command(
        "mode_difference",
        "&View",
        "&Difference",
        "Absolute difference from the reference, twice as bright",
        "D",
        icon="diff",
        checkable=True,
    ),
    Command("flip", "&View", "F&lip to the reference", "Hold R to see the reference in every column", hint="R (hold)"),
    Command(
        "rgb",
        "&View",
        "Noise in &colour",
        "Three noise channels as red, green and blue, instead of one as grey",
        "C",
        icon="palette",
        checkable=True,
        after_line=True,
    ),
    Command(
        "overlay",
        "&View",
        "Mark &new areas",
        "Colour over the noise: blue was born after the first frame, purple renewed on the way, yellow is new, red undefined",
        "U",
        icon="layers",
        checkable=True,
    ),
    Command("wheel", "&View", "Motion as &hue", "Motion as a colour wheel instead of arrows", "H", checkable=True),
    Command(
        "zoom_in", "&View", "Zoom &in", "Closer, in all pictures at once", "Ctrl++", icon="zoom-in", after_line=True
    ),
    Command("zoom_out", "&View", "Zoom &out", "Farther, in all pictures at once", "Ctrl+-", icon="zoom-out"),
    Command("zoom_fit", "&View", "&Fit", "The whole picture in every cell", "Ctrl+0", icon="maximize"),
    Command(
        "panel_source",
        "&View",
        "&Source panel",
        "Fold the panel at the left",
        "F2",
        icon="panel-left",
        checkable=True,
        after_line=True,
    ),
    Command(
        "panel_statistics",
        "&View",
        "S&tatistics panel",
        "Fold the panel at the right",
        "F3",
        icon="panel-right",
        checkable=True,
    ),
    Command("inspect", "&View", "&Inspect pixel", "What the noise of a pixel is made of: point at it", "I"),
    Command(
        "panel_timeline",
        "&View",
        "Timeline cu&rves",
        "Fold the timeline at the bottom",
        "F4",
        icon="panel-bottom",
        checkable=True,
    ),
    Command("full_screen", "&View", "F&ull screen", "The whole screen for Noisescope", "F11", checkable=True),
    Command("theme_system", "&View", "&System", "Dark or light as the system is", checkable=True, icon="monitor"),
    Command("theme_dark", "&View", "&Dark", "Dark", checkable=True, icon="moon"),
    Command("theme_light", "&View", "&Light", "Light", checkable=True, icon="sun"),
    Command("play", "&Play", "&Play", "Play the frames that are computed", hint="Space", icon="play", checkable=True),
    Command("next", "&Play", "&Next frame", "One frame on", hint="Right", icon="step-forward"),
    Command("previous", "&Play", "&Previous frame", "One frame back", hint="Left", icon="step-back"),
    Command("first", "&Play", "&First frame", "To the start of the clip", hint="Home", icon="skip-back"),
    Command("last", "&Play", "&Last frame", "To the end of the clip", hint="End", icon="skip-forward"),
    Command("loop_start", "&Play", "Loop from &here", "The loop starts at this frame", "[", after_line=True),
    Command("loop_end", "&Play", "Loop &to here", "The loop ends at this frame", "]"),
    Command("loop_off", "&Play", "&Whole clip", "Play all frames again", "\\", icon="repeat"),
    Command(
        "background",
        "&Play",
        "&Compute ahead",
        "Compute the other frames while nothing else is to do",
        checkable=True,
        after_line=True,
    ),
    Command(
        "experiments",
        "E&xperiments",
        "&Experiments and their runs …",
        "Run an experiment, and see how far the runs are and what they found",
        "Ctrl+Shift+X",
        icon="activity",
    ),
    Command("experiments_all", "E&xperiments", "Run &all …", "Every experiment, and one page that links their reports"),
    Command("shortcuts", "&Help", "&Shortcuts", "All keys and gestures on one page", "F1", icon="keyboard"),
    Command("log", "&Help", "Open &log folder", "Where the details of unexpected errors are written"),
    Command("about", "&Help", "&About Noisescope", "Versions, licences and sources", icon="info", after_line=True),
)

GESTURES = (
    ("Wheel over a picture", "zoom, in all pictures at once"),
    ("Drag a picture", "pan, in all pictures at once"),
    ("Click a picture while the page Pixel is open", "what the noise of that pixel is made of; arrow keys go on"),
    ("Double click a picture", "4 × at that place, and back"),
    ("Drag the mark at a picture's edge, or Shift-drag", "choose the line that the x-t slice shows"),
    ("Click or drag in an x-t slice", "go to that frame"),
    ("Click a column's head", "its reference, mode, γ, order, removal"),
    ("Drag a column's head", "another order"),
    ("Drop a file on the window", "open it: video, picture, flow or session"),
)


def build(window: QMainWindow, slots: Mapping[str, Callable[..., None]]) -> dict[str, QAction]:
    """Make every action and fill the menu bar. A command without a slot is a menu of its own (recent, restore)."""
    actions: dict[str, QAction] = {}
    menus: dict[str, QMenu] = {}
    for command in COMMANDS:
        menu = menus.get(command.menu)
        if menu is None:
            menu = menus[command.menu] = window.menuBar().addMenu(command.menu)
            menu.setToolTipsVisible(True)
        if command.after_line:
            menu.addSeparator()
        if command.name.startswith("theme_"):
            if "themes" not in menus:
                menus["themes"] = menu.addMenu("The&me")
            menu = menus["themes"]
        if command.name not in slots:
            action = menu.addMenu(QMenu(command.text, window))
        else:
            text = command.text + (f"\t{command.hint}" if command.hint else "")
            action = QAction(text, window)
            action.setCheckable(command.checkable)
            action.triggered.connect(slots[command.name])
            menu.addAction(action)
        action.setObjectName(command.name)
        if command.keys:
            action.setShortcut(QKeySequence(command.keys))
        keys = command.hint or command.keys
        action.setToolTip(f"{command.tip} ({keys})" if keys else command.tip)
        action.setStatusTip("")
        action.setIconVisibleInMenu(True)
        actions[command.name] = action
    return actions


def menu_of(window: QMainWindow, title: str) -> QMenu:
    """The menu of that title, for entries that are known later."""
    for action in window.menuBar().actions():
        menu = action.menu()
        if isinstance(menu, QMenu) and menu.title() == title:
            return menu
    raise KeyError(title)


def set_theme(actions: Mapping[str, QAction], colours: theme.Theme) -> None:
    """Give the actions their icons in these colours."""
    for command in COMMANDS:
        if command.icon:
            actions[command.name].setIcon(theme.icon(command.icon, colours))


def shortcut_page() -> str:
    """All keys and gestures as HTML."""
    parts = []
    for title in dict.fromkeys(command.menu for command in COMMANDS):
        rows = [
            f"<tr><td width='110'>{_strong(command.keys or command.hint)}</td><td>{command.tip}</td></tr>"
            for command in COMMANDS
            if command.menu == title and (command.keys or command.hint)
        ]
        if rows:
            parts.append(f"<p>{_strong(title.replace('&', ''))}</p><table cellpadding='2'>{''.join(rows)}</table>")
    rows = [f"<tr><td>{_strong(gesture)}</td><td>{effect}</td></tr>" for gesture, effect in GESTURES]
    parts.append(f"<p>{_strong('In the pictures')}</p><table cellpadding='2'>{''.join(rows)}</table>")
    return "".join(parts)


def _strong(text: str) -> str:
    """Text in the weight of the bundled typeface; <b> would ask for one it lacks, and get it smeared."""
    return f"<span style='font-weight: 600'>{text}</span>"
