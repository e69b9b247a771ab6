"""`noisescope warp`: carry noise along a motion and write it to a file."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path

from app.commands import COMMANDS, Command, Parser
from app.commands.kit import options as shared


def configure(parser: Parser) -> None:
    shared.add_source(parser)
    shared.add_noise(parser)
    shared.add_field_memory(parser)
    group = parser.add_argument_group("what is written")
    group.add_argument(
        "--prior", metavar="NAME[:k=v,…]", help="the noise prior (default: the only one of --session, else integral)"
    )
    group.add_argument(
        "--out", metavar="F", type=Path, required=True, help="a file of noise; its ending says the format"
    )
    group.add_argument(
        "--axes", metavar="TCHW", help="order of the axes, where the format leaves the choice (default TCHW)"
    )
    group.add_argument(
        "--workers",
        metavar="N",
        type=int,
        default=0,
        help="processes that make frames, where a prior's frames do not need each other; the file is the same "
        "(default: as many as there are processors, where the clip is worth starting them)",
    )
    group.add_argument("--json", action="store_true", help="say what was written as JSON on stdout")
    parser.names = lambda: shared.choices_text("priors", "deformations", "estimators", "formats")


def run(arguments: argparse.Namespace) -> int:
    from app import export
    from app.commands.kit import doubts
    from app.commands.kit.progress import finish
    from app.export.kit import axes
    from app.export.kit.noise_reading import described_in
    from gpu.files import check_file
    from gpu.session import TaskSettings
    from gpu.source.inputs import check_outputs

    form = export.format_for(arguments.out, "noise")
    check_file(arguments.out)
    order = (arguments.axes or export.FORMATS.get(form).axes).upper()
    axes.check(order, 1)
    session = shared.session(arguments, [arguments.prior] if arguments.prior else [], TaskSettings())
    if not arguments.prior and (arguments.session is None or len(session.priors) != 1):
        session = shared.session(arguments, ["integral"], TaskSettings())

    check_outputs(session, [arguments.out, described_in(arguments.out)], [arguments.session])

    from gpu.engine import Engine

    engine = Engine(session)
    try:
        told = doubts.tell(engine)
        key = session.priors[0].key
        options = export.ExportOptions(axes=order, workers=arguments.workers)
        planned = export.plan(engine, form, key, arguments.out, options)
        if not arguments.json:
            print(f"Writing {planned.text}")
        report = finish(export.write(engine, form, key, arguments.out, options), f"warp {key}")
        info = engine.info
    finally:
        engine.close()
    white = report.whiteness
    assert white is not None
    if arguments.json:
        print(
            json.dumps(
                {
                    "out": str(arguments.out),
                    "bytes": report.size,
                    "shape": list(planned.shape),
                    "axes": planned.axes,
                    "prior": key,
                    "motion": info.motion,
                    "backend": info.backend,
                    "white": white.verdict.ok,
                    "verdict": white.verdict.text,
                    **told,
                    "session": dataclasses.asdict(session),
                },
                indent=2,
                default=dict,
            )
        )
    else:
        print(f"Wrote {arguments.out} ({info.title}; {info.motion}, {info.backend}). Read back: {white.verdict.text}.")
    return 0


COMMANDS.add("warp", order=10)(
    Command(
        "Carry noise along a motion and write it to a file.",
        configure,
        run,
        "a file of noise, of one of the formats below",
    )
)
