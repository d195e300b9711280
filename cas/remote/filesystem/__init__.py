"""The way to files elsewhere: one face for all kinds of filesystem, and what their errors mean."""
