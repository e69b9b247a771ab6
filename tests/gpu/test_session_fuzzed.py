"""Whatever stands in a session's file, it is a session or a sentence; and what is a session is written and read back."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from hypothesis import given, settings

from gpu import session as sessions
from gpu.errors import NoisescopeError, SessionError
from gpu.session import PriorSettings, Session, SourceSettings, TaskSettings
from tests.gpu.hostile_json import documents

RIGHT: Any = json.loads(
    json.dumps(
        dataclasses.asdict(
            Session(
                SourceSettings(
                    "synthetic", path="still.png", name="formula", parameters={"dx": "sin(y)", "angle": 3.5}
                ),
                priors=(PriorSettings("fixed"), PriorSettings("integral", "anchored", 0.25, {"alpha": 2})),
                task=TaskSettings("super-resolution", parameters={"factor": 4}),
                view={"rows": ["noise", "output"], "zoom": 2.5, "loop": [1, 3], "hidden": ["fixed"]},
            )
        )
    )
)


@pytest.mark.slow
@settings(max_examples=150, deadline=None, derandomize=True)
@given(documents(RIGHT))
def test_a_session_or_a_sentence(text: str) -> None:
    session, sentence = None, ""
    try:
        session = sessions.from_json(text)
    except SessionError as problem:
        sentence = str(problem)
    assert len(sentence.encode("utf-8")) < 1000
    if session is None:
        return
    again = sessions.to_json(session)
    again.encode("utf-8")
    assert sessions.from_json(again) == session


def test_the_document_that_is_right_is_read() -> None:
    assert sessions.from_json(json.dumps(RIGHT)).priors[1].parameters == {"alpha": 2}
    with pytest.raises(NoisescopeError):
        sessions.from_json(json.dumps({**RIGHT, "noise": None}))
