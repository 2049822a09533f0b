"""Model files of the detectors, each with its licence beside it."""
