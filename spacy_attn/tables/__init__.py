"""From table to table: pipelines applied to the rows of data frames and files."""
