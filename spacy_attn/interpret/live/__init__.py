"""A page to type into: texts are classified and explained while they are written."""
