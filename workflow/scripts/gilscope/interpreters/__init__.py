"""The interpreters that a run measures: found or fetched, and given what measuring needs."""
