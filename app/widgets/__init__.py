"""What every page is made of: the frame, panels, tables and live plots."""
