"""Programs behind single figures and tables of docs/results.md; run as `python -m benchmarks.figures.NAME`."""
