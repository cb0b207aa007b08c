"""Figures of the image stage: what the volume looks like, and how it is characterised."""
