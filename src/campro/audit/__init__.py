"""Experiments become cells, cells become tables and figures, and these become one report."""
