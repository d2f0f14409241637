"""Tests of `utils.plots`."""
