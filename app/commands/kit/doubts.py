"""Says on stderr what speaks against believing a source, before any number of it is printed."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpu.engine import Engine


def tell(engine: Engine) -> dict[str, list[str]]:
    """Print warnings and notes about the source and its motion (gpu.source.trust) on stderr; the same as `--json` holds."""
    findings = engine.judged()
    for warning in findings.warnings:
        print(f"noisescope: warning: {warning}", file=sys.stderr)
    for note in findings.notes:
        print(f"noisescope: {note}", file=sys.stderr)
    return {"warnings": list(findings.warnings), "notes": list(findings.notes)}
