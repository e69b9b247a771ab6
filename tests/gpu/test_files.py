"""Results are written whole or not at all, reach the disk, leave nothing of killed runs, and never mix with another run's."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from gpu import files, leftovers, locks
from gpu.errors import OutputError
from gpu.files import check_file, check_folder, check_space, holding_folder, replacing, replacing_folder

ROOT = Path(__file__).resolve().parents[2]


def _write(folder: Path, text: str) -> None:
    with replacing_folder(folder) as partial:
        (partial / "a.txt").write_text(text)
        (partial / "b").mkdir()
        (partial / "b" / "c.txt").write_text(text)


def names(folder: Path) -> list[str]:
    return sorted(os.listdir(folder))


def test_a_folder_is_made_and_written_over(tmp_path: Path) -> None:
    out = tmp_path / "out"
    _write(out, "first")
    (out / "mine.txt").write_text("mine")
    _write(out, "second")
    assert names(out) == ["a.txt", "b", "mine.txt"]
    assert (out / "b" / "c.txt").read_text() == "second"
    assert names(tmp_path) == ["out"]


@pytest.mark.parametrize("there", [True, False])
def test_what_fails_leaves_nothing(there: bool, tmp_path: Path) -> None:
    out = tmp_path / "out"
    if there:
        out.mkdir()

    def fail(partial: Path) -> None:
        (partial / "a.txt").write_text("half")
        raise OSError(28, "No space left on device")

    with pytest.raises(OutputError, match="the disk is full"), replacing_folder(out) as partial:
        fail(partial)
    assert [path for path in tmp_path.rglob("*") if path != out] == []


def test_the_current_folder_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    check_folder(Path("."))
    _write(Path("."), "here")
    assert names(Path(".")) == ["a.txt", "b"]


def test_nothing_is_put_beside_a_folder_that_is_there(tmp_path: Path) -> None:
    """It may be a disk of its own, onto which nothing can be renamed, or its parent may be another's."""
    out = tmp_path / "out"
    out.mkdir()
    with replacing_folder(out) as partial:
        assert partial.parent == out
        assert names(tmp_path) == ["out"]


def test_what_cannot_be_written_to_is_called_by_its_name() -> None:
    with pytest.raises(OutputError, match="The output /proc cannot be written"):
        check_folder(Path("/proc"))
    with pytest.raises(OutputError, match="The output /proc cannot be written"):
        _write(Path("/proc"), "nothing")
    with pytest.raises(OutputError, match="is a device or a pipe"):
        check_file(Path("/dev/null"))


def test_a_link_to_nowhere_is_found_before_the_work(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "gone")
    with pytest.raises(OutputError, match="link to nowhere"):
        check_folder(tmp_path / "link")


