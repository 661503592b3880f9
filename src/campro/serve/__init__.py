"""The page of `campro serve`: a web application on loopback, its templates and its scripts."""
