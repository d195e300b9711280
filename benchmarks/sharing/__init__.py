"""Methods and build scripts whose jobs two projects share through a remote, and the bytes that they make."""
