"""What the tests let through: a random sample of small changes to the core (mutants), and the share that the quick tests find.

    python -m venv --system-site-packages /tmp/mutation && /tmp/mutation/bin/pip install "mutmut==3.8.*"
    nice /tmp/mutation/bin/python -m tests.mutation /tmp/mutants --sample 500 --seed 12
    nice /tmp/mutation/bin/python -m tests.mutation /tmp/mutants --again /tmp/before.json

The changes are mutmut's (`[tool.mutmut]` in pyproject.toml says where and which tests look for them), drawn from each file in
proportion to how many it has, two a file at least. Left out are those that only alter a sentence for people. Everything runs in
a copy of the repository in the folder given, which keeps mutmut's findings. `result.json` there says what became of each
mutant, and `survivors.txt` shows those that were not found. `--again` takes the sample of such a result and runs those that
were not found, now that there are more tests; the others stay found. Changes are told by function and by what they change, so
that it is the same sample while those functions stay as they are.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import json
import os
import random
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import asdict, dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

AREAS = ("gpu/noise", "gpu/flow", "gpu/priors", "gpu/metrics")

OUTCOMES = {0: "survived", 1: "killed", 3: "killed", 33: "no test", -24: "timeout", 24: "timeout", 36: "timeout"}
"""By mutmut's exit code; what is not here is a crash, which is found as well."""


@dataclass
class Mutant:
    """One change: mutmut's name for it, its file, what it changes (a diff of the function) and what became of it."""

    name: str
    file: str
    change: str
    outcome: str = ""

    @property
    def found(self) -> bool:
        """Whether a test failed, crashed or never ended."""
        return self.outcome not in ("", "not run", "survived", "no test")


def copy_repository(work: Path) -> None:
    """The files that git knows or would add, as they are now, in `work`; what was there of other files goes."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"], cwd=ROOT, check=True, capture_output=True
    ).stdout
    names = [name for name in listed.decode().split("\0") if name and (ROOT / name).is_file()]
    for folder in ("app", "gpu", "tests", "mutants"):
        shutil.rmtree(work / folder, ignore_errors=True)
    for name in names:
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, work / name)


def mutmut(work: Path, names: list[str]) -> None:
    """Run mutmut on the mutants of these names."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "QT_QPA_PLATFORM": "offscreen"}
    with (work / "mutmut.log").open("ab") as log:
        subprocess.run(
            [sys.executable, "-c", "from mutmut.__main__ import cli; cli()", "run", "--max-children", "2", *names],
            cwd=work, env=environment, stdout=log, stderr=log, check=False,
        )  # fmt: skip


def without_sentences(function: ast.AST) -> str:
    """The function's tree, with every text that has a space in it (what people read) made empty."""
    tree = ast.parse(ast.unparse(function))
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and " " in node.value:
            node.value = ""
        if isinstance(node, ast.FunctionDef):
            node.name = ""
    return ast.dump(tree)


def mutants_of(work: Path, file: str) -> list[Mutant]:
    """All mutants of one file that change more than a sentence."""
    path = work / "mutants" / file
    names = json.loads(path.with_name(path.name + ".meta").read_text())["exit_code_by_key"]
    functions = {
        node.name: node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef) and "__mutmut_" in node.name
    }
    found = []
    for name in names:
        own = name.rsplit(".", 1)[1]
        changed, before = functions[own], functions[own.rsplit("_", 1)[0] + "_orig"]
        if without_sentences(changed) == without_sentences(before):
            continue
        lines = [ast.unparse(node).splitlines()[1:] for node in (before, changed)]
        diff = list(difflib.unified_diff(*lines, n=0, lineterm=""))[2:]
        called = own.rsplit("__mutmut_", 1)[0]
        found.append(Mutant(name, file, "\n".join([called, *(line for line in diff if line[:2] != "@@")])))
    return found


def drawn(mutants: list[Mutant], count: int, seed: int) -> list[Mutant]:
    """About `count` of them, from each file in proportion, two at least where there are two."""
    by_file: dict[str, list[Mutant]] = defaultdict(list)
    for mutant in mutants:
        by_file[mutant.file].append(mutant)
    chosen = []
    for file, own in sorted(by_file.items()):
        share = max(min(2, len(own)), round(count * len(own) / len(mutants)))
        chosen += random.Random(f"{seed} {file}").sample(own, share)
    return chosen


def judge(work: Path, mutants: list[Mutant]) -> None:
    """Note what became of each."""
    for file in {mutant.file for mutant in mutants}:
        path = work / "mutants" / (file + ".meta")
        codes = json.loads(path.read_text())["exit_code_by_key"]
        for mutant in mutants:
            if mutant.file == file:
                code = codes[mutant.name]
                mutant.outcome = "not run" if code is None else OUTCOMES.get(code, f"crash ({code})")


def table(mutants: list[Mutant]) -> str:
    """Share found, by area and by file."""
    lines = [f"{'':44} mutants  found  share"]
    groups = [(area, [m for m in mutants if m.file.startswith(area)]) for area in AREAS]
    groups += [(f"  {file}", [m for m in mutants if m.file == file]) for file in sorted({m.file for m in mutants})]
    for title, own in [*groups, ("all", mutants)]:
        found = sum(mutant.found for mutant in own)
        if own:
            lines.append(f"{title:44} {len(own):7} {found:6} {found / len(own):6.1%}")
    counted = Counter(mutant.outcome for mutant in mutants)
    return "\n".join([*lines, ", ".join(f"{outcome}: {n}" for outcome, n in counted.most_common())])


def main() -> None:
    """Copy, draw, run, report."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("work", type=Path, help="folder for the copy and the findings")
    parser.add_argument("--sample", type=int, default=500, help="about how many mutants (default 500)")
    parser.add_argument("--seed", type=int, default=12)
    parser.add_argument("--again", type=Path, help="result.json of an earlier run: the same changes once more")
    options = parser.parse_args()
    work: Path = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    copy_repository(work)
    mutmut(work, ["no mutant of this name"])  # makes the mutants, and notes which tests run which function
    files = sorted(
        str(path.relative_to(work / "mutants"))[: -len(".meta")] for path in (work / "mutants/gpu").rglob("*.meta")
    )
    everything = [mutant for file in files for mutant in mutants_of(work, file)]
    if options.again:
        wanted = [Mutant(**kept) for kept in json.loads(options.again.read_text())]
        there = {(mutant.file, mutant.change): mutant for mutant in everything}
        chosen = []
        for mutant in wanted:
            now = there.get((mutant.file, mutant.change))
            if now is not None:
                chosen.append(replace(now, outcome=mutant.outcome))
        print(f"{len(wanted) - len(chosen)} of {len(wanted)} changes are of functions that are no longer as they were.")
    else:
        chosen = drawn(everything, options.sample, options.seed)
    asked = [mutant for mutant in chosen if not mutant.found]
    print(f"{len(asked)} of {len(everything)} mutants to run, {len(chosen)} in the sample", flush=True)
    mutmut(work, [mutant.name for mutant in asked])
    judge(work, asked)
    (work / "result.json").write_text(json.dumps([asdict(mutant) for mutant in chosen], indent=1))
    survivors = [f"{m.outcome}: {m.name}\n{m.change}\n" for m in chosen if not m.found]
    (work / "survivors.txt").write_text("\n".join(survivors))
    print(table(chosen))


if __name__ == "__main__":
    main()
