"""Grey-scale volumes become labelled ones: denoising, thresholds, a watershed, specks."""
