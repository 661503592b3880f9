"""Live video through a profile or an enhancer: sources, sinks, and what is between them."""
