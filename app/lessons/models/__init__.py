"""The lessons, one file each: functions from settings to scenes, made of gpu/ and nothing of Qt. The registry is LESSONS.

Looking into the registry imports torch, which takes seconds: the window does it in the lessons' thread, and takes titles
from the texts (app.lessons.compute.texts) until then.
"""

from __future__ import annotations

from app.lessons.compute.lesson import Lesson
from gpu.registry import Registry

LESSONS: Registry[Lesson] = Registry("lesson", "app.lessons.models")
