"""The words of many documents: what they contributed, and where two pipelines differ."""
