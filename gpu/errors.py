"""The errors a user can cause: one type per cause, each with a sentence that names the input and what was expected."""

from __future__ import annotations


class NoisescopeError(Exception):
    """Base of all errors meant for the user. The window shows the sentence; the command line prints it and exits 2."""


class ClipError(NoisescopeError):
    """A video, still or image sequence that cannot be read, or that holds no frames."""


class SizeError(NoisescopeError):
    """A picture or grid whose size cannot be worked with."""


class FlowError(NoisescopeError):
    """A flow of the wrong shape, type or content, or a flow file that cannot be read."""


class FlowQuestion(FlowError):
    """A flow file that can be read in several ways: `setting` of the source settings says which, one of `choices`."""

    def __init__(self, text: str, setting: str = "", choices: tuple[str, ...] = ()) -> None:
        super().__init__(text)
        self.setting, self.choices = setting, choices


class PoseError(NoisescopeError):
    """A file of poses that cannot be read."""


class FormulaError(NoisescopeError):
    """A typed formula that is not understood."""


class SessionError(NoisescopeError):
    """Settings that contradict themselves, or a session file that cannot be read."""


class OutputError(NoisescopeError):
    """A result that cannot be written where it was asked to go."""


class BackendError(NoisescopeError):
    """A graphics context, device or library that is missing or has failed."""


class ModelError(NoisescopeError):
    """Model weights that are missing, damaged or of another architecture."""


class ChoiceError(NoisescopeError):
    """A name that no registry knows."""
