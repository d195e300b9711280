"""Servers that remotes are tried against, each a real one on this machine, and a proxy that spoils what passes."""
