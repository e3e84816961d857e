"""From spec to form and back, costs and compatibility; pure, nothing draws."""
