"""A package that only the private index has."""

GREETING = "Hello from the private index"
