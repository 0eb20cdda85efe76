"""spaCy's components, and what trains, scores, calibrates and saves them. No torch is in here."""
