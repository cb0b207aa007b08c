"""What results mean: where an electrode is limited, which particles idle, what runs deliver."""
