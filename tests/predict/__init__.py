"""Tests of `utils.predict`."""
