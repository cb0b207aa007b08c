"""The report of a run: one page that is built from its results alone."""
