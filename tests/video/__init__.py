"""Tests of `utils.video`."""
