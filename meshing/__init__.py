"""A labelled volume becomes a tagged tetrahedral mesh, on as many ranks as there are."""
