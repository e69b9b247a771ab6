"""The one place that imports OpenCV: quiet, and without its Qt plugin path, which would make PySide6 abort."""

from __future__ import annotations

import os

# FFmpeg's and OpenCV's own complaints on stderr would stand beside the sentence the user is given; -8 is AV_LOG_QUIET.
os.environ.setdefault("OPENCV_LOG_LEVEL", "SILENT")
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

_qt_settings = {name: os.environ.get(name) for name in ("QT_QPA_PLATFORM_PLUGIN_PATH", "QT_QPA_FONTDIR")}

import cv2  # noqa: E402

# opencv-python on Linux points Qt at plugins of its own, with which PySide6 aborts. What the user had set comes back.
for _name, _value in _qt_settings.items():
    if _value is None:
        os.environ.pop(_name, None)
    else:
        os.environ[_name] = _value

__all__ = ["cv2"]
