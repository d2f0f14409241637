"""Tests of `utils.frames`."""
