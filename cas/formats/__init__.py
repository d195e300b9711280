"""How bytes lie: what outlives acc, described in docs/reference/formats/."""
