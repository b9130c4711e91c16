"""What knows the series as a whole: its lessons, the engine, and how a machine is made ready."""
