"""How an outer gradient is got; each works on any problem that can be unrolled."""
