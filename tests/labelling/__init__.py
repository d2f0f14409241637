"""Tests of `utils.labelling`."""
