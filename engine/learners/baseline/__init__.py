"""What every learned method must be compared with."""
