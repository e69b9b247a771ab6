"""The manifest of a batch: a table (CSV) with a row for each clip, whose columns are called as the options of `warp` are.

    name,video,synthetic,prior,size,frames,seed,format
    walk,clips/walk.mp4,,integral,256x384,48,7,npz
    turn,,rotation:degrees=2,bilinear:mode=chained,256x256,,8,safetensors

An empty cell is an option that is not given. `source` may stand for `video`, `images`, `synthetic`, `scene` or `flow`.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NoReturn

from app.commands import Parser
from app.commands.kit import options as shared
from gpu.errors import NoisescopeError, OutputError, SessionError
from gpu.files import check_regular
from gpu.plain_json import shown
from gpu.session import Session, TaskSettings

MOST_BYTES = 16 << 20
MOST_ROWS = 100_000
MOST_SAID = 8  # rows that a sentence names
MOST_LETTERS = 300  # of what is said of one of them
LONGEST_NAME = 150  # bytes of a result's name

PLACES = ("video", "images", "still", "flow", "forward", "session")
"""Columns that name files, which are looked for beside the manifest, and then from where one stands."""

KINDS = ("video", "images", "synthetic", "scene", "flow")
FLOWS = (".flo", ".flo5", ".npy", ".npz", ".pt", ".pfm", ".safetensors")
PICTURES = (".png", ".jpg", ".jpeg", ".exr", ".tif", ".tiff", ".webp", ".hdr", ".bmp")


@dataclass(frozen=True)
class Row:
    """One clip: its `number` as spreadsheets count rows (the heading is row 1), the name of its file, and what makes it."""

    number: int
    name: str
    form: str
    axes: str
    session: Session

    @property
    def key(self) -> str:
        """The column of its session."""
        return self.session.priors[0].key


class _RowParser(Parser):
    """Options of a row: what is wrong with them is raised."""

    def error(self, message: str) -> NoReturn:
        raise SessionError(" ".join(message.split()).replace("argument --", "column "))


def _parser() -> _RowParser:
    parser = _RowParser(prog="batch", add_help=False, allow_abbrev=False)
    shared.add_source(parser)
    shared.add_noise(parser)
    parser.add_argument("--prior")
    parser.add_argument("--axes")
    return parser


def columns() -> list[str]:
    """The names of the columns that a manifest may have."""
    options = [option[2:] for action in _parser()._actions for option in action.option_strings]
    options = ["estimator-preset" if name == "preset" else name for name in options]
    return ["name", "source", *options, "format", "preset"]


def read(path: Path) -> list[Row]:
    """The rows of the manifest at `path`. SessionError when it cannot be read, or when rows are wrong: it names them."""
    heading, cells = _table(path)
    parser, rows, problems = _parser(), list[Row](), list[str]()
    for number, values in cells:
        try:
            if len(values) > len(heading) and any(values[len(heading) :]):
                raise SessionError(f"it has {len(values)} cells, but there are {len(heading)} columns")
            given = {name: text.strip() for name, text in zip(heading, values) if text.strip()}
            rows.append(_row(path, number, len(cells), given, parser))
        except NoisescopeError as problem:
            problems.append(f"row {number}: {_short(str(problem).rstrip('.'), MOST_LETTERS)}.")
    problems += _twice(rows)
    if problems:
        more = len(problems) - MOST_SAID
        said = " ".join(problems[:MOST_SAID]) + (f" And {more} more." if more > 0 else "")
        raise SessionError(f"The manifest {path} cannot be followed; {said}")
    if not rows:
        raise SessionError(f"The manifest {path} has no row below its heading: there is nothing to make.")
    return rows


def _table(path: Path) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The names of the columns, and the rows that are not empty with their numbers."""
    check_regular(path, "a table of clips (CSV)", SessionError)
    try:
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise SessionError(
                f"The manifest {path} is larger than {MOST_BYTES >> 20} MB; a table of clips was expected."
            )
        text = data.decode("utf-8-sig")
    except OSError as problem:
        raise SessionError(
            f"The manifest {path} cannot be read: {(problem.strerror or str(problem)).lower()}."
        ) from None
    except UnicodeDecodeError:
        raise SessionError(
            f"The manifest {path} is no text (UTF-8); a table with commas between its cells was expected."
        ) from None
    first = text.partition("\n")[0]
    between = max(",;\t", key=first.count)  # spreadsheets write what is usual where one lives
    try:
        table = list(csv.reader(text.splitlines(keepends=True), delimiter=between, strict=True))
    except csv.Error as problem:
        raise SessionError(f"The manifest {path} is no table (CSV): {problem}.") from None
    if not table or not any(cell.strip() for cell in table[0]):
        raise SessionError(f"The manifest {path} is empty; a row with the names of the columns was expected.")
    if len(table) > MOST_ROWS:
        raise SessionError(f"The manifest {path} has {len(table)} rows; at most {MOST_ROWS} are read.")
    return _heading(path, table[0]), [
        (number, row) for number, row in enumerate(table[1:], start=2) if any(cell.strip() for cell in row)
    ]


