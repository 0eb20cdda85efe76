"""What a decision was made of: explanations of documents and corpora, and how far to trust them."""
