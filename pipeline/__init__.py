"""From the study file to the report: parsing, stages, command line, figures, provenance."""
