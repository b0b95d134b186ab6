"""Models behind one small protocol; the frameworks are imported here and nowhere else."""
