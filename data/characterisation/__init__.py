"""What a labelled volume measures: profiles, sizes, areas, contacts, lines, representativeness."""
