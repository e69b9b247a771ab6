"""Options of a flow file: where it lies and what its names and values leave open, as source settings."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path
from typing import Any

from gpu.errors import SessionError
from gpu.session import SourceSettings

OWN = ("forward", "flow_direction", "flow_axes", "flow_sign", "flow_layout", "flow_units", "key")
"""What says something of a flow file."""


def add(group: argparse._ArgumentGroup) -> None:
    """--flow and what belongs to it."""
    group.add_argument(
        "--flow",
        metavar="F",
        type=Path,
        help="a flow file (.npy, .npz, .pt, .safetensors, .flo, .flo5, .pfm, .exr, KITTI .png), a folder of them, or a "
        "pattern: alone with --still, or the motion of --video or --images",
    )
    group.add_argument("--forward", metavar="F", type=Path, help="the forward flow that belongs to --flow")
    group.add_argument(
        "--flow-direction",
        choices=("auto", "backward", "forward"),
        help="what the file of --flow holds, where no name in it says so (default auto: backward)",
    )
    group.add_argument("--flow-axes", choices=("xy", "yx"), help="order of its components")
    group.add_argument("--flow-sign", type=int, choices=(1, -1), help="-1 turns its vectors around")
    group.add_argument(
        "--flow-units",
        choices=("auto", "pixels", "normalised", "fraction"),
        help="whether its vectors are in pixels, or measure the frame from -1 to 1 or from 0 to 1 (default auto: as its "
        "format or its values tell)",
    )
    group.add_argument(
        "--flow-layout",
        metavar="THWC",
        help="order of its axes: T steps, C components, H rows, W columns, B an axis of length 1 (default: as its shape tells)",
    )
    group.add_argument(
        "--key", metavar="NAME", help="the array to take of a file that holds several; U,V for components apart"
    )


def check(arguments: argparse.Namespace) -> None:
    """SessionError when options speak of a flow file that is not there, or no source of frames is named."""
    given = [name for name in OWN if getattr(arguments, name) is not None]
    if given and arguments.flow is None and arguments.session is None:
        raise SessionError(f"--{given[0].replace('_', '-')} says something of a flow file, but there is no --flow.")
    others = [name for name in ("synthetic", "scene") if getattr(arguments, name) is not None]
    if arguments.flow is not None and others:
        raise SessionError(f"--{others[0]} has its own motion, so --flow cannot stand beside it.")


def applied(arguments: argparse.Namespace, source: SourceSettings) -> SourceSettings:
    """`source` with what the options say of its flow file. SessionError where it has none."""
    changes: dict[str, Any] = {
        "flow_path": arguments.flow and str(arguments.flow),
        "forward_path": arguments.forward and str(arguments.forward),
        "flow_direction": arguments.flow_direction,
        "flow_axes": arguments.flow_axes,
        "flow_sign": arguments.flow_sign,
        "flow_units": arguments.flow_units,
        "flow_layout": arguments.flow_layout,
        "flow_key": arguments.key,
    }
    changes = {name: value for name, value in changes.items() if value is not None}
    if changes and source.kind not in ("flow", "video", "images"):
        raise SessionError(
            f"A source of the kind {source.kind} has its own motion; a flow file cannot stand beside it."
        )
    if changes and not (source.flow_path or "flow_path" in changes):
        raise SessionError("The options say something of a flow file, but the session has none; --flow names it.")
    return replace(source, **changes)
