"""What people touch: commands, configuration, build scripts, results, standard methods."""
