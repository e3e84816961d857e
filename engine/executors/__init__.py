"""Where runs run: workers, their supervisor, and this process."""
