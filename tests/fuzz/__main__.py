"""The command: python -m tests.fuzz --count N [--readers A,B] [--seed S] [--record FILE] [--keep FOLDER]."""

from __future__ import annotations

import argparse
import json
import sys
import time
from importlib import metadata
from pathlib import Path

from tests.fuzz.readers import READERS
from tests.fuzz.run import BYTES, SECONDS, Outcome, run
from tests.fuzz.worker import example


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description="Broken files for every reader.")
    parser.add_argument("--count", type=int, default=1000, help="inputs over all readers together")
    parser.add_argument("--readers", default=",".join(READERS), help="which, with commas between")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first input")
    parser.add_argument("--record", type=Path, help="write what was run and what came of it, as JSON")
    parser.add_argument("--keep", type=Path, help="write inputs that failed into this folder")
    told = parser.parse_args()
    names = told.readers.split(",")
    parts = sum(READERS[name].share for name in names)
    outcomes, started = [], time.time()
    for name in names:
        count = -(-told.count * READERS[name].share // parts)
        outcomes += run([name], count, told.seed, told.first, _show)
        print()
        for number, failure in outcomes[-1].failures:
            print(f"  input {number}: {failure}")
            if told.keep:
                told.keep.mkdir(parents=True, exist_ok=True)
                suffix, data = example(READERS[name].files(), name, told.seed, number)
                (told.keep / f"{name}-{told.seed}-{number}-{suffix}").write_bytes(data)
    if told.record:
        told.record.write_text(json.dumps(_record(outcomes, time.time() - started), indent=1) + "\n", encoding="utf-8")
    failed = sum(len(outcome.failures) for outcome in outcomes)
    print(f"{sum(outcome.inputs for outcome in outcomes)} inputs, {failed} failures, {time.time() - started:.0f} s")
    return 1 if failed else 0


def _show(outcomes: list[Outcome]) -> None:
    (outcome,) = outcomes
    print(
        f"\r{outcome.reader:>10}: {outcome.inputs} inputs, {outcome.read} read, {outcome.refused} refused, "
        f"{len(outcome.failures)} failed; at most {outcome.slowest:.1f} s and {outcome.largest / 1e6:.0f} MB",
        end="",
        flush=True,
    )


def _record(outcomes: list[Outcome], seconds: float) -> dict[str, object]:
    packages = ("numpy", "torch", "safetensors", "av", "opencv-python", "pillow", "openimageio")
    versions = {}
    for name in packages:
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return {
        "date": time.strftime("%Y-%m-%d"),
        "limits": {"seconds": SECONDS, "bytes": BYTES},
        "versions": versions,
        "inputs": sum(outcome.inputs for outcome in outcomes),
        "seconds": round(seconds),
        "readers": [outcome.as_json() for outcome in outcomes],
    }


if __name__ == "__main__":
    sys.exit(main())
