"""The one way to the engine: plain data in, plain data out."""
