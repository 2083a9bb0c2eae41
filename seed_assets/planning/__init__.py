"""Plans: what a run would compute, why, and what that would cost."""
