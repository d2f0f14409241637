"""Checks of every room, the notebook and the commands."""
