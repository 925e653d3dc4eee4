"""Storage of results: whole or not at all, resumable, with their provenance."""
