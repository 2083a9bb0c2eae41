"""What the way in which text is drawn says about it: whether it is seen, and whether it is raised."""
