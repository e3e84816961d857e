"""What is here only to be added by a test is not collected: it would register."""

collect_ignore = ["toy"]
