"""How meta-parameters follow an outer gradient."""
