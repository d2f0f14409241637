"""Tests of `utils.core`."""
