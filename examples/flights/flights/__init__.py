"""The methods and the build script of the flights example."""
