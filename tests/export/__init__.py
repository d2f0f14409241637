"""Tests of `utils.export`."""
