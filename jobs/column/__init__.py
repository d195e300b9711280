"""Values to bytes and back: arrays in, arrays out, no job."""
