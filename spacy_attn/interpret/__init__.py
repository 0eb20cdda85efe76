"""What decisions were made of: explanations, how far to trust them, and pictures of them."""
