"""The only maker and owner of OpenGL contexts, and the loader of shaders.

A context belongs to the thread that made it: create, use and release it there. GLSL 330 core throughout, so that the GL
4.1 of macOS runs it; no window and no Qt is needed.
"""

from __future__ import annotations

import ctypes
import re
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import resources
from typing import Any, Protocol, runtime_checkable

import moderngl

from gpu.errors import BackendError


def source(name: str) -> str:
    """The text of shaders/`name` with `#include "file"` lines replaced by shaders/include/file."""
    try:
        text = resources.files("shaders").joinpath(name).read_text(encoding="utf-8")
    except (OSError, ModuleNotFoundError) as problem:
        raise BackendError(f"The shader {name} is missing from this installation: {problem}.") from None
    return re.sub(r'^#include "([\w.]+)"$', lambda match: source(f"include/{match[1]}"), text, flags=re.MULTILINE)


_CURRENT = threading.local()
"""Its `context` is the one that calls of the driver go to, on each thread."""

_TRIANGLES, _UNSIGNED_INT = 0x0004, 0x1405  # of the OpenGL specification


@runtime_checkable
class _Releasable(Protocol):
    """An object of the driver: a buffer, texture, framebuffer, program."""

    def release(self) -> None: ...


class Context:
    """One standalone context with the programs made in it. Use as a context manager, or call `close` on its thread."""

    def __init__(self) -> None:
        self.gl: Any = _create()
        self.gl.gc_mode = "context_gc"
        self._thread = threading.get_ident()
        _CURRENT.context = self  # a new context is its thread's current one
        self._programs: dict[tuple[str, str], Any] = {}
        self.renderer: str = self.gl.info["GL_RENDERER"]
        self.version: str = self.gl.info["GL_VERSION"]
        self.max_texture = int(self.gl.info["GL_MAX_TEXTURE_SIZE"])
        self._finish = _unlocked(self.gl, "glFinish")
        self._draw = _unlocked(self.gl, "glDrawElements", ctypes.c_uint, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p)
        self._rest_texture = self.gl.texture((1, 1), 1)
        self._rest = self.gl.framebuffer([self._rest_texture])

    def program(self, vertex: str, fragment: str) -> Any:
        """The program of shaders/`vertex`.vert and shaders/`fragment`.frag, compiled once."""
        self.use()
        name = (vertex, fragment)
        if name not in self._programs:
            try:
                self._programs[name] = self.gl.program(
                    vertex_shader=source(f"{vertex}.vert"), fragment_shader=source(f"{fragment}.frag")
                )
            except moderngl.Error as problem:
                raise BackendError(
                    f"The graphics driver ({self.renderer}) rejects {vertex}/{fragment}: {problem}"
                ) from None
        return self._programs[name]

    def draw(self, array: Any, count: int) -> None:
        """Draw the triangles of the first `count` indices of a vertex array, and wait until that is done.

        moderngl holds Python's lock meanwhile, which for a software renderer is long enough that a window on another thread
        stutters (measured: 30 to 100 ms a frame of noise); these calls do without it.
        """
        if self._draw is None:
            array.render(moderngl.TRIANGLES, vertices=count)
        else:
            array.render(moderngl.TRIANGLES, vertices=0)  # binds the program and the array
            self._draw(_TRIANGLES, count, _UNSIGNED_INT, None)
        self.finish()

    def finish(self) -> None:
        """Wait, without Python's lock, until all that was drawn is there, so that reading it back is a mere copy."""
        if self._finish is not None:
            self._finish()

    def use(self) -> None:
        """Come before any call of the driver: what is called is meant for this context, though its thread has others.
        RuntimeError on another thread than the one that made it."""
        if threading.get_ident() != self._thread:
            raise RuntimeError("an OpenGL context was used outside the thread that made it")
        if getattr(_CURRENT, "context", None) is not self:
            self.gl.__enter__()
            _CURRENT.context = self

    def rest(self) -> None:
        """Bind a target that always lives. moderngl binds the last target again after making a new one, which fails when
        that one has been released meanwhile."""
        self.use()
        self._rest.use()

    def check(self) -> None:
        """BackendError when the driver reports an error, or has lost the device."""
        error = self.gl.error
        if error != "GL_NO_ERROR":
            raise BackendError(f"The graphics driver ({self.renderer}) reports {error}.")

    def close(self) -> None:
        """Release it, and all that was made in it. Numbers of objects are given out anew in every context: released while
        another one is current they would be taken from that."""
        self.use()
        for program in self._programs.values():
            program.release()
        self._programs.clear()
        self._rest.release()
        self._rest_texture.release()
        # Collected objects that were released by hand before have nothing left to release.
        while self.gl.objects:
            leftover = self.gl.objects.popleft()
            if isinstance(leftover, _Releasable):
                leftover.release()
        self.gl.release()
        _CURRENT.context = None

    def __enter__(self) -> Context:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _create() -> Any:
    tried = []
    ways: tuple[dict[str, Any], ...] = ({"backend": "egl"}, {}) if sys.platform.startswith("linux") else ({},)
    for way in ways:
        try:
            return moderngl.create_context(standalone=True, require=330, **way)
        except Exception as problem:  # moderngl and glcontext raise bare Exception for missing libraries
            tried.append(f"{way.get('backend', 'default')}: {problem}")
    raise BackendError(
        "No OpenGL 3.3 context can be made on this machine (" + "; ".join(tried) + "). "
        "On Debian and Ubuntu: apt-get install libegl1 libgl1 libgl1-mesa-dri."
    )


def _unlocked(context: Any, name: str, *arguments: Any) -> Callable[..., None] | None:
    """A function of the driver, called without Python's lock; None where moderngl does not tell its address."""
    try:
        address = context.mglo._context.load(name)
    except AttributeError:
        return None
    if not address:
        return None
    if sys.platform == "win32":  # a calling convention of its own
        return ctypes.WINFUNCTYPE(None, *arguments)(address)
    return ctypes.CFUNCTYPE(None, *arguments)(address)


@contextmanager
def released(*parts: Any) -> Iterator[None]:
    """Release GL objects at the end of a block."""
    try:
        yield
    finally:
        for part in parts:
            part.release()
