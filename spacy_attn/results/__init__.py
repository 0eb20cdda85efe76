"""What components say of documents: as data, and as attributes of documents and tokens."""
