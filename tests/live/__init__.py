"""Tests of `utils/live`."""
