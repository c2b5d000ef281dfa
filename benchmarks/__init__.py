"""Measurements behind the book's page on speed: plain references, and the harness that runs them beside the library."""
