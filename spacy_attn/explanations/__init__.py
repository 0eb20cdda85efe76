"""What decisions were made of: pictures of explanations, and pages to look through them."""
