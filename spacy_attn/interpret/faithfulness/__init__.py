"""How far explanations can be trusted: measures over documents, and a report of them."""
