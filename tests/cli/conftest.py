"""The tiny project of the engine's tests, for verbs that run."""

from tests.engine.conftest import call, project, template

__all__ = ["call", "project", "template"]
