"""Fills the gallery of bundled samples: at once with those that have a thumbnail, with the others' as they are computed."""

from __future__ import annotations

from functools import partial

from app.model import samples
from app.model.catalogue import Sample
from app.views.source.panel import SourcePanel
from app.worker.dispatch import Dispatch


def fill_gallery(source: SourcePanel, dispatch: Dispatch) -> None:
    """Have the worker find the samples, and compute what is missing when nothing else is to do."""

    def show(bundled: list[Sample]) -> None:
        source.set_samples(bundled)
        for sample in bundled:
            if sample.picture is None:
                computed = partial(samples.scene_thumbnail, sample)
                shown = partial(source.gallery.set_picture, sample)
                dispatch.ask(lambda _, computed=computed: computed(), shown, hurry=False)  # type: ignore[misc]

    dispatch.ask(lambda _: samples.bundled(), show)
