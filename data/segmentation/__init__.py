"""Grey volumes become labels, with every step on record."""
