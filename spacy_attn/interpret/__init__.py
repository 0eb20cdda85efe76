"""What decisions were made of: explanations, pictures of them, and how far to trust them."""
