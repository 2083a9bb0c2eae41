"""Find the result of an action or compute it, commit it, and account for what it cost."""
