"""Distribution shifts: a setting changed by a severity; severity 0 changes nothing."""