def test_what_a_link_leads_to_is_written(tmp_path: Path) -> None:
    """Settings kept in a folder of one's own and linked from there stay linked."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link.txt").symlink_to(tmp_path / "real" / "file.txt")
    for text in ("first", "second"):
        check_file(tmp_path / "link.txt")
        with replacing(tmp_path / "link.txt") as partial:
            partial.write_text(text)
        assert (tmp_path / "link.txt").is_symlink()
        assert (tmp_path / "real" / "file.txt").read_text() == text
    assert names(tmp_path / "real") == ["file.txt"]


# -- on the disk before it has its name


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what was put onto the disk, and of what was given its place, in order."""
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def told_fsync(descriptor: int) -> None:
        calls.append("fsync " + Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        fsync(descriptor)

    def told_replace(source: Path, target: Path) -> None:
        calls.append("replace " + Path(target).name)
        replace(source, target)

    monkeypatch.setattr(os, "fsync", told_fsync)
    monkeypatch.setattr(os, "replace", told_replace)
    return calls


@pytest.mark.skipif(sys.platform != "linux", reason="open files are named by /proc")
def test_a_file_is_on_the_disk_before_it_has_its_name(tmp_path: Path, calls: list[str]) -> None:
    with replacing(tmp_path / "a.txt") as partial:
        partial.write_text("a")
    assert calls == [f"fsync {partial.name}", "replace a.txt", f"fsync {tmp_path.name}"]


@pytest.mark.skipif(sys.platform != "linux", reason="open files are named by /proc")
def test_a_folder_is_on_the_disk_before_it_has_its_name(tmp_path: Path, calls: list[str]) -> None:
    _write(tmp_path / "out", "first")
    assert sorted(calls[:2]) == ["fsync a.txt", "fsync c.txt"]
    assert calls[-2:] == ["replace out", f"fsync {tmp_path.name}"]
    calls.clear()
    _write(tmp_path / "out", "second")
    assert sorted(calls[:2]) == ["fsync a.txt", "fsync c.txt"]
    assert calls[-3:] == ["replace a.txt", "replace b", "fsync out"]


def test_a_disk_that_is_found_full_at_last_keeps_the_earlier_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Network disks take everything and say only when asked to keep it that they could not."""
    (tmp_path / "a.txt").write_text("earlier")

    def full(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="the disk is full"), replacing(tmp_path / "a.txt") as partial:
        partial.write_text("later")
    with pytest.raises(OutputError, match="the disk is full"):
        _write(tmp_path / "out", "later")
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "earlier"


FULL = """
import resource, sys
from pathlib import Path
from typing import Any
from gpu.errors import OutputError
from gpu.files import replacing, replacing_folder
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
out = Path(sys.argv[1])
for way, name in ((replacing, "a.bin"), (replacing_folder, "out")):
    try:
        with way(out / name) as partial:
            (partial if way is replacing else partial / "b.bin").write_bytes(bytes(10000))
    except OutputError as problem:
        print(problem)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no limits on files")
def test_what_outgrows_the_room_is_said(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"earlier")
    done = subprocess.run(
        [sys.executable, "-c", FULL, tmp_path], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.count("cannot be written: file too large") == 2
    assert names(tmp_path) == ["a.bin"]
    assert (tmp_path / "a.bin").read_bytes() == b"earlier"


def test_room_is_asked_for_where_the_result_will_lie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path] = []

    class Usage:
        free = 1000

    def usage(path: Path) -> Usage:
        asked.append(Path(path))
        return Usage()

    monkeypatch.setattr(files.shutil, "disk_usage", usage)
    (tmp_path / "disk").mkdir()
    for path, folder in ((tmp_path / "disk", tmp_path / "disk"), (tmp_path / "new.npz", tmp_path)):
        check_space(path, 1000)
        with pytest.raises(OutputError, match=r"needs about 1e\+03 bytes|needs about 1 kB"):
            check_space(path, 1001)
        assert asked[-1] == folder


# -- what is taken away meanwhile


def test_a_folder_replaced_by_a_file_meanwhile_is_said(tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()

    def lose(partial: Path) -> None:
        (partial / "a.txt").write_text("a")
        files.shutil.rmtree(out)
        out.write_text("somebody else's")
        raise RuntimeError("the encoder cannot open its file")  # as libraries put it

    with pytest.raises(OutputError, match="out was taken away or replaced"), replacing_folder(out) as partial:
        lose(partial)
    assert out.read_text() == "somebody else's"
    assert names(tmp_path) == ["out"]
    with pytest.raises(OutputError, match="cannot be written"), replacing_folder(tmp_path / "new"):
        (tmp_path / "new").write_text("somebody else's")
    assert names(tmp_path) == ["new", "out"]


def test_a_fault_is_no_fault_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="a bug"), replacing_folder(tmp_path / "out"):
        raise RuntimeError("a bug")
    assert names(tmp_path) == []


# -- two runs at once


def test_two_runs_never_mix_in_a_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    for _ in range(2):  # into a folder to be made, then into the one that is there
        with replacing_folder(out) as partial:
            (partial / "a.txt").write_text("first")
            with pytest.raises(OutputError, match=rf"process {os.getpid()}\) is writing into the folder .*out"):
                _write(out, "second")
            assert (partial / "a.txt").read_text() == "first", "the second leaves the first alone"
        assert (out / "a.txt").read_text() == "first"
        assert names(out) == ["a.txt"]
    assert names(tmp_path) == ["out"]


def test_a_folder_made_meanwhile_is_not_mixed_with(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with ExitStack() as second:

        def meanwhile() -> None:
            out.mkdir()
            (second.enter_context(replacing_folder(out)) / "b.txt").write_text("second")

        with pytest.raises(OutputError, match="is writing into the folder"), replacing_folder(out):
            meanwhile()
    assert names(out) == ["b.txt"]
    assert names(tmp_path) == ["out"]


def test_a_series_holds_its_folder(tmp_path: Path) -> None:
    with holding_folder(tmp_path):
        _write(tmp_path / "report", "one of the series")
        with pytest.raises(OutputError, match="is writing into the folder"), holding_folder(tmp_path):
            pass
    assert names(tmp_path) == ["report"]


WRITER = """
import sys, time
from pathlib import Path
from typing import Any
from gpu.files import replacing, replacing_folder
out = Path(sys.argv[1])
with replacing(out / "a.npz") as file, replacing_folder(out / "new") as new, replacing_folder(out / "old") as old:
    room = file.with_name(file.name + ".room")
    for path in (file, new / "a.txt", old / "a.txt", room):
        path.write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
    room.unlink()
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that is writing a.npz, a folder to be made and one that is there."""
    (tmp_path / "old").mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "writing\n"
    yield process
    process.kill()
    process.communicate()


def test_a_living_run_keeps_what_it_writes(tmp_path: Path, writer: subprocess.Popen[str]) -> None:
    before = sorted(map(str, tmp_path.rglob("*")))
    leftovers.clear(tmp_path)
    leftovers.clear(tmp_path / "old")
    for name in ("new", "old"):
        with pytest.raises(OutputError, match=rf"Another run \(process {writer.pid}\) is writing"):
            _write(tmp_path / name, "second")
    with replacing(tmp_path / "b.npz") as partial:
        partial.touch()
    assert sorted(map(str, tmp_path.rglob("*"))) == sorted([*before, str(tmp_path / "b.npz")])
    writer.communicate("")
    assert names(tmp_path) == ["a.npz", "b.npz", "new", "old"]


def test_what_a_killed_run_leaves_goes_with_the_next(tmp_path: Path, writer: subprocess.Popen[str]) -> None:
    writer.kill()
    writer.wait()
    assert len(names(tmp_path)) == 5, names(tmp_path)
    (tmp_path / ".vimrc.partial").write_text("not ours")
    (tmp_path / ".other.lock").write_text("not ours")
    check_space(tmp_path / "b.npz", 1)
    assert names(tmp_path) == [".other.lock", ".vimrc.partial", "old"]
    _write(tmp_path / "old", "next")
    assert names(tmp_path / "old") == ["a.txt", "b"]


@pytest.mark.parametrize(
    ("name", "hours", "stays"),
    [
        ("HERE-DEAD-1", 0, False),
        ("HERE-ALIVE-1", 0, True),
        ("HERE-ALIVE-1", 12, True),  # its number may have been given out again, and may not
        ("HERE-ALIVE-1", 10**5, False),  # written before the process of that number was started
        ("0badcafe-DEAD-1", 12, True),  # another machine's
        ("0badcafe-ALIVE-1", 25, False),
        ("DEAD", 12, True),  # of an earlier version, whose names said no machine
        ("DEAD", 25, False),
    ],
)
def test_age_and_process_say_what_is_left_over(tmp_path: Path, name: str, hours: float, stays: bool) -> None:
    said = name.replace("HERE", locks.here()).replace("DEAD", "2147480000").replace("ALIVE", str(os.getppid()))
    left = tmp_path / f".clip.partial-{said}.npz"
    left.touch()
    written = time.time() - 3600 * hours
    os.utime(left, (written, written))
    leftovers.clear(tmp_path)
    assert left.exists() == stays


def test_long_names_and_odd_bytes_have_temporary_ones(tmp_path: Path) -> None:
    for name in ("ü" * 120 + ".npz", "x" * 200 + "." + "y" * 50, os.fsdecode(b"\xff\xfe" * 20 + b".npz")):
        with replacing(tmp_path / name) as partial:
            assert leftovers.FILE.fullmatch(partial.name)
            partial.write_text("a")
        assert (tmp_path / name).read_text() == "a"
        _write(tmp_path / (name + "d"), "a")


@pytest.mark.parametrize("writing", [replacing, replacing_folder])
def test_a_file_that_is_read_meanwhile_is_not_taken_for_the_output(writing: Any, tmp_path: Path) -> None:
    """What the system refuses inside the block need not be about what is written."""
    with (
        pytest.raises(OutputError, match=r"^/elsewhere/a.json cannot be used: permission denied\.$"),
        writing(tmp_path / "out.x"),
    ):
        raise PermissionError(errno.EACCES, "Permission denied", "/elsewhere/a.json")
    with pytest.raises(OutputError, match=r"out.x cannot be written: permission denied"), writing(tmp_path / "out.x"):
        raise PermissionError(errno.EACCES, "Permission denied", str(tmp_path / "part"))
