"""What is left of a measurement: JSON with a schema, a table for the terminal, one HTML page for everybody else."""
