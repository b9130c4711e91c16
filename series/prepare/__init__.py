"""Makes a bare machine ready for the lessons. Standard library only: nothing is installed yet."""
