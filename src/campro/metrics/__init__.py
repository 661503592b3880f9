"""Pure functions that turn outcomes into figures, and say how uncertain these are."""
