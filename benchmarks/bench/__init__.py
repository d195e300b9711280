"""Methods and build scripts that acc and its peer both run, byte for byte."""
