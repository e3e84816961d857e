"""Statistics of architecture search: spaces, motifs, efficiency and transfer."""
