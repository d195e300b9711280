"""The upkeep of a remote: what nobody needs goes, what is broken is told and mended."""
