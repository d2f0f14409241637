"""Render the demo clips: made-up people in made-up rooms, every keypoint known."""
