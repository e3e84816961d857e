"""One file per algorithm; the folder is its family."""
