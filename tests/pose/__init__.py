"""Tests of `utils.pose`."""
