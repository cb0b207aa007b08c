"""Materials from parameter files of others: BPX files and PyBaMM's parameter sets."""
