"""Opens what the source settings describe: the one entry to every kind of source."""

from __future__ import annotations

from gpu.assets import asset
from gpu.errors import ChoiceError
from gpu.session import SourceSettings
from gpu.source import Source

BUNDLED_CLIP = "clips/bunny.mp4"


def open_source(settings: SourceSettings) -> Source:
    """The source of `settings`, of the size and range they ask for; an empty video path is the bundled clip.

    ClipError, SizeError or FlowError says what is wrong with a file or a number. To be closed when done with.

    >>> from gpu.session import SourceSettings
    >>> settings = SourceSettings("synthetic", name="translation", height=48, frames=5, parameters={"dx": 2.0, "dy": 0.5})
    >>> source = open_source(settings)
    >>> source.frames, source.frame(0).shape, source.frame(0).dtype
    (5, (48, 64, 3), dtype('uint8'))
    >>> source.truth.backward(0)[0, 0]  # what moves to the right was further left before
    array([-2. , -0.5], dtype=float32)
    >>> source.close()
    """
    # Each kind is imported where it is used: opening a clip needs neither the deformations nor the flow files.
    if settings.kind == "video":
        from gpu.source.footage.video import VideoSource

        return _filmed(VideoSource(settings, settings.path or asset(BUNDLED_CLIP)), settings)
    if settings.kind == "images":
        from gpu.source.footage.image_sequence import ImagesSource

        return _filmed(ImagesSource(settings), settings)
    if settings.kind == "synthetic":
        from gpu.source.synthetic.source import open_synthetic

        return open_synthetic(settings)
    if settings.kind == "flow":
        from gpu.source.flow_file.source import open_flow

        return open_flow(settings)
    if settings.kind == "scene":
        from gpu.source.scenes import open_scene

        return open_scene(settings)
    raise ChoiceError(
        f"There is no source kind named {settings.kind!r}. Choose one of: video, images, synthetic, flow, scene."
    )


def _filmed(film: Source, settings: SourceSettings) -> Source:
    """`film`, with its motion from a flow file where the settings name one."""
    if not settings.flow_path:
        return film
    from gpu.source.flow_file.filmed import FilmedSource

    return FilmedSource(film, settings)
