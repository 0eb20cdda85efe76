"""What draws: pages, pictures in notebooks and terminals, tables; and the templates of these."""
