"""What a method is: code, options, environment."""
