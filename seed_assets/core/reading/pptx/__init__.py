"""Reading PPTX files: the order of slides and what belongs to each (document), and the shapes of a slide (shapes)."""
