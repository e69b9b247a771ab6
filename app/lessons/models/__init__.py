"""The lessons, one file each: functions from settings to scenes, made of gpu/ and nothing of Qt. The registry is LESSONS.

Looking into the registry imports torch, which takes seconds: the window does it in the lessons' thread, and takes titles
from the texts (app.lessons.compute.texts) until then. A whole lesson, in a file of its own in this folder, waves.py:

    \"""Lesson 11: a wave that one pushes along.\"""

    from __future__ import annotations

    from collections.abc import Iterator

    import numpy as np

    from app.lessons.compute.lesson import Lesson, Running, Settings, Step, number
    from app.lessons.compute.scene import Curve, Panel, Scene
    from app.lessons.models import LESSONS

    TEXT = r\"""# 11. Waves

    What a phase does.

    ## Push it

    The wave is $\\sin(x + \\varphi)$. Move the slider.

    ## Mathematics

    $\\sin(x + 2\\pi) = \\sin x$.

    ## Exercises

    Where is the first maximum?

    ## Source

    Any book on analysis.
    \"""


    def push(settings: Settings) -> Iterator[Scene]:
        x = np.linspace(0, 10, 200)
        curve = Curve(x, np.sin(x + number(settings, "phase")), "accent")
        panel = Panel("wave", "A wave", (curve,), "x", "height", (0, 10), (-1.1, 1.1))
        yield Scene(((panel,),), caption="The same wave, a little further.")


    LESSONS.add("waves", order=11)(
        Lesson((Running("phase", "Phase", 0, 0, 6.3, 0.1),), (Step("Push it", push, ("phase",), "phase", draws=False),))
    )

The name is the file's, with hyphens; `order` is the number in the title. TEXT is indented in this example only. A text that is
to be read on the repository's pages too stands in assets/lessons/11-waves.md instead.
"""

from __future__ import annotations

from app.lessons.compute.lesson import Lesson
from gpu.registry import Registry

LESSONS: Registry[Lesson] = Registry("lesson", "app.lessons.models")
