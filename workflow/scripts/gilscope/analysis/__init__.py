"""From raw files to verdicts; runs only in the workflow's own Python."""
