"""How results reach disk: whole or not at all, resumable, with their provenance."""
