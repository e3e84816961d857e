"""The page Learn: lessons, the glossary, and a card for every part."""
