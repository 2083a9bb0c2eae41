"""The seed, which is the main job of this project, and its report."""