def _heading(path: Path, cells: Sequence[str]) -> list[str]:
    names = [cell.strip().lower().lstrip("-").replace("_", "-") for cell in cells]
    while names and not names[-1]:  # commas at the end of each line
        names.pop()
    names = ["name" if name == "out" else name for name in names]
    allowed = columns()
    for index, name in enumerate(names):
        if name not in allowed:
            called = f"called {shown(cells[index].strip())}" if name else "without a name"
            raise SessionError(
                f"The manifest {path} has a column {called}, which is not known; columns are {', '.join(allowed)}."
            )
        if name in names[:index]:
            raise SessionError(f"The manifest {path} has two columns called {name!r}.")
    return names


def _row(path: Path, number: int, count: int, given: dict[str, str], parser: _RowParser) -> Row:
    if "preset" in given:
        raise SessionError(
            f"the preset {given['preset']!r} cannot be followed: presets of models are not there yet; leave the cell empty, "
            "and say size and channels (a flow estimator's preset stands in the column estimator-preset)"
        )
    if "source" in given:
        kind, value = _source(path.parent, given.pop("source"))
        if kind in given:
            raise SessionError(f"it has both a source and {'an' if kind == 'images' else 'a'} {kind}")
        given[kind] = value
    name, form = given.pop("name", ""), given.pop("format", "")
    if "estimator-preset" in given:
        given["preset"] = given.pop("estimator-preset")
    for place in PLACES:
        if place in given:
            given[place] = _found(path.parent, given[place])
    arguments = parser.parse_args([f"--{option}={value}" for option, value in given.items()])
    session = _session(arguments)
    form, suffix = _format(name, form)
    if not name:
        about = session.source.name or Path(session.source.path or session.source.flow_path).stem or session.source.kind
        label = re.sub(r"[^\w.-]+", "-", f"{about[:60]}-{session.priors[0].name}").strip("-.")
        name = f"{number - 1:0{len(str(count))}d}-{label}"
    if not name.lower().endswith(suffix):
        name += suffix
    _check_name(name)
    return Row(number, name, form, _axes(form, arguments.axes), session)


def _session(arguments: argparse.Namespace) -> Session:
    """As `warp` makes it of the same options."""
    session = shared.session(arguments, [arguments.prior] if arguments.prior else [], TaskSettings())
    if not arguments.prior and (arguments.session is None or len(session.priors) != 1):
        session = shared.session(arguments, ["integral"], TaskSettings())
    return replace(session, view={})


def _source(folder: Path, text: str) -> tuple[str, str]:
    """A column and its value of what a source is called: KIND:VALUE, a deformation or scene with its values, or a file."""
    from gpu.source.deformations import DEFORMATIONS
    from gpu.source.scenes import SCENES

    kind, colon, value = text.partition(":")
    if colon and kind in KINDS:
        return kind, value
    if kind in DEFORMATIONS:
        return "synthetic", text
    if kind in SCENES:
        return "scene", text
    place = Path(_found(folder, text))
    if place.suffix.lower() in FLOWS:
        return "flow", text
    if os.path.isdir(place) or place.suffix.lower() in PICTURES or re.search(r"[%#*\[]", text):
        return "images", text
    return "video", text


def _found(folder: Path, text: str) -> str:
    """The absolute path of what a cell names, or the pattern of such."""
    for base in (folder, Path()):
        with suppress(OSError, ValueError):  # no name that a file can have: said when it is opened
            if (base / text).exists():
                return str((base / text).absolute())
    return str((folder / text).absolute())


def _format(name: str, form: str) -> tuple[str, str]:
    """The name of the format and the ending of its files."""
    from app.export import FORMATS

    suffixes = {each: entry.suffix for each, entry in FORMATS.items() if entry.kind == "noise"}
    ending = Path(name).suffix.lower()
    ending = ending if ending in suffixes.values() else ""
    wanted = form.lower().lstrip(".")
    if form and wanted not in suffixes and f".{wanted}" not in suffixes.values():
        raise SessionError(f"there is no format {form!r} for noise; choose one of {', '.join(suffixes)}")
    suffix = suffixes.get(wanted) or (f".{wanted}" if wanted else ending or ".npz")
    if ending and ending != suffix:
        raise SessionError(f"the name {name!r} ends in {ending}, but the format is {form}")
    return next(each for each in suffixes if suffixes[each] == suffix), suffix


def _axes(form: str, asked: str | None) -> str:
    from app.export import FORMATS
    from app.export.kit import axes

    entry = FORMATS.get(form)
    order = (asked or entry.axes).upper()
    axes.check(order, 1)
    if "axes" not in entry.options and order != entry.axes:
        raise OutputError(f"a {entry.suffix} file has the axis order {entry.axes}, not {order}")
    return order


def _check_name(name: str) -> None:
    """SessionError for a name that is none of a file within the folder of results."""
    if re.search(r'[/\\:*?"<>|\x00-\x1f]', name) or name.startswith((".", "-")):
        raise SessionError(f"the name {name!r} is no plain name of a file; write it without folders and signs")
    if len(name.encode("utf-8", "surrogateescape")) > LONGEST_NAME:
        raise SessionError(f"the name {name[:40]!r}… has more than {LONGEST_NAME} bytes")


def _short(text: str, letters: int) -> str:
    """The text, without what is beyond so many letters."""
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _twice(rows: list[Row]) -> Iterator[str]:
    """Sentences on rows that would write the same file, on systems that do not tell capitals from small letters too."""
    owner: dict[str, Row] = {}
    for row in rows:
        other = owner.setdefault(row.name.casefold(), row)
        if other is not row:
            yield f"row {row.number}: its file {row.name} is that of row {other.number} as well."
