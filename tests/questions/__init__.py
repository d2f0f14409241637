"""Tests of `utils.questions`."""
